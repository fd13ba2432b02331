"""Progress as data: what long work says about itself, without knowing who looks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol


class Stage(Protocol):
    """A running stage, handed to the code that does its work."""

    @property
    def log(self) -> Path:
        """The operation's log file, for the output of tools."""
        ...

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        """Say how far it is. ``unit`` and ``total`` stay as they were when not given."""
        ...

    def note(self, detail: str) -> None:
        """One short line beside the name: what it is at just now."""
        ...

    def stage(self, name: str) -> AbstractAsyncContextManager[Stage]:
        """A nested stage: running inside the block, done or failed after it."""
        ...

    def undo(self, step: Callable[[], object]) -> None:
        """A step (plain or async function) to take back, last first, if the operation does not
        succeed."""
        ...
