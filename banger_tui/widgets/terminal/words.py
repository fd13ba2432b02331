"""Columns and words of a line of text: where a cursor that is moved by keys may stand."""

from __future__ import annotations

from rich.cells import get_character_cell_size


def columns(line: str) -> list[int]:
    """The column in which each character of a line begins, combining ones with what they join."""
    found: list[int] = []
    column = 0
    for character in line:
        width = get_character_cell_size(character)
        found.append(column if width else max(0, column - 1))
        column += width
    return found


def step_left(line: str, x: int) -> int:
    """The column of the character before column `x`."""
    return max((column for column in columns(line) if column < x), default=max(0, x - 1))


def step_right(line: str, x: int, cols: int) -> int:
    """The column of the character after the one at `x`, within `cols` columns."""
    after = (column for column in columns(line) if column > x)
    return min(next(after, x + 1), cols - 1)


def line_end(line: str) -> int:
    """The column of the last character that is not blank; 0 for a blank line."""
    starts = columns(line.rstrip())
    return starts[-1] if starts else 0


def word_starts(line: str) -> list[int]:
    """The columns in which words begin; signs beside letters are words of their own."""
    starts = columns(line)
    found = []
    previous = " "
    for column, character in zip(starts, line, strict=True):
        if not character.isspace() and _kind(character) != _kind(previous):
            found.append(column)
        previous = character
    return found


def _kind(character: str) -> int:
    if character.isspace():
        return 0
    return 1 if character.isalnum() or character == "_" else 2
