"""`VtCore` over bittty, a pure-Python emulator: for hosts the native library does not run on.

Slower by an order of magnitude (costly sequences can hold the loop for a tenth of a second), and
its scrollback does not reflow. The package is untyped: it is reached through `importlib`, and
everything leaving this file is typed again.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import Sequence
from typing import Any

from .bittty_rows import RowMaker, characters_of
from .clipboard import ClipboardWishes
from .core import (
    MAX_PENDING_REPLY_BYTES,
    MAX_TITLE_CHARS,
    CursorShape,
    Mark,
    Modes,
    Mouse,
    MouseFormat,
    Row,
    Unit,
    clamp,
    text_of,
)
from .glyphs import safe_label
from .guest_filter import GuestFilter
from .links import safe_link
from .replies import KITTY_KEYBOARD_FLAGS, allowed_reply
from .text_search import TextSearch
from .text_select import TextSelection

_MAX_HISTORY_CELLS = 4_000_000
"""Cells kept in the scrollback, about 64 bytes each: bittty keeps them as Python objects."""

_MAX_SEQUENCE = 32 * 1024
"""Longest string (a title, a text for the clipboard), since each piece has it read again."""

_CANCEL = b"\x18"
_MOUSE = {"x10": Mouse.PRESS, "normal": Mouse.BUTTONS, "button": Mouse.DRAG, "any": Mouse.MOTION}
_MOUSE_FORMATS = {
    "sgr": MouseFormat.SGR, "sgr-pixels": MouseFormat.SGR_PIXELS,
    "urxvt": MouseFormat.URXVT, "utf8": MouseFormat.UTF8,
}  # fmt: skip
_SHAPES = {"underline": CursorShape.UNDERLINE, "bar": CursorShape.BAR}


def load() -> None:
    """Import the emulator. Raises ImportError when it is not installed."""
    importlib.import_module("bittty")


class _Replies:
    """The cable to the guest, as bittty sees it: collects what the emulator answers."""

    def __init__(self) -> None:
        self.closed = False
        self.pending = bytearray()

    def write(self, data: str) -> int:
        return self.write_bytes(data.encode("utf-8", "replace"))

    def write_bytes(self, data: bytes) -> int:
        if len(self.pending) + len(data) <= MAX_PENDING_REPLY_BYTES:
            self.pending += allowed_reply(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""

    def resize(self, rows: int, cols: int) -> None:
        """The panel tells the guest its size, not the emulator."""

    def configure_line(self, line: object) -> None:
        """There is no modem on this line."""

    def close(self) -> None:
        self.closed = True


class BitttyCore:
    """A `VtCore`; the size is clamped by the caller."""

    slice_bytes = 512

    keeps_scrollback = True

    def __init__(self, cols: int, rows: int, *, scrollback_lines: int) -> None:
        self._size = (cols, rows)
        self._scrollback_lines = scrollback_lines
        self._history: deque[Any] = deque()
        self._dropped = 0
        self._filter = GuestFilter()
        self._replies = _Replies()
        self._clipboard = ClipboardWishes()
        self._maker = RowMaker()
        self._offset = 0
        self._bells = 0
        self._title = ""
        self._page: Any = None
        self._seen = 0
        self._all_dirty = True
        self._events: Any = importlib.import_module("bittty.present")
        self._selection = TextSelection(self)
        self._search = TextSearch(self)
        self._start()

    def _start(self) -> None:
        package: Any = importlib.import_module("bittty")
        self._board: Any = package.Board(width=self._size[0], height=self._size[1])
        self._board.host.attach(self._replies)
        self._board.attach_display(self)
        self._board.feed_host_data(b"\x1b[?1007h")  # the wheel moves in pagers, as in ghostty
        self._all_dirty = True

    def present(self, event: object) -> None:
        """An event of the emulator; only what a panel shows is taken from it."""
        events = self._events
        if isinstance(event, events.RowsScrolledOff):
            lines: Any = getattr(event, "lines", ())
            self._history.extend(lines)
            limit = min(self._scrollback_lines, _MAX_HISTORY_CELLS // self._size[0])
            while len(self._history) > limit:
                self._history.popleft()
                self._dropped += 1
            if self._offset:  # a scrolled view stays on what it shows
                self._offset = min(self._offset + len(lines), len(self._history))
        elif isinstance(event, events.ScrollbackCleared):
            self._dropped += len(self._history)
            self._history.clear()
            self._offset = 0
            self._all_dirty = True
        elif isinstance(event, events.ClipboardChanged):
            self._clipboard.add(str(getattr(event, "text", "")).encode("utf-8", "replace"))
            self._board.console.clipboard.clear()  # the guest could name any number of them
        elif isinstance(event, events.Bell):
            self._bells += 1
        elif isinstance(event, events.TitleChanged):
            self._title = safe_label(str(getattr(event, "title", "")), MAX_TITLE_CHARS)

    # -- state ---------------------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def cursor(self) -> tuple[int, int]:
        cursor = self._board.cursor
        return int(cursor.display_x), int(cursor.y)

    @property
    def cursor_shape(self) -> CursorShape:
        return _SHAPES.get(self._board.cursor.shape, CursorShape.BLOCK)

    def take_clipboard(self) -> list[str]:
        return self._clipboard.take()

    @property
    def cursor_visible(self) -> bool:
        return bool(self._board.modes.cursor_visible)

    @property
    def viewport_cursor(self) -> tuple[int, int] | None:
        if not self.cursor_visible:
            return None
        x, y = self.cursor
        y += self._offset
        return (x, y) if y < self._size[1] else None

    @property
    def title(self) -> str:
        return self._title

    @property
    def modes(self) -> Modes:
        modes, mouse = self._board.modes, self._board.mouse
        return Modes(
            application_cursor=bool(modes.cursor_application_mode),
            bracketed_paste=bool(modes.bracketed_paste),
            mouse=_MOUSE.get(mouse.protocol.value, Mouse.OFF),
            mouse_format=_MOUSE_FORMATS.get(mouse.encoding.value, MouseFormat.X10),
            focus_events=bool(modes.focus_reporting),
            alternate_screen=self._alternate,
            alternate_scroll=bool(modes.alternate_scroll_mode),
            application_keypad=not modes.numeric_keypad,
            kitty_keyboard=int(self._board.keyboard.kitty_flags) & KITTY_KEYBOARD_FLAGS,
        )

    @property
    def _alternate(self) -> bool:
        return bool(self._board.blitter.in_alt_screen)

    @property
    def bell(self) -> int:
        return self._bells

    @property
    def held(self) -> bool:
        return bool(self._board.modes.synchronized_output)

    @property
    def scrollback(self) -> int:
        return 0 if self._alternate else len(self._history)

    @property
    def scroll_offset(self) -> int:
        return self._offset

    # -- input ---------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        alternate = self._alternate
        try:
            self._board.feed_host_data(self._filter.feed(data))
        except Exception:  # noqa: BLE001 - whatever a guest's bytes break, the app must go on
            self._start()
        if len(self._board.parser.buffer) > _MAX_SEQUENCE:
            self._board.feed_host_data(_CANCEL)
            if len(self._board.parser.buffer) > _MAX_SEQUENCE:
                self._start()
        if (self._board.width, self._board.height) != self._size:
            self._board.resize(*self._size)
        if self._alternate:
            self._offset = 0
        if self._alternate is not alternate:
            self._renumber()

    def resize(self, cols: int, rows: int) -> None:
        self._size = clamp(cols, rows)
        self._board.resize(*self._size)
        self._renumber()
        self._all_dirty = True

    def take_replies(self) -> bytes:
        replies = bytes(self._replies.pending)
        self._replies.pending.clear()
        return replies

    def scroll(self, lines: int) -> None:
        self._offset = max(0, min(self._offset - lines, self.scrollback))
        self._all_dirty = True

    def scroll_to_top(self) -> None:
        self.scroll(-self.scrollback)

    def scroll_to_bottom(self) -> None:
        self.scroll(self._offset)

    def close(self) -> None:
        self._history.clear()

    # -- output --------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        return text_of([self._row(y) for y in range(self._size[1])])

    def take_dirty(self) -> list[tuple[int, Row]]:
        page = self._board.display.page
        rows = range(self._size[1])
        if self._all_dirty or self._offset or page is not self._page:
            changed = list(rows)
        else:
            changed = [y for y in page.dirty_rows(self._seen) if y in rows]
        self._page, self._seen, self._all_dirty = page, page.observe(), False
        return [(y, self._row(y)) for y in changed]

    def _row(self, y: int) -> Row:
        return self._maker.row(self._cells(self.top + y), self._size[0])

    # -- rows by number, as selection and search count them ------------------------------------

    @property
    def first(self) -> int:
        return self._dropped if not self._alternate else self.screen

    @property
    def screen(self) -> int:
        return self._dropped + len(self._history)

    @property
    def end(self) -> int:
        return self.screen + self._size[1]

    @property
    def top(self) -> int:
        """The row shown first."""
        return self.screen - self._offset

    def characters(self, row: int) -> list[str]:
        return characters_of(self._cells(row))

    def wrapped(self, row: int) -> bool:
        if row < self.screen:
            return bool(self._history[row - self._dropped].wrapped) if row >= self.first else False
        return bool(self._board.display.page.is_line_wrapped(row - self.screen))

    def _cells(self, row: int) -> Sequence[Any]:
        cells: Sequence[Any] = ()
        if self._dropped <= row < self.screen:
            cells = self._history[row - self._dropped].cells
        elif row >= self.screen:
            grid = self._board.display.page.grid
            cells = grid[row - self.screen] if row - self.screen < len(grid) else ()
        return cells

    # -- links, selection and search -----------------------------------------------------------

    def link_at(self, x: int, y: int) -> str:
        if not 0 <= y < self._size[1]:
            return ""
        cells = self._cells(self.top + y)
        style = cells[x][0] if 0 <= x < len(cells) else None
        return safe_link(str(getattr(style, "hyperlink", None) or ""))

    def begin_selection(self, x: int, y: int, unit: Unit = Unit.CELL) -> None:
        self._selection.begin(self.top + self._inside(y), self._inside_x(x), unit)

    def extend_selection(self, x: int, y: int) -> None:
        self._selection.extend(self.top + self._inside(y), self._inside_x(x))

    def clear_selection(self) -> None:
        self._selection.clear()

    def selection_text(self) -> str:
        return self._selection.text()

    def search(self, needle: str) -> None:
        self._search.start(needle)
        self._show(self._search.current_row)

    def search_work(self) -> bool:
        found = self._search.current_row
        more = self._search.work()
        if found is None:
            self._show(self._search.current_row)
        return more

    def search_step(self, *, back: bool) -> None:
        self._show(self._search.step(back=back))

    @property
    def search_place(self) -> tuple[int, int]:
        return self._search.place

    def marks(self) -> dict[int, list[Mark]]:
        cols, rows = self._size
        marks: dict[int, list[Mark]] = {}
        for y, mark in self._search.marks(self.top, rows):
            marks.setdefault(y, []).append(mark)
        for y, mark in self._selection.marks(self.top, cols, rows):
            marks.setdefault(y, []).append(mark)
        return marks

    def _inside(self, y: int) -> int:
        return max(0, min(y, self._size[1] - 1))

    def _inside_x(self, x: int) -> int:
        return max(0, min(x, self._size[0] - 1))

    def _show(self, row: int | None) -> None:
        if row is not None and not self.top <= row < self.top + self._size[1]:
            self.scroll(row - self.top - self._size[1] // 2)

    def _renumber(self) -> None:
        """Rows are others than before: what pointed at them points nowhere."""
        self._selection.clear()
        self._search.forget()
