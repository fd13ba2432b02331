"""The terminal emulator as the widget sees it: bytes in, rows of styled text out.

Nothing here knows which emulator does the work, and nothing here imports Textual or rich, so an
emulator can be driven from a test or a script. The engine itself is imported by `create` only,
since loading its native library costs about 150 ms: call `preload` from a thread beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Protocol

MIN_COLS = 20
MIN_ROWS = 5
"""Smallest grid that is ever given to the emulator: tiny grids have crashed it."""

CELL_PIXELS = (8, 16)
"""Width and height of a cell, for guests that ask; made up, as the host's is not known."""

DEFAULT_COLS = 80
DEFAULT_ROWS = 24
DEFAULT_SCROLLBACK_LINES = 10_000
MAX_SCROLLBACK_LINES = 1_000_000

MAX_PENDING_REPLY_BYTES = 16 * 1024
"""Replies beyond this many bytes a read are dropped, so that a guest asking in a loop is cheap."""

MAX_TITLE_CHARS = 200
MAX_CLIPBOARD_BYTES = 1024 * 1024
"""Longest text of a guest for the clipboard; longer ones are dropped whole."""

MAX_CLIPBOARDS = 4
MAX_LINK_CHARS = 2048
MAX_NEEDLE_CHARS = 200

ENGINE_VARIABLE = "BANGER_TERMINAL"
"""Environment variable that fixes the emulator: "ghostty" or "bittty" (the slow one)."""

_preferred = "auto"

Color = int | tuple[int, int, int]
"""A palette index 0..255, or red, green and blue 0..255 each."""


class Attr(IntFlag):
    """Text attributes of a run, combined in `CellStyle.attrs`."""

    BOLD = 1
    DIM = 2
    ITALIC = 4
    UNDERLINE = 8
    BLINK = 16
    REVERSE = 32
    CONCEAL = 64
    STRIKE = 128
    OVERLINE = 256
    DOUBLE_UNDERLINE = 512
    """Always together with `UNDERLINE`; curly, dotted and dashed lines are `UNDERLINE` alone."""

    LINK = 1024
    """There is an address behind it (see `VtCore.link_at`), safe to open or not."""


class CellStyle(NamedTuple):
    """How cells look; `None` is the terminal's own default colour, left to the theme."""

    fg: Color | None = None
    bg: Color | None = None
    attrs: int = 0


PLAIN = CellStyle()


class Run(NamedTuple):
    """Neighbouring cells of one style.

    `cells` is the columns they take in the grid: `len(text)` for narrow characters,
    `2 * len(text)` for wide ones; a cluster of several code points is a run of its own.
    The text holds no control, format or bidirectional override characters.
    """

    text: str
    style: CellStyle
    cells: int


Row = tuple[Run, ...]


class Mouse(IntEnum):
    """Which mouse events the guest asked for, each level including the ones below."""

    OFF = 0
    PRESS = 1
    BUTTONS = 2
    DRAG = 3
    MOTION = 4


class MouseFormat(IntEnum):
    """How mouse events are written (modes 1005, 1006, 1015 and 1016)."""

    X10 = 0
    UTF8 = 1
    SGR = 2
    URXVT = 3
    SGR_PIXELS = 4


@dataclass(frozen=True, slots=True)
class Modes:
    """What the guest asked of the keyboard, the mouse and the screen."""

    application_cursor: bool = False
    bracketed_paste: bool = False
    mouse: Mouse = Mouse.OFF
    mouse_format: MouseFormat = MouseFormat.X10
    focus_events: bool = False
    alternate_screen: bool = False
    alternate_scroll: bool = False
    application_keypad: bool = False
    kitty_keyboard: int = 0
    """Flags of the kitty keyboard protocol in force, of those `keys.encode_key` knows."""


class CursorShape(IntEnum):
    """What the guest wants its cursor to look like (DECSCUSR)."""

    BLOCK = 0
    UNDERLINE = 1
    BAR = 2


class Unit(IntEnum):
    """What a selection grows by."""

    CELL = 0
    WORD = 1
    LINE = 2


class MarkKind(IntEnum):
    """Why cells are highlighted; where two meet the higher wins."""

    MATCH = 0
    CURRENT_MATCH = 1
    SELECTED = 2


class Mark(NamedTuple):
    """Highlighted cells of one viewport row: columns `start` to before `end`."""

    start: int
    end: int
    kind: MarkKind


class VtCore(Protocol):
    """A virtual terminal of `cols` by `rows` cells."""

    slice_bytes: int
    """How much may be fed without looking at the clock: few bytes can ask for a lot of work."""

    @property
    def size(self) -> tuple[int, int]:
        """(cols, rows), at least (`MIN_COLS`, `MIN_ROWS`)."""

    @property
    def cursor(self) -> tuple[int, int]:
        """(x, y) in the active screen, from 0."""

    @property
    def viewport_cursor(self) -> tuple[int, int] | None:
        """(x, y) in the rows shown now, or None when hidden or scrolled out of view."""

    @property
    def cursor_visible(self) -> bool:
        """Whether the guest shows the cursor."""

    @property
    def title(self) -> str:
        """The title the guest set: printable characters only, at most `MAX_TITLE_CHARS`."""

    @property
    def modes(self) -> Modes:
        """The modes in force now."""

    @property
    def bell(self) -> int:
        """Bells rung since creation."""

    @property
    def held(self) -> bool:
        """Whether the guest is in the middle of a synchronised update (mode 2026)."""

    @property
    def scrollback(self) -> int:
        """Rows above the active screen."""

    @property
    def scroll_offset(self) -> int:
        """Rows between the viewport and the bottom; 0 follows the output."""

    def feed(self, data: bytes) -> None:
        """Take guest output; any bytes, cut anywhere."""

    def resize(self, cols: int, rows: int) -> None:
        """Change the grid (clamped), reflowing the primary screen."""

    def take_replies(self) -> bytes:
        """Answers the emulator owes the guest (DA, DSR, DECRQM...), and forget them."""

    def take_dirty(self) -> list[tuple[int, Row]]:
        """(y, row) of each viewport row changed since the last call, and forget them."""

    def lines(self) -> list[str]:
        """Viewport rows as text, trailing blanks removed, a wide character once."""

    def scroll(self, lines: int) -> None:
        """Move the viewport; negative is up into the scrollback."""

    def scroll_to_top(self) -> None:
        """Show the oldest rows kept."""

    def scroll_to_bottom(self) -> None:
        """Show the active screen and follow the output again."""

    @property
    def cursor_shape(self) -> CursorShape:
        """The cursor's shape now."""

    def take_clipboard(self) -> list[str]:
        """Texts the guest wanted copied (OSC 52) since the last call, and forget them.

        Only the newest few are kept, each at most `MAX_CLIPBOARD_BYTES`; what a guest asks to
        read is never answered.
        """

    def link_at(self, x: int, y: int) -> str:
        """The address (OSC 8) behind a viewport cell, or the empty string."""

    # Selection: viewport cells in. It belongs to the text, and stays on it when output scrolls by.

    def begin_selection(self, x: int, y: int, unit: Unit = Unit.CELL) -> None:
        """Select from this cell on, in place of any earlier selection."""

    def extend_selection(self, x: int, y: int) -> None:
        """Move the selection's other end to this cell; nothing without a beginning."""

    def clear_selection(self) -> None:
        """Select nothing."""

    def selection_text(self) -> str:
        """What is selected: lines joined where the terminal wrapped them, no trailing blanks."""

    # Search: through scrollback and screen, without regard to case.

    def search(self, needle: str) -> None:
        """Look for a text, the newest match first; the empty string ends the search.

        The first match found is the current one and is scrolled into view (maybe only by
        `search_work`). At most `MAX_NEEDLE_CHARS` are looked for.
        """

    def search_work(self) -> bool:
        """Look on for a few milliseconds; whether there is more to do.

        `search` looks only as long itself: call this from the event loop until it says False, and
        again after output that was fed while a search is on. Marks and place change meanwhile.
        """

    def search_step(self, *, back: bool) -> None:
        """Go to the next older (`back`) or newer match, round the end, and scroll it into view."""

    @property
    def search_place(self) -> tuple[int, int]:
        """(number of the current match from 1 at the oldest, how many there are); (0, 0): none."""

    def marks(self) -> dict[int, list[Mark]]:
        """The highlighted cells of each viewport row that has some."""

    def close(self) -> None:
        """Free native memory; the object must not be used afterwards."""


def clamp(cols: int, rows: int) -> tuple[int, int]:
    """The grid the emulator is given for a wish of `cols` by `rows`."""
    return max(MIN_COLS, min(cols, 1000)), max(MIN_ROWS, min(rows, 1000))


def preload() -> None:
    """Load the emulator's library (blocking, ~300 ms once; call it in a thread).

    Raises ImportError or OSError when none can be loaded.
    """
    _engine()


def prefer(engine: str) -> None:
    """Which emulator `create` takes where the environment does not say: "ghostty", "bittty", or
    "auto"."""
    global _preferred  # noqa: PLW0603  # one emulator for all terminals of the process
    _preferred = engine


def create(
    cols: int = DEFAULT_COLS,
    rows: int = DEFAULT_ROWS,
    *,
    scrollback_lines: int = DEFAULT_SCROLLBACK_LINES,
) -> VtCore:
    """A new blank terminal. Raises ImportError or OSError when no emulator can be loaded.

    At least `scrollback_lines` rows above the screen are kept, and at most some hundreds more, as
    long as they are text of the usual kind: memory is bounded whatever the guest writes.
    """
    cols, rows = clamp(cols, rows)
    scrollback_lines = max(0, min(scrollback_lines, MAX_SCROLLBACK_LINES))
    if _engine() == "ghostty":
        from .ghostty import GhosttyCore

        return GhosttyCore(cols, rows, scrollback_lines=scrollback_lines)
    from .bittty import BitttyCore

    return BitttyCore(cols, rows, scrollback_lines=scrollback_lines)


def _engine() -> str:
    """The emulator in use, loaded: the native one unless it cannot be or is not wanted."""
    from . import bittty, ghostty

    wanted = os.environ.get(ENGINE_VARIABLE) or _preferred
    if wanted != "bittty":
        try:
            ghostty.load()
        except (ImportError, OSError):
            if wanted == "ghostty":
                raise
        else:
            return "ghostty"
    bittty.load()
    return "bittty"


def text_of(rows: Sequence[Row]) -> list[str]:
    """Rows as plain text, right-trimmed."""
    return ["".join(run.text for run in row).rstrip(" ") for row in rows]
