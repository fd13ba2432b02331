"""The emulator behind the adapter: recordings, modes, scrollback, replies, hostile output."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.columns import without_column_modes
from banger_tui.widgets.terminal.core import (
    Attr,
    CellStyle,
    CursorShape,
    Mouse,
    MouseFormat,
    VtCore,
)


@pytest.fixture(params=["ghostty", "bittty"], autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    monkeypatch.setenv(core.ENGINE_VARIABLE, name)
    return name


@pytest.fixture
def vt() -> Iterator[VtCore]:
    terminal = core.create(80, 24)
    yield terminal
    terminal.close()


def test_the_core_needs_no_screen_library(engine: str) -> None:
    program = (
        "import sys; from banger_tui.widgets.terminal import core, keys, glyphs, pace\n"
        "from banger_tui.widgets.terminal import replies, guest_filter\n"
        "assert not {'textual', 'rich', 'pyghostty'} & set(sys.modules), sys.modules\n"
        "core.create(80, 24).feed(b'x')\n"
        "assert not {'textual', 'rich'} & set(sys.modules)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root)


def test_dirty_rows_only(vt: VtCore) -> None:
    assert len(vt.take_dirty()) == 24
    assert vt.take_dirty() == []
    vt.feed(b"\x1b[5;1Hfive\x1b[7;1Hseven")
    dirty = dict(vt.take_dirty())
    assert {4, 6} <= dirty.keys()
    assert len(dirty) < 24
    assert core.text_of([dirty[4], dirty[6]]) == ["five", "seven"]
    assert vt.take_dirty() == []


def test_styles(vt: VtCore) -> None:
    vt.feed(
        b"\x1b[1;31mred\x1b[0m \x1b[38;5;200;48;2;1;2;3mmix\x1b[0m \x1b[2;3;4;5;7;9mall\x1b[0m"
        b"\x1b[2;1H\x1b[44m\x1b[K\x1b[3;1H\x1b[48;2;9;8;7m\x1b[K"
    )
    rows = dict(vt.take_dirty())
    styles = {run.text: run.style for run in rows[0]}
    assert styles["red"] == CellStyle(fg=1, attrs=Attr.BOLD)
    assert styles["mix"] == CellStyle(fg=200, bg=(1, 2, 3))
    every = Attr.DIM | Attr.ITALIC | Attr.UNDERLINE | Attr.BLINK | Attr.REVERSE | Attr.STRIKE
    assert styles["all"].attrs == every
    assert [(run.style.bg, run.cells) for run in rows[1]] == [(4, 80)]
    assert [(run.style.bg, run.cells) for run in rows[2]] == [((9, 8, 7), 80)]


def test_wide_characters_and_clusters(vt: VtCore) -> None:
    vt.feed("漢字x\r\ne\u0301a\r\n한글".encode())
    assert vt.lines()[:3] == ["漢字x", "e\u0301a", "한글"]
    first = dict(vt.take_dirty())[0]
    wide = [run for run in first if "漢" in run.text or "字" in run.text]
    assert "".join(run.text for run in wide) == "漢字"
    assert sum(run.cells for run in wide) == 4


def test_replies(vt: VtCore) -> None:
    vt.feed(b"\x1b[c")
    assert vt.take_replies().startswith(b"\x1b[?")
    assert vt.take_replies() == b""
    vt.feed(b"\x1b[3;7H\x1b[6n\x1b[?2004$p")
    assert vt.take_replies() == b"\x1b[3;7R\x1b[?2004;2$y"


def test_questions_about_the_terminal(vt: VtCore) -> None:
    vt.feed(b"\x1b[>q")
    assert vt.take_replies() == b"\x1bP>|banger-tui\x1b\\"
    vt.feed(b"\x1b[>31u\x1b[?u")
    assert vt.take_replies() == b"\x1b[?1u", "only what the keys can do is said to be there"
    assert vt.modes.kitty_keyboard == 1
    vt.feed(b"\x1b[<u\x1b[?u")
    assert vt.take_replies() == b"\x1b[?0u"
    assert vt.modes.kitty_keyboard == 0
    vt.feed(b"\x1b[18t")
    assert vt.take_replies() == b"\x1b[8;24;80t"
    vt.feed(b"\x1b]10;?\x07\x1b]11;?\x07")
    light, dark = vt.take_replies().rstrip(b"\x07").split(b"\x07")
    assert light.startswith(b"\x1b]10;rgb:")
    assert dark.startswith(b"\x1b]11;rgb:")
    assert light[9:] > dark[9:], "light on dark"
    vt.feed(b"\x1b]52;c;?\x07\x1b[21t\x1b[20t\x05\x1bP+q544e\x1b\\")
    assert vt.take_replies() == b""


def test_keypad_and_mouse_formats(vt: VtCore) -> None:
    assert vt.modes.mouse_format is MouseFormat.X10
    vt.feed(b"\x1b=\x1b[?1000h\x1b[?1015h")
    assert vt.modes.application_keypad
    assert vt.modes.mouse is Mouse.BUTTONS
    assert vt.modes.mouse_format is MouseFormat.URXVT
    vt.feed(b"\x1b[?1015l\x1b[?1016h")
    assert vt.modes.mouse_format is MouseFormat.SGR_PIXELS
    vt.feed(b"\x1b[?1016l\x1b[?1015h")
    vt.feed(b"\x1b>\x1b[?1015l\x1b[?1005h\x1b[?9h\x1b[?1000l")
    assert not vt.modes.application_keypad
    assert vt.modes.mouse_format is MouseFormat.UTF8


def test_cursor_shapes(vt: VtCore) -> None:
    shapes = []
    for number in (0, 2, 4, 6, 1, 5, 3):
        vt.feed(b"\x1b[%d q" % number)
        shapes.append(vt.cursor_shape)
    block, line, bar = CursorShape.BLOCK, CursorShape.UNDERLINE, CursorShape.BAR
    assert shapes == [block, block, line, bar, block, bar, line]


def test_underlines(vt: VtCore) -> None:
    vt.feed(b"\x1b[4mone\x1b[21mtwo\x1b[4:3mcurly\x1b[24mno")
    styles = {run.text: run.style.attrs for run in dict(vt.take_dirty())[0]}
    assert styles["one"] == Attr.UNDERLINE
    assert styles["two"] == Attr.UNDERLINE | Attr.DOUBLE_UNDERLINE
    assert styles["curly"] == Attr.UNDERLINE
    assert not any(attrs for text, attrs in styles.items() if text.startswith("no"))


def test_reflow_keeps_the_scrollback() -> None:
    terminal = core.create(80, 24, scrollback_lines=3_000)
    terminal.feed(b"".join(b"line %d of some words\r\n" % n for n in range(2_900)))
    for cols in (20, 200, 33, 80):
        terminal.resize(cols, 30)
    terminal.scroll_to_top()
    assert terminal.lines()[:2] == ["line 0 of some words", "line 1 of some words"]
    terminal.close()


def test_a_flood_of_questions_is_bounded(vt: VtCore) -> None:
    vt.feed(b"\x1b[c" * 100_000)
    assert 0 < len(vt.take_replies()) <= core.MAX_PENDING_REPLY_BYTES


def test_modes(vt: VtCore) -> None:
    assert not vt.modes.application_cursor
    assert vt.modes.mouse == Mouse.OFF
    vt.feed(b"\x1b[?1h\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?1049h")
    modes = vt.modes
    assert modes.application_cursor
    assert modes.bracketed_paste
    assert modes.mouse == Mouse.DRAG
    assert modes.mouse_format is MouseFormat.SGR
    assert modes.focus_events
    assert modes.alternate_screen
    vt.feed(b"\x1b[?1049l\x1b[?1003h")
    assert not vt.modes.alternate_screen
    assert vt.modes.mouse == Mouse.MOTION


def test_cursor_title_bell_hold(vt: VtCore) -> None:
    vt.feed(b"\x1b[4;9H\x1b]0;hello\x07\x07\x07")
    assert vt.cursor == (8, 3)
    assert vt.viewport_cursor == (8, 3)
    assert vt.title == "hello"
    assert vt.bell == 2
    vt.feed(b"\x1b[?25l\x1b[?2026h")
    assert not vt.cursor_visible
    assert vt.viewport_cursor is None
    assert vt.held
    vt.feed(b"\x1b[?2026l")
    assert not vt.held


def test_scrollback(vt: VtCore) -> None:
    vt.feed(b"".join(b"line %d\r\n" % n for n in range(100)))
    assert vt.scrollback == 77
    assert vt.scroll_offset == 0
    vt.take_dirty()
    vt.scroll(-10)
    assert vt.scroll_offset == 10
    assert vt.lines()[0] == "line 67"
    assert len(vt.take_dirty()) == 24
    vt.feed(b"more\r\n")
    assert vt.lines()[0] == "line 67", "output must not move a scrolled view"
    vt.scroll_to_top()
    assert vt.lines()[0] == "line 0"
    assert vt.viewport_cursor is None
    vt.scroll_to_bottom()
    assert vt.scroll_offset == 0
    assert vt.viewport_cursor == (0, 23)


def test_scrollback_is_bounded() -> None:
    terminal = core.create(80, 24, scrollback_lines=1_000)
    for _ in range(24):
        terminal.feed(b"a line of text that will be kept for a while\r\n" * 1_000)
        # Bytes are what bounds it, enough for lines that are longer than these.
        assert terminal.scrollback <= 10_000
    assert terminal.scrollback >= 1_000
    terminal.close()


def test_resize_reflows_and_is_clamped(vt: VtCore) -> None:
    vt.feed(b"x" * 100)
    vt.resize(100, 24)
    assert vt.lines()[0] == "x" * 100
    for wish in [(1, 1), (0, 0), (-3, 2), (5, 100_000)]:
        vt.resize(*wish)
        assert vt.size[0] >= core.MIN_COLS
        assert vt.size[1] >= core.MIN_ROWS
        vt.feed(b"still alive\r\n" * 50)
        assert len(vt.lines()) == vt.size[1]


@pytest.mark.parametrize(
    "switch",
    [
        b"\x1b[?40h\x1b[?3h",
        b"\x1b[?40;3h",
        b"\x1b[?0040;003h",
        b"\x1b[?4\x000h\x1b\x00[\x00?\x003h",
        b"\x1b[?40h\x1b[?3s\x1b[?3r",
    ],
)
def test_columns_are_never_switched(vt: VtCore, switch: bytes) -> None:
    assert without_column_modes(b"a" + switch + b"b") == b"ab"
    vt.feed(b"kept" + switch + b"\x1b[?3l" + switch)
    assert vt.lines()[0] == "kept"
    vt.feed(b"\x1b[?3;1;40;2004h")
    assert vt.modes.application_cursor
    assert vt.modes.bracketed_paste


def test_a_split_switch_of_columns_is_undone(vt: VtCore) -> None:
    for byte in b"\x1b[?40h\x1b[?3h":
        vt.feed(bytes((byte,)))
    vt.feed(b"y" * 200)
    assert vt.lines()[:3] == ["y" * 80, "y" * 80, "y" * 40]


def test_the_guest_cannot_change_the_grid(vt: VtCore) -> None:
    vt.feed(b"\x1b[?40h\x1b[?3h" + b"y" * 200 + b"\x1b[8;50;200t")
    assert vt.size == (80, 24)
    assert {run.cells for _, row in vt.take_dirty() for run in row} <= set(range(81))
    assert vt.lines()[:3] == ["y" * 80, "y" * 80, "y" * 40]


HOSTILE = [
    b"\x1b]52;c;ZXZpbA==\x07",
    b"\x1b]52;c;?\x07",
    b"\x1b]0;evil\x1b]52;c;ZXZpbA==\x07\x07",
    b"\x1b[21t",
    b"\x1bP$qm\x1b\\",
    b"\x1b_Ga=T,f=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\",
    b"\x9b31m\x85\x9d0;x\x9c",
    b"\x00\x01\x02\x0e\x0f\x7f\xff\xfe\xc0\x80\xed\xa0\x80",
    "\u202eabc\u2066def\u2069\u200f\u061c\u2028\u2029\ufeff\u00ad\U000e0041".encode(),
    "a\u202e\u0301b\u200d\u200dc".encode(),
    b"\x1b[?1049h\x1b[999999999;999999999H\x1b[999999999Sx",
    b"\x1b[38;2;999;999;999mx\x1b[48;5;999my",
    b"\x1b[" + b"9;" * 5000 + b"m",
    b"\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07",
    b"e" + "\u0301".encode() * 5000,
]


@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_output_leaves_only_printable_text(vt: VtCore, data: bytes) -> None:
    vt.feed(data)
    vt.feed(b"\x1b\\\x18")
    text = "".join(run.text for _, row in vt.take_dirty() for run in row) + vt.title
    forbidden = {c for c in text if ord(c) < 32 or 127 <= ord(c) < 160}
    forbidden |= set(text) & set("\u202a\u202e\u2066\u2069\u200e\u200f\u061c\u2028\u2029\ufeff")
    assert not forbidden
    assert b"evil" not in vt.take_replies()
    assert b"]" not in vt.take_replies()


def test_a_title_is_short_and_clean(vt: VtCore) -> None:
    vt.feed("\x1b]2;a\u202eb\x7f\u200bc\x07".encode())
    assert vt.title == "abc"
    vt.feed(b"\x1b]2;" + b"t" * 100_000 + b"\x07")
    assert len(vt.title) <= core.MAX_TITLE_CHARS


def test_the_slow_emulator_stands_in_for_the_native_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from banger_tui.widgets.terminal import ghostty
    from banger_tui.widgets.terminal.bittty import BitttyCore

    def missing() -> None:
        raise OSError("no library for this machine")

    monkeypatch.setattr(ghostty, "load", missing)
    monkeypatch.delenv(core.ENGINE_VARIABLE)
    core.preload()
    assert isinstance(core.create(), BitttyCore)
    monkeypatch.setenv(core.ENGINE_VARIABLE, "ghostty")
    with pytest.raises(OSError, match="no library"):
        core.preload()


def test_random_bytes_do_no_harm() -> None:
    noise = random.Random(11)
    pieces = [b"\x1b[", b"\x1b]", b"\x1bP", b"\x07", b";", b"h", b"H", "漢".encode(), b"\r\n"]
    terminal = core.create(20, 5)
    for _ in range(300):
        chunk = b"".join(
            noise.choice(pieces) if noise.random() < 0.4 else noise.randbytes(noise.randint(1, 9))
            for _ in range(60)
        )
        terminal.feed(chunk)
        if noise.random() < 0.2:
            terminal.resize(noise.randint(0, 140), noise.randint(0, 50))
        for _, row in terminal.take_dirty():
            assert sum(run.cells for run in row) == terminal.size[0]
            assert all(run.text.isprintable() or min(run.text) >= " " for run in row)
        terminal.take_replies()
    terminal.close()
