"""A terminal's account makes another terminal like it. The emulator is the one of the panel."""

from __future__ import annotations

import pytest

from banger_tui.engine.sessions.snapshot import FORMAT, Snapshot, untold
from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import Mouse

COLS, ROWS = 30, 6
NAMES = [word.strip("#{}") for word in FORMAT.split(",")]


def state(**flags: int | str) -> bytes:
    plain = {"cursor_flag": 1, "wrap_flag": 1, "scroll_region_lower": ROWS - 1,
             "pane_width": COLS, "pane_height": ROWS}  # fmt: skip
    return ",".join(str({**plain, **flags}.get(name, 0 if name != "pane_title" else ""))
                    for name in NAMES).encode()  # fmt: skip


def shown(snapshot: Snapshot) -> core.VtCore:
    terminal = core.create(COLS, ROWS)
    terminal.feed(snapshot.bytes())
    return terminal


def test_the_screen_and_the_cursor() -> None:
    screen = (b"one", b"  \x1b[31mtwo\x1b[m", b"", b"four", b"", b"$ ")
    terminal = shown(Snapshot(state(cursor_x=2, cursor_y=5), screen=screen))
    assert terminal.lines() == ["one", "  two", "", "four", "", "$"]
    assert terminal.cursor == (2, 5)
    assert terminal.scrollback == 0


def test_history_lies_above_the_screen() -> None:
    history = tuple(b"old %d" % n for n in range(20))
    screen = (b"a", b"b", b"c", b"d", b"e", b"f")
    terminal = shown(Snapshot(state(cursor_y=5, history_size=20), history, screen))
    assert terminal.lines() == ["a", "b", "c", "d", "e", "f"]
    assert terminal.scrollback == 20
    terminal.scroll_to_top()
    assert terminal.lines()[0] == "old 0"


def test_without_history_the_first_line_is_not_there_twice() -> None:
    # tmux answers with the first line of the screen where there is no history
    terminal = shown(Snapshot(state(history_size=0), (b"a",), (b"a", b"b")))
    assert terminal.lines()[:3] == ["a", "b", ""]
    assert terminal.scrollback == 0


def test_a_full_screen_program_has_the_main_screen_behind_it() -> None:
    account = Snapshot(
        state(alternate_on=1, cursor_x=4, cursor_y=2, alternate_saved_x=2, alternate_saved_y=1),
        screen=(b"vim", b"~", b"text", b"~", b"~", b"-- INSERT --"),
        behind=(b"$ vim", b"$ ", b"", b"", b"", b""),
    )
    terminal = shown(account)
    assert terminal.modes.alternate_screen
    assert terminal.lines()[0] == "vim"
    assert terminal.cursor == (4, 2)
    terminal.feed(b"\x1b[?1049l")
    assert terminal.lines() == ["$ vim", "$", "", "", "", ""]
    assert terminal.cursor == (2, 1)


def test_modes_are_told() -> None:
    flags = {"keypad_cursor_flag": 1, "mouse_button_flag": 1, "mouse_sgr_flag": 1, "cursor_flag": 0}
    terminal = shown(Snapshot(state(**flags, pane_title="a, b"), written=b"\x1b[?2004h\x1b[?1004h"))
    modes = terminal.modes
    assert (modes.application_cursor, modes.bracketed_paste, modes.focus_events) == (True,) * 3
    assert modes.mouse is Mouse.DRAG
    assert not terminal.cursor_visible
    assert terminal.title == "a, b"


def test_a_scroll_region_scrolls_alone() -> None:
    screen = (b"head", b"1", b"2", b"3", b"4", b"foot")
    region = {"scroll_region_upper": 1, "scroll_region_lower": 4, "cursor_y": 4}
    terminal = shown(Snapshot(state(**region), screen=screen))
    terminal.feed(b"\r\nnew")
    assert terminal.lines() == ["head", "2", "3", "4", "new", "foot"]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"", b""),
        (b"\x1b[?2004h text \x1b[?2004l", b"\x1b[?2004l"),
        (b"\x1b[?1049;2004h", b"\x1b[?2004h"),
        (b"\x1b[?2004h\x1bc", b""),
        (b"\x1b[4 q\x1b[6 q", b"\x1b[6 q"),
        (b"\x1b[ q", b"\x1b[0 q"),
        (b"\x1b[?1h\x1b[?25l", b""),
    ],
)
def test_what_tmux_does_not_tell_is_found_in_the_output(written: bytes, told: bytes) -> None:
    assert untold(written) == told


@pytest.mark.parametrize(
    "account", [b"", b",,,", b"x,y", b"9" * 500, b"1," * 40, b"\xff" * 30, state(pane_height=99999)]
)
def test_a_guest_that_tells_nonsense_harms_nobody(account: bytes) -> None:
    terminal = shown(Snapshot(account, (b"a",), (b"b",), (b"c",)))
    assert len(terminal.lines()) == ROWS


def test_a_title_can_not_leave_its_sequence() -> None:
    data = Snapshot(state(pane_title="a\x1b\\\x1b]52;c;aGk=\x07b")).bytes()
    assert data.count(b"\x1b]") == 1
    assert b"\x07" not in data
