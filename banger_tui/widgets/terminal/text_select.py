"""A selection in rows of text."""

from __future__ import annotations

from .core import Mark, MarkKind, Unit
from .text_grid import TextGrid, line_at, text_between, word_at


class TextSelection:
    """What is selected; places are (row, column) of the grid's own numbering."""

    def __init__(self, grid: TextGrid) -> None:
        self._grid = grid
        self._unit = Unit.CELL
        self._anchor: tuple[int, int] | None = None
        self._ends: tuple[tuple[int, int], tuple[int, int]] | None = None

    def begin(self, row: int, x: int, unit: Unit) -> None:
        """Select the cell, word or line there."""
        self._anchor, self._ends, self._unit = (row, x), None, unit
        if unit is not Unit.CELL:
            self.extend(row, x)

    def extend(self, row: int, x: int) -> None:
        """Select from the beginning to this cell, by whole words or lines if it began so."""
        if self._anchor is None or self._anchor[0] < self._grid.first:
            return
        ends = [*self._unit_at(*self._anchor), *self._unit_at(row, x)]
        self._ends = min(ends), max(ends)

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = self._ends = None

    def text(self) -> str:
        """What is selected."""
        return "" if self._ends is None else text_between(self._grid, *self._ends)

    def marks(self, top: int, cols: int, rows: int) -> list[tuple[int, Mark]]:
        """(viewport row, mark) of what is selected, `top` being the row shown first."""
        if self._ends is None:
            return []
        (first, start), (last, end) = self._ends
        return [
            (
                row - top,
                Mark(
                    start if row == first else 0,
                    min(end + 1, cols) if row == last else cols,
                    MarkKind.SELECTED,
                ),
            )
            for row in range(max(first, top), min(last + 1, top + rows))
        ]

    def _unit_at(self, row: int, x: int) -> tuple[tuple[int, int], tuple[int, int]]:
        if not self._grid.first <= row < self._grid.end:
            return (row, x), (row, x)
        if self._unit is Unit.LINE:
            first, last = line_at(self._grid, row)
            length = len("".join(self._grid.characters(last)).rstrip(" "))
            return (first, 0), (last, max(0, length - 1))
        characters = self._grid.characters(row)
        start, end = word_at(characters, x) if self._unit is Unit.WORD else (x, x)
        # A wide character is taken whole.
        if 0 < start < len(characters) and characters[start] == "":
            start -= 1
        if end + 1 < len(characters) and characters[end + 1] == "":
            end += 1
        return (row, start), (row, end)
