"""The picture of a terminal: cached strips of its rows, renewed where the emulator changed."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip

from .core import VtCore
from .strips import row_strip, with_cursor


class Canvas:
    """Strips of the grid's rows, shown through a window of `height` lines.

    The grid can be taller than a very small widget; the window then follows the cursor.
    """

    def __init__(self) -> None:
        self._strips: list[Strip] = []
        self._cursor: tuple[int, int] | None = None
        self._top = 0

    @property
    def top(self) -> int:
        """The grid row in the window's first line."""
        return self._top

    def update(self, terminal: VtCore, height: int) -> set[int] | None:
        """Take the emulator's changes; the window lines to repaint, None for all of them."""
        cols, rows = terminal.size
        everything = len(self._strips) != rows
        if everything:
            self._strips = [Strip.blank(cols)] * rows
        changed = set()
        for y, row in terminal.take_dirty():
            if y < rows:
                self._strips[y] = row_strip(row)
                changed.add(y)
        before, self._cursor = self._cursor, terminal.viewport_cursor
        if before != self._cursor:
            changed |= {cell[1] for cell in (before, self._cursor) if cell is not None}
        cursor_y = self._cursor[1] if self._cursor is not None else 0
        top = max(0, min(cursor_y - height + 1, rows - height))
        if everything or top != self._top:
            self._top = top
            return None
        return {y - top for y in changed if top <= y < top + height}

    def line(self, y: int, width: int, base: Style, *, focused: bool) -> Strip:
        """Window line `y`, `width` cells wide, over the theme's `base` style."""
        y += self._top
        if y >= len(self._strips):
            return Strip.blank(width, base)
        strip = self._strips[y]
        if self._cursor is not None and self._cursor[1] == y:
            strip = with_cursor(strip, self._cursor[0], focused=focused)
        return strip.apply_style(base).adjust_cell_length(width, base)
