"""`VtCore` over bittty, a pure-Python emulator: for hosts the native library does not run on.

Slower by an order of magnitude (costly sequences can hold the loop for a tenth of a second), and
its scrollback does not reflow. The package is untyped: it is reached through `importlib`, and
everything leaving this file is typed again.
"""

from __future__ import annotations

import importlib
import re
from collections import deque
from typing import Any

from .columns import without_column_modes
from .core import (
    MAX_PENDING_REPLY_BYTES,
    MAX_TITLE_CHARS,
    PLAIN,
    Attr,
    CellStyle,
    Color,
    Modes,
    Mouse,
    Row,
    Run,
    clamp,
    text_of,
)
from .glyphs import safe_cells, safe_cluster, safe_label

_BYTES_PER_LINE = 8 * 1024
"""What a line kept in the scrollback costs, roughly: bittty keeps cells as Python objects."""

_MAX_STYLES = 4096
_MAX_SEQUENCE = 1 << 20
# Titles reported back would be keys typed by the guest to itself; the kitty keyboard protocol
# must look unknown, since keys are sent in the legacy encoding.
_UNWANTED_REPLIES = re.compile(rb"\x1b\][lL].*?\x1b\\|\x1b\[\?\d*u", re.DOTALL)
_MOUSE = {"x10": Mouse.PRESS, "normal": Mouse.BUTTONS, "button": Mouse.DRAG, "any": Mouse.MOTION}
_ATTRIBUTES = {
    "bold": Attr.BOLD, "dim": Attr.DIM, "italic": Attr.ITALIC, "underline": Attr.UNDERLINE,
    "blink": Attr.BLINK, "reverse": Attr.REVERSE, "conceal": Attr.CONCEAL,
    "strike": Attr.STRIKE, "overline": Attr.OVERLINE,
}  # fmt: skip


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
            self.pending += data
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

    def __init__(self, cols: int, rows: int, *, scrollback_bytes: int) -> None:
        self._size = (cols, rows)
        self._history: deque[tuple[tuple[Any, str], ...]] = deque(
            maxlen=max(0, scrollback_bytes // _BYTES_PER_LINE)
        )
        self._replies = _Replies()
        self._styles: dict[Any, CellStyle] = {}
        self._offset = 0
        self._bells = 0
        self._title = ""
        self._page: Any = None
        self._seen = 0
        self._all_dirty = True
        self._events: Any = importlib.import_module("bittty.present")
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
            self._history.extend(line.cells for line in lines)
            if self._offset:  # a scrolled view stays on what it shows
                self._offset = min(self._offset + len(lines), len(self._history))
        elif isinstance(event, events.ScrollbackCleared):
            self._history.clear()
            self._offset = 0
            self._all_dirty = True
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
            mouse_sgr=mouse.encoding.value == "sgr",
            focus_events=bool(modes.focus_reporting),
            alternate_screen=self._alternate,
            alternate_scroll=bool(modes.alternate_scroll_mode),
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
        try:
            self._board.feed_host_data(without_column_modes(data))
        except Exception:  # noqa: BLE001 - whatever a guest's bytes break, the app must go on
            self._start()
        if len(self._board.parser.buffer) > _MAX_SEQUENCE:
            self._start()
        if (self._board.width, self._board.height) != self._size:
            self._board.resize(*self._size)
        if self._alternate:
            self._offset = 0

    def resize(self, cols: int, rows: int) -> None:
        self._size = clamp(cols, rows)
        self._board.resize(*self._size)
        self._all_dirty = True

    def take_replies(self) -> bytes:
        replies = _UNWANTED_REPLIES.sub(b"", bytes(self._replies.pending))
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
        cols = self._size[0]
        if y < self._offset:
            cells = self._history[len(self._history) - self._offset + y]
        else:
            grid = self._board.display.page.grid
            cells = grid[y - self._offset] if y - self._offset < len(grid) else ()
        runs: list[Run] = []
        text, current, x = "", None, 0
        while x < min(cols, len(cells)):
            style, character = cells[x]
            wide = x + 1 < len(cells) and cells[x + 1][1] == ""
            if style is not current or wide or len(character) != 1:
                if text:
                    runs.append(Run(safe_cells(text), self._style(current), len(text)))
                    text = ""
                current = style
            if wide and x + 1 < cols:
                runs.append(Run(safe_cluster(str(character)), self._style(style), 2))
                x += 1
            elif len(character) > 1 and not wide:
                runs.append(Run(safe_cluster(str(character)), self._style(style), 1))
            else:
                text += character if len(character) == 1 and not wide else " "
            x += 1
        if text:
            runs.append(Run(safe_cells(text), self._style(current), len(text)))
        if x < cols:
            runs.append(Run(" " * (cols - x), PLAIN, cols - x))
        return tuple(runs)

    def _style(self, style: Any) -> CellStyle:
        found = self._styles.get(style)
        if found is None:
            if len(self._styles) >= _MAX_STYLES:
                self._styles.clear()
            attrs = 0
            for name, attr in _ATTRIBUTES.items():
                attrs |= int(attr) if getattr(style, name) else 0
            found = CellStyle(_color(style.fg), _color(style.bg), attrs)
            self._styles[style] = found
        return found


def _color(color: Any) -> Color | None:
    if color is None or color.mode == "default":
        return None
    if color.mode == "indexed":
        return int(color.value) & 255
    red, green, blue = (int(part) & 255 for part in color.value)
    return red, green, blue
