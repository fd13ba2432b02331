"""Walking through a terminal's text by keys: scrolling, a cursor, a selection, matches."""

from __future__ import annotations

from enum import Enum

from .core import MarkKind, Unit, VtCore
from .words import line_end, step_left, step_right, word_starts


class Wish(Enum):
    """What a key in scroll mode asks of the view."""

    STAY = "stay"
    LEAVE = "leave"
    COPY = "copy"
    SEARCH = "search"
    UNKNOWN = "unknown"


class ScrollMode:
    """Keys as in `less` until a cursor is wanted, then as in `vi`.

    The cursor is a cell of the viewport; it stays where it is when the text scrolls below it.
    """

    def __init__(self, terminal: VtCore) -> None:
        self._terminal = terminal
        self.cursor: tuple[int, int] | None = None
        self.selecting = False

    def press(self, key: str, character: str | None) -> Wish:
        """Take a key of Textual's naming."""
        name = character if character and character.isprintable() and character != " " else key
        match name:
            case "q":
                return Wish.LEAVE
            case "escape":
                if not self.selecting:
                    return Wish.LEAVE
                self._select_nothing()
            case "y" | "enter" | "c":
                return Wish.COPY
            case "/":
                return Wish.SEARCH
            case "n" | "N":
                self._step(back=name == "n")
            case "v" | "space":
                self._select(Unit.CELL)
            case "V":
                self._select(Unit.LINE)
            case _:
                if not self._scroll(name) and not self._move(name):
                    return Wish.UNKNOWN
                self._extend()
        return Wish.STAY

    def at_match(self) -> None:
        """Bring the cursor, where there is one, to the current match."""
        if self.cursor is not None:
            self.cursor = self._current_match() or self.cursor
            self._extend()

    # -- scrolling

    def _scroll(self, name: str) -> bool:
        terminal = self._terminal
        rows = terminal.size[1]
        match name:
            case "up" | "k":
                self._vertically(-1)
            case "down" | "j":
                self._vertically(1)
            case "pageup" | "shift+pageup" | "ctrl+b":
                terminal.scroll(1 - rows)
            case "pagedown" | "shift+pagedown" | "ctrl+f":
                terminal.scroll(rows - 1)
            case "ctrl+u":
                terminal.scroll(-(rows // 2))
            case "ctrl+d":
                terminal.scroll(rows // 2)
            case "g":
                terminal.scroll_to_top()
                self._edge(0)
            case "G":
                terminal.scroll_to_bottom()
                self._edge(rows - 1)
            case _:
                return False
        return True

    def _vertically(self, step: int) -> None:
        if self.cursor is None:
            self._terminal.scroll(step)
            return
        x, y = self.cursor
        if 0 <= y + step < self._terminal.size[1]:
            self.cursor = (x, y + step)
        else:
            self._terminal.scroll(step)

    def _edge(self, y: int) -> None:
        if self.cursor is not None:
            self.cursor = (self.cursor[0], y)

    # -- the cursor

    def _move(self, name: str) -> bool:
        if name not in ("left", "h", "right", "l", "w", "b", "0", "home", "$", "end"):
            return False
        x, y = self._shown_cursor()
        line = self._line(y)
        match name:
            case "left" | "h":
                self.cursor = (step_left(line, x), y)
            case "right" | "l":
                self.cursor = (step_right(line, x, self._terminal.size[0]), y)
            case "0" | "home":
                self.cursor = (0, y)
            case "$" | "end":
                self.cursor = (line_end(line), y)
            case "w":
                self._next_word(x, line)
            case "b":
                self._previous_word(x, line)
        return True

    def _next_word(self, x: int, line: str) -> None:
        for column in word_starts(line):
            if column > x:
                self.cursor = (column, self._shown_cursor()[1])
                return
        self._vertically(1)
        _, y = self._shown_cursor()
        self.cursor = (next(iter(word_starts(self._line(y))), 0), y)

    def _previous_word(self, x: int, line: str) -> None:
        before = [column for column in word_starts(line) if column < x]
        if before:
            self.cursor = (before[-1], self._shown_cursor()[1])
            return
        self._vertically(-1)
        _, y = self._shown_cursor()
        self.cursor = (([0, *word_starts(self._line(y))])[-1], y)

    def _line(self, y: int) -> str:
        lines = self._terminal.lines()
        return lines[y] if y < len(lines) else ""

    def _shown_cursor(self) -> tuple[int, int]:
        """The cursor; where there was none: on the match, the guest's cursor or the last line."""
        if self.cursor is None:
            terminal = self._terminal
            last = (0, terminal.size[1] - 1)
            self.cursor = self._current_match() or terminal.viewport_cursor or last
        return self.cursor

    # -- selection and search

    def _select(self, unit: Unit) -> None:
        if self.selecting:
            self._select_nothing()
        else:
            self._terminal.begin_selection(*self._shown_cursor(), unit)
            self.selecting = True

    def _select_nothing(self) -> None:
        self._terminal.clear_selection()
        self.selecting = False

    def _extend(self) -> None:
        if self.selecting and self.cursor is not None:
            self._terminal.extend_selection(*self.cursor)

    def _step(self, *, back: bool) -> None:
        self._terminal.search_step(back=back)
        self.at_match()

    def _current_match(self) -> tuple[int, int] | None:
        for y, marks in self._terminal.marks().items():
            for mark in marks:
                if mark.kind is MarkKind.CURRENT_MATCH:
                    return mark.start, y
        return None
