"""Scroll mode: scrollback by keys, a cursor, a selection that is copied; the position told."""

from __future__ import annotations

from textual.pilot import Pilot

from banger_tui.widgets.terminal import TerminalView
from banger_tui.widgets.terminal.core import MarkKind
from tests.ui.terminal_app import LEADER, TerminalApp, screen_text, until

ROWS = 20


async def with_lines(app: TerminalApp, pilot: Pilot[None], count: int = 300) -> TerminalView:
    """The terminal of a started app with that many numbered lines, the last one live."""
    view = app.terminal
    await view.write(b"\r\n".join(b"line %d of some words" % n for n in range(count)))
    await until(pilot, lambda: f"line {count - 1} " in screen_text(app))
    return view


def offset(view: TerminalView) -> int:
    assert view.terminal is not None
    return view.terminal.scroll_offset


async def test_keys_scroll() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        top = 300 - ROWS
        await pilot.press(LEADER, "[")
        assert view.status.startswith("scroll mode")
        for keys, expected in [
            ("k", 1),
            ("up", 2),
            ("j", 1),
            ("down", 0),
            ("ctrl+u", ROWS // 2),
            ("ctrl+d", 0),
            ("pageup", ROWS - 1),
            ("ctrl+b", 2 * (ROWS - 1)),
            ("pagedown", ROWS - 1),
            ("g", top),
            ("G", 0),
        ]:
            await pilot.press(keys)
            assert offset(view) == expected, keys
        await pilot.press("g")
        await until(pilot, lambda: "line 0 " in screen_text(app))
        assert view.status.startswith(f"scrolled {top} of {top}")
        await pilot.press("q")
        assert view.at_bottom
        await until(pilot, lambda: view.status == "")
        assert app.inputs == b""
        assert app.stolen == []
        await pilot.press("q")
        assert app.inputs == b"q"


async def test_the_position_is_told_outside_scroll_mode_too() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot, 4330)
        await pilot.press("shift+pageup")
        await until(pilot, lambda: view.status == "scrolled 19 of 4,310")
        await pilot.press("x")
        assert app.inputs == b"x"
        await until(pilot, lambda: view.status == "")


async def test_output_does_not_move_what_is_looked_at() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "pageup", "pageup")
        before = view.text()
        await view.write(b"\r\nmore" * 50)
        await pilot.pause(0.1)
        assert view.text() == before
        assert offset(view) == 2 * (ROWS - 1) + 50


async def test_selecting_characters() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "h", "0", "w", "w")
        await pilot.press("v", "w", "$", "y")
        await pilot.pause()
        assert app.copied == ["of some words"]
        assert not view.status.startswith("scroll mode")
        assert "copied 13 characters" in view.status
        assert app.inputs == b""


async def test_selecting_lines_upwards() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "V", "k", "k", "enter")
        await pilot.pause()
        assert app.copied == [
            "\n".join(f"line {n} of some words" for n in (297, 298, 299)),
        ]


async def test_a_selection_longer_than_the_screen() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "V", *["k"] * 40, "c")
        await pilot.pause()
        lines = app.copied[0].split("\n")
        assert lines[0].startswith("line 259 ")
        assert lines[-1].startswith("line 299 ")
        assert len(lines) == 41


async def test_escape_lets_go_of_the_selection_then_of_the_mode() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        assert view.terminal is not None
        await pilot.press(LEADER, "[", "space", "b")
        assert any(m.kind is MarkKind.SELECTED for m in view.terminal.marks()[ROWS - 1])
        await pilot.press("escape")
        assert view.terminal.marks() == {}
        await pilot.press("y")
        assert app.copied == []
        assert view.status == "nothing is selected"
        await pilot.press("escape", "e")
        assert app.inputs == b"e"


async def test_the_cursor_is_seen_and_moves_by_words_and_wide_characters() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.terminal
        await view.write("one 漢字 two.three\x1b[1;1H".encode())
        await pilot.press(LEADER, "[", "0")
        seen = []
        for key in ("w", "l", "l", "w", "w", "w", "w", "b", "h"):
            await pilot.press(key)
            seen.append(view._keyboard.cursor)
        assert seen == [
            (4, 0), (6, 0), (8, 0), (9, 0), (12, 0), (13, 0), (0, 1), (13, 0), (12, 0)
        ]  # fmt: skip
        await pilot.pause(0.1)
        reversed_ = [s.text for s in view.render_line(0) if s.style and s.style.reverse]
        assert reversed_ == ["."]


async def test_unknown_keys_are_the_guests_nowhere() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "z")
        assert "z does nothing here" in view.status
        await pilot.press("ctrl+c", "f1", "tab")
        assert app.inputs == b""
        assert app.stolen == []


async def test_a_new_emulator_ends_the_mode() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "v", "k")
        view.reset()
        await pilot.press("x")
        assert app.inputs == b"x"


async def test_another_size_keeps_the_mode_the_selection_and_the_place() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_lines(app, pilot)
        await pilot.press(LEADER, "[", "pageup", "pageup", "V", "k")
        await pilot.resize_terminal(100, 40)
        await until(pilot, lambda: view.grid == (100, 36))
        assert not view.at_bottom
        await pilot.press("y")
        await pilot.pause()
        assert len(app.copied[0].split("\n")) == 2
