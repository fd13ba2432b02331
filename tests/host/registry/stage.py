"""A stage that remembers everything it was told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE = 60.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a stage is to show; an error after a minute."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


class RecordedStage:
    """Implements ``progress.Stage``."""

    def __init__(self, name: str = "download") -> None:
        self.name = name
        self.notes: list[str] = []
        self.done = 0
        self.total: int | None = None
        self.children: list[RecordedStage] = []

    @property
    def log(self) -> Path:
        return Path(os.devnull)

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        self.done = done
        self.total = self.total if total is None else total

    def note(self, detail: str) -> None:
        self.notes.append(detail)

    def undo(self, step: Callable[[], object]) -> None:
        raise AssertionError("a download leaves nothing to undo")

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[RecordedStage]:
        self.children.append(RecordedStage(name))
        yield self.children[-1]

    def said(self, part: str) -> bool:
        """Whether it or a nested stage was told something with this in it."""
        return any(part in note for note in self.all_notes())

    def all_notes(self) -> Iterator[str]:
        yield from self.notes
        for child in self.children:
            yield from child.all_notes()
