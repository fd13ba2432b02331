"""The picture of a terminal: cached strips of its rows, renewed where the emulator changed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from .core import CursorShape, Mark, MarkKind, VtCore
from .strips import row_strip, with_cursor, with_marks

MATCH_CLASS = "terminal--match"
CURRENT_MATCH_CLASS = "terminal--current-match"


def looks(widget: Widget) -> dict[MarkKind, Style]:
    """How highlighted cells look, by the widget's theme; without colour they differ too."""
    return {
        MarkKind.MATCH: widget.get_component_rich_style(MATCH_CLASS),
        MarkKind.CURRENT_MATCH: widget.get_component_rich_style(CURRENT_MATCH_CLASS),
        MarkKind.SELECTED: Style(reverse=True),
    }


class Canvas:
    """Strips of the grid's rows, shown through a window of `height` lines.

    The grid can be taller than a very small widget; the window then follows the cursor.
    """

    def __init__(self) -> None:
        self._strips: list[Strip] = []
        self._cursor: tuple[int, int] | None = None
        self._shape = CursorShape.BLOCK
        self._marks: dict[int, list[Mark]] = {}
        self._top = 0

    @property
    def top(self) -> int:
        """The grid row in the window's first line."""
        return self._top

    @property
    def marked(self) -> bool:
        """Whether some cells are highlighted."""
        return bool(self._marks)

    def update(
        self, terminal: VtCore, height: int, walker: tuple[int, int] | None = None
    ) -> set[int] | None:
        """Take the emulator's changes; the window lines to repaint, None for all of them.

        `walker` is a cursor of the person's own, shown in place of the guest's.
        """
        cols, rows = terminal.size
        everything = len(self._strips) != rows
        if everything:
            self._strips = [Strip.blank(cols)] * rows
        changed = set()
        for y, row in terminal.take_dirty():
            if y < rows:
                self._strips[y] = row_strip(row)
                changed.add(y)
        changed |= self._update_cursor(terminal, walker)
        changed |= self._update_marks(terminal)
        cursor_y = self._cursor[1] if self._cursor is not None else 0
        top = max(0, min(cursor_y - height + 1, rows - height))
        if everything or top != self._top:
            self._top = top
            return None
        return {y - top for y in changed if top <= y < top + height}

    def _update_cursor(self, terminal: VtCore, walker: tuple[int, int] | None) -> set[int]:
        before = self._cursor, self._shape
        if walker is not None:
            self._cursor, self._shape = walker, CursorShape.BLOCK
        else:
            self._cursor, self._shape = terminal.viewport_cursor, terminal.cursor_shape
        if before == (self._cursor, self._shape):
            return set()
        return {cell[1] for cell in (before[0], self._cursor) if cell is not None}

    def _update_marks(self, terminal: VtCore) -> set[int]:
        before, self._marks = self._marks, terminal.marks()
        if not before and not self._marks:
            return set()
        rows = before.keys() | self._marks.keys()
        return {y for y in rows if before.get(y) != self._marks.get(y)}

    def line(
        self,
        y: int,
        width: int,
        base: Style,
        looks: Mapping[MarkKind, Style],
        *,
        focused: bool,
    ) -> Strip:
        """Window line `y`, `width` cells wide, over the theme's `base` style.

        `looks` is how highlighted cells look.
        """
        y += self._top
        if y >= len(self._strips):
            return Strip.blank(width, base)
        strip = self._strips[y]
        marks = self._marks.get(y)
        if marks:
            strip = with_marks(strip, marks, looks)
        if self._cursor is not None and self._cursor[1] == y:
            strip = with_cursor(strip, self._cursor[0], focused=focused, shape=self._shape)
        return strip.apply_style(base).adjust_cell_length(width, base)
