"""The mouse: selections by drag, words and lines, links, and the guest that wants it itself."""

from __future__ import annotations

from textual import events
from textual.pilot import Pilot

from banger_tui.widgets.terminal import TerminalView
from tests.ui.terminal_app import LEADER, TerminalApp, screen_text, until

TOP = 1
"""The terminal's first row on the screen of `TerminalApp`."""


def mouse(
    view: TerminalView,
    kind: type[events.MouseEvent],
    x: int,
    y: int,
    *,
    button: int = 1,
    shift: bool = False,
    ctrl: bool = False,
) -> None:
    """The mouse does something over the terminal's cell (x, y)."""
    view.post_message(
        kind(view, x, y, 0, 0, button, shift, False, ctrl, screen_x=x, screen_y=y + TOP)
    )


async def drag(
    pilot: Pilot[None], view: TerminalView, *cells: tuple[int, int], shift: bool = False
) -> None:
    """Press on the first cell, move over the others, release on the last."""
    mouse(view, events.MouseDown, *cells[0], shift=shift)
    for cell in cells[1:]:
        mouse(view, events.MouseMove, *cell, shift=shift)
    mouse(view, events.MouseUp, *cells[-1], shift=shift)
    await pilot.pause()


async def press(pilot: Pilot[None], view: TerminalView, x: int, y: int, times: int = 1) -> None:
    for _ in range(times):
        mouse(view, events.MouseDown, x, y)
        mouse(view, events.MouseUp, x, y)
    await pilot.pause()


TEXT = b"first line of text   \r\nsecond (line) here\r\nthird"


async def test_a_drag_selects_and_the_leader_copies() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(TEXT)
        await drag(pilot, view, (6, 0), (8, 1), (5, 1))
        assert app.copied == []
        await pilot.pause(0.1)
        reversed_ = [s.text for s in view.render_line(0) if s.style and s.style.reverse]
        assert "".join(reversed_).rstrip() == "line of text"
        await pilot.press(LEADER, "c")
        await pilot.press("ctrl+shift+c")
        await pilot.pause()
        assert app.copied == ["line of text\nsecond"] * 2
        await pilot.press("x")
        await pilot.press(LEADER, "c")
        assert view.status == "nothing is selected"
        assert app.inputs == b"x"


async def test_words_lines_and_a_click_that_selects_nothing() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        view.copy_on_select = True
        await view.write(TEXT)
        await press(pilot, view, 1, 1, times=2)
        assert app.copied == ["second"]
        await press(pilot, view, 1, 0, times=3)
        assert app.copied[-1] == "first line of text"
        count = len(app.copied)
        await press(pilot, view, 4, 2)
        assert view.terminal is not None
        assert view.terminal.marks() == {}
        assert len(app.copied) == count


async def test_dragging_after_a_double_click_selects_words() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(TEXT)
        await press(pilot, view, 7, 0)
        await drag(pilot, view, (7, 0), (14, 0))
        view.copy()
        await pilot.pause()
        assert app.copied == ["line of text"]


async def test_a_drag_beyond_the_edge_scrolls() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(b"\r\n".join(b"line %d" % n for n in range(100)))
        await until(pilot, lambda: "line 99" in screen_text(app))
        mouse(view, events.MouseDown, 6, 19)
        mouse(view, events.MouseMove, 0, -1)
        await until(pilot, lambda: "line 70" in screen_text(app))
        mouse(view, events.MouseMove, 0, 3)
        await pilot.pause()
        assert view.terminal is not None
        rest = view.terminal.scroll_offset
        await pilot.pause(0.2)
        assert view.terminal.scroll_offset == rest
        mouse(view, events.MouseUp, 0, 3)
        await pilot.pause()
        view.copy()
        await pilot.pause()
        lines = app.copied[0].split("\n")
        assert lines[-1] == "line 99"
        assert len(lines) == 17 + rest


async def test_the_guests_mouse_is_taken_back_with_shift() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(TEXT + b"\x1b[?1002h\x1b[?1006h")
        await drag(pilot, view, (0, 0), (4, 0))
        assert app.inputs == b"\x1b[<0;1;1M\x1b[<32;5;1M\x1b[<0;5;1m"
        app.inputs.clear()
        await drag(pilot, view, (0, 0), (4, 0), shift=True)
        view.copy()
        await pilot.pause()
        assert app.copied == ["first"]
        assert app.inputs == b""


async def test_motion_is_told_to_a_guest_that_asks_for_it() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(b"\x1b[?1003h\x1b[?1006h")
        for x in (3, 3, 4):
            mouse(view, events.MouseMove, x, 2, button=0)
        await pilot.pause()
        assert app.inputs == b"\x1b[<35;4;3M\x1b[<35;5;3M"


LINK = b"see \x1b]8;;https://example.org/a\x1b\\here\x1b]8;;\x1b\\ and \x1b]8;;file:///etc\x1b\\no\x1b]8;;\x1b\\"


async def test_links_are_told_on_hover_and_chosen_with_ctrl() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(LINK)
        await until(pilot, lambda: "here" in screen_text(app))
        mouse(view, events.MouseMove, 5, 0, button=0)
        await until(pilot, lambda: view.status == "https://example.org/a")
        mouse(view, events.MouseMove, 10, 0, button=0)
        await until(pilot, lambda: view.status == "")
        mouse(view, events.MouseMove, 14, 0, button=0)
        mouse(view, events.MouseDown, 14, 0, ctrl=True)
        mouse(view, events.MouseUp, 14, 0, ctrl=True)
        mouse(view, events.MouseDown, 5, 0)
        mouse(view, events.MouseUp, 5, 0)
        await pilot.pause()
        assert view.status == ""
        assert app.heard(TerminalView.LinkChosen) == []
        mouse(view, events.MouseDown, 5, 0, ctrl=True)
        mouse(view, events.MouseUp, 5, 0, ctrl=True)
        await pilot.pause()
        chosen = app.heard(TerminalView.LinkChosen)
        assert [message.address for message in chosen] == ["https://example.org/a"]
        parts = [s for s in view.render_line(0) if s.style and s.style.underline]
        assert parts[0].text == "here"


async def test_read_only_the_guest_hears_nothing_and_text_is_selected() -> None:
    app = TerminalApp(read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write(TEXT + b"\x1b[?1003h\x1b[?1006h")
        await drag(pilot, view, (0, 0), (4, 0))
        await pilot.press("ctrl+shift+c")
        await pilot.pause()
        assert app.copied == ["first"]
        assert app.inputs == b""
