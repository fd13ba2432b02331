"""`VtCore` over libghostty-vt, by way of pyghostty's cffi layer.

A crash of native code ends the process it runs in, and this one runs in the app's: a process of
its own for each terminal would copy every byte and every screen once more. What a crash cannot
take along is everything else: hypervisors, guests and the sessions in them are other processes,
and the state is a database with a journal, so that the app started again finds all as it was. With
`BANGER_TERMINAL=bittty` it starts without native code. What is known to make the library crash or
hang never reaches it: tiny grids (`clamp`), column switches and huge repeats (`guest_filter`);
hostile streams are tried on it in a child process (tests/unit/terminal/fuzz.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .clipboard import ClipboardWishes
from .core import (
    CELL_PIXELS,
    MAX_CLIPBOARD_BYTES,
    MAX_LINK_CHARS,
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
from .ghostty_native import native as load_native
from .ghostty_rows import RowReader
from .ghostty_search import Search
from .ghostty_select import Selection
from .glyphs import safe_label
from .guest_filter import GuestFilter
from .links import safe_link
from .replies import KITTY_KEYBOARD_FLAGS, allowed_reply

_LIGHT, _DARK = (0xE0, 0xE0, 0xE0), (0x12, 0x12, 0x12)
"""What a guest is told of the default colours (OSC 10, 11): it is to choose for a dark screen."""

_USUAL_COLS = 80
_BYTES_PER_CELL = 12
_MIN_HISTORY_BYTES = 4 * 1024 * 1024
_NO_LIMIT = 1 << 40
_MAX_HISTORY_BYTES = 96 * 1024 * 1024
_PAGE_CELLS = 48_000
"""Old rows are forgotten by pages of about this many cells: that much more is kept, at most."""

_MOUSE_MODES = ((1003, Mouse.MOTION), (1002, Mouse.DRAG), (1000, Mouse.BUTTONS), (9, Mouse.PRESS))
_MOUSE_FORMATS = (
    (1016, MouseFormat.SGR_PIXELS),
    (1006, MouseFormat.SGR),
    (1015, MouseFormat.URXVT),
    (1005, MouseFormat.UTF8),
)


def load() -> None:
    """Load the native library, once for all threads. Raises ImportError or OSError without it."""
    _warm_up()


@lru_cache(maxsize=1)
def _warm_up() -> None:
    # cffi parses every C type at its first use, which takes as long again as loading and would
    # otherwise happen on the event loop: a throw-away terminal goes through the usual calls.
    terminal = GhosttyCore(20, 5, scrollback_lines=10)
    terminal.feed("\x1b[1;38;2;1;2;3;44mx\x1b]0;t\x07\x07e\u0301\x1b[c".encode())
    terminal.take_dirty()
    terminal.take_replies()
    terminal.resize(30, 6)
    terminal.scroll(-1)
    _ = terminal.modes, terminal.title, terminal.viewport_cursor, terminal.held
    _ = terminal.cursor_shape, terminal.link_at(0, 0)
    terminal.begin_selection(0, 0, Unit.WORD)
    terminal.search("x")
    _ = terminal.marks(), terminal.selection_text(), terminal.search_place
    terminal.close()


class GhosttyCore:
    """A `VtCore`; the size is clamped by the caller."""

    slice_bytes = 2048

    def __init__(self, cols: int, rows: int, *, scrollback_lines: int) -> None:
        native = self._native = load_native()
        ffi = native.ffi
        self._size = (cols, rows)
        self._scrollback_lines = scrollback_lines
        self._terminal = native.terminal(cols, rows, scrollback=0)
        self._handle = self._terminal._t[0]
        self._filter = GuestFilter()
        self._replies = replies = bytearray()
        self._bells = bells = [0]

        def on_reply(data: bytes) -> None:
            if len(replies) + len(data) <= MAX_PENDING_REPLY_BYTES:
                replies.extend(allowed_reply(data))

        def on_bell(_terminal: object, _userdata: object) -> None:
            bells[0] += 1

        self._terminal.on_reply(on_reply)
        self._on_bell = ffi.callback("GhosttyTerminalBellFn", on_bell)
        self._set("BELL", self._on_bell)
        self._limit_history(self._history_limit(self._size))
        self._set("COLOR_FOREGROUND", ffi.new("GhosttyColorRgb*", _LIGHT))
        self._set("COLOR_BACKGROUND", ffi.new("GhosttyColorRgb*", _DARK))
        # Images are not drawn; without these a guest could fill memory or name files of the host.
        self._limit("KITTY_IMAGE_STORAGE_LIMIT", "uint64_t*", 0)
        self._limit("KITTY_IMAGE_MEDIUM_FILE", "bool*", False)
        self._limit("KITTY_IMAGE_MEDIUM_TEMP_FILE", None, 0)
        self._limit("KITTY_IMAGE_MEDIUM_SHARED_MEM", "bool*", False)
        self._limit("APC_MAX_BYTES", "size_t*", 64 * 1024)
        # A title echoed back by the emulator would be keys typed by the guest to itself.
        self._limit("TITLE_REPORT", "bool*", False)

        self._clipboard = clipboard = ClipboardWishes()

        def on_clipboard(_terminal: object, _userdata: object, write: Any) -> None:
            if write.contents_len:
                data = write.contents[0].data
                clipboard.add(bytes(ffi.buffer(data.ptr, data.len)) if data.len else b"")

        self._on_clipboard = ffi.callback("GhosttyTerminalClipboardWriteFn", on_clipboard)
        self._set("CLIPBOARD_WRITE", self._on_clipboard)
        self._limit("CLIPBOARD_WRITE_MAX_BYTES", "size_t*", MAX_CLIPBOARD_BYTES)

        def on_size(_terminal: object, _userdata: object, size: Any) -> bool:
            size.columns, size.rows = self._size
            size.cell_width, size.cell_height = CELL_PIXELS
            return True

        self._on_size = ffi.callback("GhosttyTerminalSizeFn", on_size)
        self._set("SIZE", self._on_size)

        self._rows = RowReader(native, self._handle)
        self._selection = Selection(native, self._handle)
        self._search = Search(native, self._handle)
        self._marks: dict[int, list[Mark]] | None = None

    def _history_limit(self, size: tuple[int, int]) -> tuple[int, int]:
        """Lines as asked for, and bytes enough for text as it usually is, at this size."""
        cols, rows = size
        # What a narrow panel wraps is still one line, so that making it wide again shows it all.
        lines = self._scrollback_lines * max(_USUAL_COLS, cols) // cols
        if lines:
            lines += _PAGE_CELLS // cols
        length = (lines + rows) * cols * _BYTES_PER_CELL
        # With a limit of lines libghostty hands every old page back to the kernel instead of
        # writing over it: four times slower in a flood. So the bytes alone decide.
        return _NO_LIMIT if lines else 0, max(_MIN_HISTORY_BYTES, min(length, _MAX_HISTORY_BYTES))

    def _limit_history(self, limit: tuple[int, int]) -> None:
        self._limit("SCROLLBACK_MAX_LINES", "size_t*", limit[0])
        self._limit("SCROLLBACK_MAX_BYTES", "size_t*", limit[1])

    def _set(self, option: str, pointer: Any) -> None:
        native = self._native
        key = getattr(native.lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        native.check(native.lib.ghostty_terminal_set(self._handle, key, pointer), option)

    def _limit(self, option: str, ctype: str | None, value: int) -> None:
        ffi = self._native.ffi
        # A null pointer restores the option's default: off, for the one that is a path.
        self._set(option, ffi.NULL if ctype is None else ffi.new(ctype, value))

    # -- state ---------------------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def cursor(self) -> tuple[int, int]:
        x, y = self._terminal.cursor
        return int(x), int(y)

    @property
    def cursor_visible(self) -> bool:
        return bool(self._terminal.get("cursor_visible", "bool"))

    @property
    def viewport_cursor(self) -> tuple[int, int] | None:
        if not self.cursor_visible:
            return None
        x, y = self.cursor
        y += self.scroll_offset
        return (x, y) if y < self._size[1] else None

    @property
    def title(self) -> str:
        ffi = self._native.ffi
        raw = self._terminal.get("title", "GhosttyString")
        if not raw.len:
            return ""
        data = bytes(ffi.buffer(raw.ptr, min(raw.len, MAX_TITLE_CHARS * 16)))
        return safe_label(data.decode("utf-8", "replace"), MAX_TITLE_CHARS)

    @property
    def modes(self) -> Modes:
        mode = self._terminal.mode
        return Modes(
            application_cursor=mode(1),
            bracketed_paste=mode(2004),
            mouse=next((level for number, level in _MOUSE_MODES if mode(number)), Mouse.OFF),
            mouse_format=next(
                (form for number, form in _MOUSE_FORMATS if mode(number)), MouseFormat.X10
            ),
            application_keypad=mode(66),
            kitty_keyboard=self._terminal.get("kitty_keyboard_flags", "uint8_t")
            & KITTY_KEYBOARD_FLAGS,
            focus_events=mode(1004),
            alternate_screen=bool(self._terminal.get("active_screen", "GhosttyTerminalScreen")),
            alternate_scroll=mode(1007),
        )

    @property
    def bell(self) -> int:
        return self._bells[0]

    @property
    def held(self) -> bool:
        return bool(self._terminal.mode(2026))

    @property
    def scrollback(self) -> int:
        return int(self._terminal.get("scrollback_rows", "size_t"))

    @property
    def scroll_offset(self) -> int:
        if self._terminal.get("viewport_active", "bool"):
            return 0
        bar = self._terminal.get("scrollbar", "GhosttyTerminalScrollbar")
        return int(max(0, bar.total - bar.len - bar.offset))

    # -- input ---------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        self._marks = None
        self._terminal.feed(self._filter.feed(data))
        # Should a switch of columns get through all the same.
        if self._terminal.size != self._size:
            self._terminal.resize(*self._size, *CELL_PIXELS)

    def resize(self, cols: int, rows: int) -> None:
        self._marks = None
        before, self._size = self._size, clamp(cols, rows)
        old, new = self._history_limit(before), self._history_limit(self._size)
        # Room for both first, or rows are forgotten that fit before or after.
        self._limit_history((max(old[0], new[0]), max(old[1], new[1])))
        self._terminal.resize(*self._size, *CELL_PIXELS)
        self._limit_history(new)
        self._search.again()

    def take_replies(self) -> bytes:
        replies = bytes(self._replies)
        self._replies.clear()
        return replies

    def scroll(self, lines: int) -> None:
        self._scroll("DELTA", lines)

    def scroll_to_top(self) -> None:
        self._scroll("TOP", 0)

    def scroll_to_bottom(self) -> None:
        self._scroll("BOTTOM", 0)

    def _scroll(self, kind: str, delta: int) -> None:
        self._marks = None
        native = self._native
        wish = native.ffi.new("BangerScrollViewport*")
        wish.tag = getattr(native.lib, f"GHOSTTY_SCROLL_VIEWPORT_{kind}")
        wish.delta = delta
        native.scroll(self._handle, wish[0])

    def take_clipboard(self) -> list[str]:
        return self._clipboard.take()

    def close(self) -> None:
        self._search.close()
        self._selection.clear()
        self._rows.close()
        self._terminal.close()

    # -- output --------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        return text_of(self._rows.all())

    def take_dirty(self) -> list[tuple[int, Row]]:
        return self._rows.take_dirty()

    @property
    def cursor_shape(self) -> CursorShape:
        return self._rows.cursor_shape()

    def link_at(self, x: int, y: int) -> str:
        native = self._native
        ref = self._ref(x, y)
        if ref is None:
            return ""
        length = native.ffi.new("size_t*")
        buffer = native.ffi.new("uint8_t[]", MAX_LINK_CHARS)
        read = native.lib.ghostty_grid_ref_hyperlink_uri
        if read(ref, buffer, MAX_LINK_CHARS, length) or not length[0]:
            return ""
        return safe_link(bytes(native.ffi.buffer(buffer, length[0])).decode("latin-1"))

    # -- selection and search ------------------------------------------------------------------

    def begin_selection(self, x: int, y: int, unit: Unit = Unit.CELL) -> None:
        self._marks = None
        self._selection.begin(*self._inside(x, y), unit)

    def extend_selection(self, x: int, y: int) -> None:
        self._marks = None
        self._selection.extend(*self._inside(x, y))

    def clear_selection(self) -> None:
        self._marks = None
        self._selection.clear()

    def selection_text(self) -> str:
        return self._selection.text()

    def search(self, needle: str) -> None:
        self._marks = None
        self._search.start(needle)

    def search_work(self) -> bool:
        self._marks = None
        return self._search.work()

    def search_step(self, *, back: bool) -> None:
        self._marks = None
        self._search.step(back=back)

    @property
    def search_place(self) -> tuple[int, int]:
        return self._search.place

    def marks(self) -> dict[int, list[Mark]]:
        if self._marks is None:
            cols, rows = self._size
            bar = self._terminal.get("scrollbar", "GhosttyTerminalScrollbar")
            marks: dict[int, list[Mark]] = {}
            for y, mark in self._search.marks(cols, rows):
                marks.setdefault(y, []).append(mark)
            for y, mark in self._selection.marks(int(bar.offset), cols, rows):
                marks.setdefault(y, []).append(mark)
            self._marks = marks
        return self._marks

    def _inside(self, x: int, y: int) -> tuple[int, int]:
        return max(0, min(x, self._size[0] - 1)), max(0, min(y, self._size[1] - 1))

    def _ref(self, x: int, y: int) -> Any:
        return self._native.ref(self._handle, x, y) if (x, y) == self._inside(x, y) else None
