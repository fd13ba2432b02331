"""`VtCore` over libghostty-vt, by way of pyghostty's cffi layer."""

from __future__ import annotations

import re
from functools import lru_cache

from .columns import without_column_modes
from .core import MAX_PENDING_REPLY_BYTES, MAX_TITLE_CHARS, Modes, Mouse, Row, clamp, text_of
from .ghostty_native import native as load_native
from .ghostty_rows import RowReader
from .glyphs import safe_label

_CELL_PX = (8, 16)
# The guest's keys are sent in the legacy encoding, so it must not learn that the emulator
# would understand the kitty keyboard protocol.
_KITTY_KEYBOARD_REPLY = re.compile(rb"\x1b\[\?\d*u")
_MOUSE_MODES = ((1003, Mouse.MOTION), (1002, Mouse.DRAG), (1000, Mouse.BUTTONS), (9, Mouse.PRESS))


def load() -> None:
    """Load the native library, once for all threads. Raises ImportError or OSError without it."""
    _warm_up()


@lru_cache(maxsize=1)
def _warm_up() -> None:
    # cffi parses every C type at its first use, which takes as long again as loading and would
    # otherwise happen on the event loop: a throw-away terminal goes through the usual calls.
    terminal = GhosttyCore(20, 5, scrollback_bytes=1024)
    terminal.feed("\x1b[1;38;2;1;2;3;44mx\x1b]0;t\x07\x07e\u0301\x1b[c".encode())
    terminal.take_dirty()
    terminal.take_replies()
    terminal.resize(30, 6)
    terminal.scroll(-1)
    _ = terminal.modes, terminal.title, terminal.viewport_cursor, terminal.held
    terminal.close()


class GhosttyCore:
    """A `VtCore`; the size is clamped by the caller."""

    slice_bytes = 4096

    def __init__(self, cols: int, rows: int, *, scrollback_bytes: int) -> None:
        native = self._native = load_native()
        ffi, lib, check = native.ffi, native.lib, native.check
        self._size = (cols, rows)
        self._terminal = native.terminal(cols, rows, scrollback=1_000_000)
        self._handle = self._terminal._t[0]
        self._replies = replies = bytearray()
        self._bells = bells = [0]

        def on_reply(data: bytes) -> None:
            if len(replies) + len(data) <= MAX_PENDING_REPLY_BYTES:
                replies.extend(_KITTY_KEYBOARD_REPLY.sub(b"", data))

        def on_bell(_terminal: object, _userdata: object) -> None:
            bells[0] += 1

        self._terminal.on_reply(on_reply)
        self._on_bell = ffi.callback("GhosttyTerminalBellFn", on_bell)
        check(
            lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_BELL, self._on_bell),
            "bell",
        )
        self._limit("SCROLLBACK_MAX_BYTES", "size_t*", scrollback_bytes)
        # Images are not drawn; without these a guest could fill memory or name files of the host.
        self._limit("KITTY_IMAGE_STORAGE_LIMIT", "uint64_t*", 0)
        self._limit("KITTY_IMAGE_MEDIUM_FILE", "bool*", False)
        self._limit("KITTY_IMAGE_MEDIUM_TEMP_FILE", None, 0)
        self._limit("KITTY_IMAGE_MEDIUM_SHARED_MEM", "bool*", False)
        self._limit("APC_MAX_BYTES", "size_t*", 64 * 1024)
        # A title echoed back by the emulator would be keys typed by the guest to itself.
        self._limit("TITLE_REPORT", "bool*", False)

        self._rows = RowReader(native, self._handle)

    def _limit(self, option: str, ctype: str | None, value: int) -> None:
        native = self._native
        key = getattr(native.lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        # A null pointer restores the option's default: off, for the one that is a path.
        pointer = native.ffi.NULL if ctype is None else native.ffi.new(ctype, value)
        native.check(native.lib.ghostty_terminal_set(self._handle, key, pointer), option)

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
            mouse_sgr=mode(1006),
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
        self._terminal.feed(without_column_modes(data))
        # A switch of columns that came in two reads has slipped through.
        if self._terminal.size != self._size:
            self._terminal.resize(*self._size, *_CELL_PX)

    def resize(self, cols: int, rows: int) -> None:
        self._size = clamp(cols, rows)
        self._terminal.resize(*self._size, *_CELL_PX)

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
        native = self._native
        wish = native.ffi.new("BangerScrollViewport*")
        wish.tag = getattr(native.lib, f"GHOSTTY_SCROLL_VIEWPORT_{kind}")
        wish.delta = delta
        native.scroll(self._handle, wish[0])

    def close(self) -> None:
        self._rows.close()
        self._terminal.close()

    # -- output --------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        return text_of(self._rows.all())

    def take_dirty(self) -> list[tuple[int, Row]]:
        return self._rows.take_dirty()
