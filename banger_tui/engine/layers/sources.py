"""Reads the bytes of files from where they lie: in an inflated layer, or in memory."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Final

from banger_tui.engine.errors import BadContent

_OPEN_MAX: Final = 16


class Sources:
    """A context manager that keeps a few sources open. Blocking."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._states: dict[Path, tuple[int, ...]] = {}

    def __enter__(self) -> Sources:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def read(self, source: Path | bytes, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes.

        Raises:
            BadContent: the source is gone, is shorter, or is not what it was.
        """
        if isinstance(source, bytes):
            data = source[offset : offset + length]
        else:
            try:
                data = os.pread(self._descriptor(source), length, offset)
            except OSError as error:
                raise _changed(source, error.strerror or "it can't be read") from error
        if len(data) != length:
            raise _changed(source, "it is shorter than it was")
        return data

    def check(self) -> None:
        """Whether all that was read from is still what it was.

        Raises:
            BadContent: it is not.
        """
        for source, state in self._states.items():
            try:
                now = _state(source.stat())
            except OSError as error:
                raise _changed(source, error.strerror or "it can't be read") from error
            if now != state:
                raise _changed(source, "it is not the file it was")

    def _descriptor(self, source: Path) -> int:
        if (descriptor := self._open.get(source)) is not None:
            self._open.move_to_end(source)
            return descriptor
        if len(self._open) >= _OPEN_MAX:
            os.close(self._open.popitem(last=False)[1])
        descriptor = self._open[source] = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        state = _state(os.fstat(descriptor))
        if self._states.setdefault(source, state) != state:
            raise _changed(source, "it is not the file it was")
        return descriptor


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _changed(source: Path | bytes, why: str) -> BadContent:
    name = source.name if isinstance(source, Path) else "in memory"
    return BadContent(
        "A layer changed while the image was made of it",
        f"{name}: {why}",
        "Something else writes to the cache directory; try again.",
    )
