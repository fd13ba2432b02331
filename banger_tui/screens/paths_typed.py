"""Paths as people type them into forms: completed, and looked at before anything begins."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from textual.suggester import Suggester

from banger_tui.engine.errors import InvalidInput
from banger_tui.widgets import units

_STARTS = ("/", "~", "./", "../")
_MOST_NAMES = 5000  # of a directory, to look for a completion in


def is_path(text: str) -> bool:
    """Whether it can only be a path: everything else may be a name."""
    return text.startswith(_STARTS) or text in (".", "..")


def absolute(text: str) -> Path:
    """``~/a`` and ``./a`` as an absolute path.

    Raises:
        InvalidInput: there is no such home directory, or it can be no path.
    """
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise InvalidInput(f"{text} is no path", str(error)) from error
    if "\0" in text:
        raise InvalidInput(f"{text!r} is no path")
    return path


def size_of(text: str) -> str:
    """What is said of a file that is there. Blocking.

    Raises:
        InvalidInput: it is not there, or no file.
    """
    path = absolute(text)
    try:
        found = path.stat()
    except OSError as error:
        raise InvalidInput(f"Can't read {path}", f"{error.strerror}.") from error
    if not path.is_file():
        raise InvalidInput(f"{path} is no file")
    return f"a file of {units.size(found.st_size)}"


def complete(text: str) -> str | None:
    """The path that begins so, a directory with a slash; None when there is none. Blocking."""
    head, slash, start = text.rpartition("/")
    if not slash:
        return None
    try:
        with os.scandir(absolute(head + slash)) as entries:
            found = [
                entry.name + ("/" if entry.is_dir() else "")
                for _, entry in zip(range(_MOST_NAMES), entries, strict=False)
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            ]
    except (OSError, InvalidInput):
        return None
    best = min(found, default=None)
    return None if best is None or best == start else f"{head}{slash}{best}"


class PathSuggester(Suggester):
    """Completes paths by what is on disk, and everything else by words.

    Args:
        words: the most wanted first.
    """

    def __init__(self, words: Sequence[str] = ()) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = tuple(dict.fromkeys(words))

    async def get_suggestion(self, value: str) -> str | None:
        if is_path(value):
            return await asyncio.to_thread(complete, value)
        return next((w for w in self._words if w.startswith(value) and w != value), None)
