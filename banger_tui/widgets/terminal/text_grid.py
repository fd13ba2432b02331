"""Rows of text as selection and search need them, for an emulator that has neither."""

from __future__ import annotations

import re
from typing import Protocol

BOUNDARIES = frozenset(" \t\0'\"│`|:;,()[]{}<>$")
"""Characters that end a word, as a double click understands words."""


class TextGrid(Protocol):
    """Scrollback and screen as one run of rows; a row keeps its number while output scrolls."""

    @property
    def first(self) -> int:
        """The oldest row kept."""

    @property
    def screen(self) -> int:
        """The first row of the active screen: rows before it change no more."""

    @property
    def end(self) -> int:
        """One past the last row."""

    def characters(self, row: int) -> list[str]:
        """What each column shows; the right half of a wide character is the empty string."""

    def wrapped(self, row: int) -> bool:
        """Whether the row's line goes on in the next row."""


def word_at(characters: list[str], x: int) -> tuple[int, int]:
    """First and last column of the word there; the cell itself where there is none."""
    if not 0 <= x < len(characters) or characters[x] in BOUNDARIES:
        return x, x
    start = end = x
    while start > 0 and characters[start - 1] not in BOUNDARIES:
        start -= 1
    while end + 1 < len(characters) and characters[end + 1] not in BOUNDARIES:
        end += 1
    return start, end


def line_at(grid: TextGrid, row: int) -> tuple[int, int]:
    """First and last row of the line that the row is part of."""
    first = last = row
    while first > grid.first and grid.wrapped(first - 1):
        first -= 1
    while last + 1 < grid.end and grid.wrapped(last):
        last += 1
    return first, last


def text_between(grid: TextGrid, start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from (row, column) to (row, column), both included; wrapped lines joined."""
    text = ""
    for row in range(max(start[0], grid.first), min(end[0] + 1, grid.end)):
        characters = grid.characters(row)
        if row == end[0]:
            characters = characters[: end[1] + 1]
        if row == start[0]:
            characters = characters[start[1] :]
        part = "".join(characters)
        whole = grid.wrapped(row) and row != end[0]
        text += part if whole else part.rstrip(" ") + "\n"
    return text.removesuffix("\n")


def find(needle: re.Pattern[str], characters: list[str]) -> list[tuple[int, int]]:
    """(start, end) columns of each place where the needle is."""
    text = "".join(characters)
    if len(text) == len(characters):
        return [match.span() for match in needle.finditer(text)]
    columns: list[int] = []
    for column, character in enumerate(characters):
        columns += [column] * len(character)
    columns.append(len(characters))
    return [(columns[match.start()], columns[match.end()]) for match in needle.finditer(text)]
