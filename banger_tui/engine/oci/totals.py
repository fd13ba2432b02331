"""Progress of several stages as one sum."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from banger_tui.engine.progress import Stage


class Total:
    """Shows in ``stage`` what all shares have done together of ``total`` bytes."""

    def __init__(self, stage: Stage, total: int) -> None:
        self._stage = stage
        self._total = total
        self._done: dict[Share, int] = {}
        stage.progress(0, total, "bytes")

    def share(self, stage: Stage) -> Stage:
        """The stage of one part; its progress is counted in the sum."""
        return Share(stage, self._count)

    def _count(self, share: Share, done: int) -> None:
        self._done[share] = done
        self._stage.progress(sum(self._done.values()), self._total, "bytes")


class Share:
    """A stage that reports its progress to somebody else too."""

    def __init__(self, stage: Stage, count: Callable[[Share, int], None]) -> None:
        self._stage = stage
        self._count = count

    @property
    def log(self) -> Path:
        return self._stage.log

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        self._stage.progress(done, total, unit)
        self._count(self, done)

    def note(self, detail: str) -> None:
        self._stage.note(detail)

    def stage(self, name: str) -> AbstractAsyncContextManager[Stage]:
        return self._stage.stage(name)

    def undo(self, step: Callable[[], object]) -> None:
        self._stage.undo(step)
