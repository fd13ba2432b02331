"""A search through rows of text, in slices: the newest rows first, letters of any case."""

from __future__ import annotations

import re
import time
from collections import deque

from .core import MAX_NEEDLE_CHARS, Mark, MarkKind
from .text_grid import TextGrid, find

_SLICE = 0.004
"""Seconds of search at a time."""

_MAX_MATCHES = 20_000

Match = tuple[int, int, int]
"""Row, first column, one past the last column."""


class TextSearch:
    """The search of one grid; a match does not go over the end of a row."""

    def __init__(self, grid: TextGrid) -> None:
        self._grid = grid
        self._needle: re.Pattern[str] | None = None
        self._current: Match | None = None
        self._kept: deque[Match] = deque()
        """Matches in rows that change no more, the oldest first."""
        self._shown: list[Match] = []
        """Matches on the active screen."""
        self._low = self._high = 0
        """The rows that `_kept` covers."""

    def start(self, needle: str) -> None:
        """Look for a text, in place of an earlier search."""
        needle = needle[:MAX_NEEDLE_CHARS]
        self._needle = re.compile(re.escape(needle), re.IGNORECASE) if needle else None
        self._current = None
        self.forget()
        self.work()

    def forget(self) -> None:
        """Look from the beginning again: rows have new numbers."""
        self._kept.clear()
        self._shown.clear()
        self._low = self._high = self._grid.screen

    def work(self) -> bool:
        """Look on for some milliseconds; whether there is more to do."""
        if self._needle is None:
            return False
        until = time.perf_counter() + _SLICE
        first, screen = self._grid.first, self._grid.screen
        while self._kept and self._kept[0][0] < first:
            self._kept.popleft()
        self._low, self._high = max(self._low, first), max(self._high, first)
        while self._high < screen and time.perf_counter() < until:
            self._kept.extend(self._in_row(self._high))
            self._high += 1
        rows = range(screen, self._grid.end)
        self._shown = [match for row in rows for match in self._in_row(row)]
        while self._low > first and time.perf_counter() < until:
            if len(self._kept) >= _MAX_MATCHES:
                break
            self._low -= 1
            self._kept.extendleft(reversed(self._in_row(self._low)))
        if self._current is None:
            newest = self._shown or self._kept
            self._current = newest[-1] if newest else None
        more_above = self._low > first and len(self._kept) < _MAX_MATCHES
        return self._high < screen or more_above

    def step(self, *, back: bool) -> int | None:
        """The row of the next older or newer match, which becomes the current one."""
        matches = [*self._kept, *self._shown]
        if not matches:
            self._current = None
            return None
        if self._current is None:
            self._current = matches[-1]
        elif back:
            older = [match for match in matches if match < self._current]
            self._current = older[-1] if older else matches[-1]
        else:
            newer = [match for match in matches if match > self._current]
            self._current = newer[0] if newer else matches[0]
        return self._current[0]

    @property
    def current_row(self) -> int | None:
        """Where the current match is."""
        return None if self._current is None else self._current[0]

    @property
    def place(self) -> tuple[int, int]:
        """(number of the current match from the oldest, how many)."""
        matches = [*self._kept, *self._shown]
        if self._current not in matches:
            return 0, len(matches)
        return matches.index(self._current) + 1, len(matches)

    def marks(self, top: int, rows: int) -> list[tuple[int, Mark]]:
        """(viewport row, mark) of the matches shown, `top` being the row shown first."""
        if self._needle is None:
            return []
        marks = []
        for row in range(top, top + rows):
            for match in self._in_row(row):
                kind = MarkKind.CURRENT_MATCH if match == self._current else MarkKind.MATCH
                marks.append((row - top, Mark(match[1], match[2], kind)))
        return marks

    def _in_row(self, row: int) -> list[Match]:
        if self._needle is None:
            return []
        spans = find(self._needle, self._grid.characters(row))
        return [(row, start, end) for start, end in spans]
