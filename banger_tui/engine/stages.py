"""The stages of one running operation: a tree that its work writes and everybody else reads."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from banger_tui.engine.model import StageState, StageView

_RATE_WINDOW = 3.0  # seconds over which a rate is taken: calm to read, quick to notice a stall


class LiveStage:
    """One node of the tree. Implements ``progress.Stage``; every change calls ``changed``.

    ``changed(urgent)``: urgent for a change of state, not for mere progress.
    """

    def __init__(
        self,
        name: str,
        changed: Callable[[bool], None],
        undo: Callable[[Callable[[], object]], None],
        log: Path,
    ) -> None:
        self.name = name
        self._changed = changed
        self._undo = undo
        self._log = log
        self._state = StageState.PENDING
        self._done = 0
        self._total: int | None = None
        self._unit = ""
        self._detail = ""
        self._started: float | None = None
        self._ended: float | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._children: list[LiveStage] = []
        self._mirrored: tuple[StageView, ...] = ()

    # -- what the work says

    @property
    def log(self) -> Path:
        return self._log

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        now = time.monotonic()
        self._done = done
        self._total = self._total if total is None else total
        self._unit = self._unit if unit is None else unit
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _RATE_WINDOW:
            self._samples.popleft()
        self._changed(False)

    def note(self, detail: str) -> None:
        self._detail = detail
        self._changed(False)

    def undo(self, step: Callable[[], object]) -> None:
        self._undo(step)

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[LiveStage]:
        async with self.child(name).active() as stage:
            yield stage

    # -- what the operation does with it

    def child(self, name: str) -> LiveStage:
        """The pending child of this name, or a new one."""
        for known in self._children:
            if known.name == name and known._state is StageState.PENDING:
                return known
        stage = LiveStage(name, self._changed, self._undo, self._log)
        self._children.append(stage)
        return stage

    @asynccontextmanager
    async def active(self) -> AsyncIterator[LiveStage]:
        self._started = time.time()
        self._move(StageState.RUNNING)
        try:
            yield self
        except asyncio.CancelledError:
            self._end(StageState.CANCELLED)
            raise
        except BaseException:  # also what nobody foresaw ends the stage; it goes on to who asked
            self._end(StageState.FAILED)
            raise
        if self._state is StageState.RUNNING:
            self._end(StageState.DONE)

    def skip(self, detail: str = "") -> None:
        """It turned out not to be needed."""
        self._detail = detail or self._detail
        self._move(StageState.SKIPPED)

    def mirror(self, stages: tuple[StageView, ...]) -> None:
        """Show another operation's stages below this one."""
        self._mirrored = stages
        self._changed(False)

    def _end(self, state: StageState) -> None:
        self._ended = time.time()
        # The other operation may run on for others; here its part is over.
        self._mirrored = tuple(settled(stage, state, self._ended) for stage in self._mirrored)
        self._move(state)

    def _move(self, state: StageState) -> None:
        self._state = state
        self._changed(True)

    def _rate(self) -> float:
        """Units a second over the last few seconds; 0 when unknown."""
        if self._state is not StageState.RUNNING:
            span = (self._ended or 0.0) - (self._started or 0.0)
            return self._done / span if span > 0 else 0.0
        if len(self._samples) < 2:
            return 0.0
        (then, before), (_, now_done) = self._samples[0], self._samples[-1]
        span = time.monotonic() - then
        return (now_done - before) / span if span > 0 else 0.0

    def view(self) -> StageView:
        return StageView(
            name=self.name,
            state=self._state,
            done=self._done,
            total=self._total,
            unit=self._unit,
            rate=round(self._rate(), 1),
            detail=self._detail,
            started=self._started,
            ended=self._ended,
            children=(*(child.view() for child in self._children), *self._mirrored),
        )


def settled(stage: StageView, state: StageState, now: float) -> StageView:
    """The stage with all of it that still runs ended as ``state`` at ``now`` (epoch seconds)."""
    if stage.state is not StageState.RUNNING:
        return stage
    children = tuple(settled(child, state, now) for child in stage.children)
    return replace(stage, state=state, ended=now, children=children)
