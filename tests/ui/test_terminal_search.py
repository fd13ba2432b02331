"""Search: typed in the status, found through the scrollback, highlighted, walked through."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual import events
from textual.pilot import Pilot

from banger_tui.widgets.terminal import TerminalView
from tests.ui.terminal_app import LEADER, TerminalApp, screen_text, until


async def with_words(app: TerminalApp, pilot: Pilot[None]) -> TerminalView:
    """A terminal with `needle` on lines 10, 100 and 290 of 300."""
    view = app.terminal
    await view.write(
        b"\r\n".join(
            b"%d a needle here" % n if n in (10, 100, 290) else b"%d hay" % n for n in range(300)
        )
    )
    await until(pilot, lambda: "299 hay" in screen_text(app))
    return view


async def test_the_prompt_is_in_the_status() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_words(app, pilot)
        await pilot.press(LEADER, "/")
        assert view.status.startswith("/▏")
        await pilot.press(*"nax", "backspace", "backspace", "space", "b")
        assert view.status.startswith("/n b▏")
        await pilot.press("ctrl+w")
        assert view.status.startswith("/n▏")
        await pilot.press("ctrl+u")
        view.post_message(events.Paste("need\x1b[31mle\nsecond"))
        await until(pilot, lambda: view.status.startswith("/need[31mle▏"))
        await pilot.press("escape")
        await until(pilot, lambda: view.status == "")
        assert app.inputs == b""
        assert app.stolen == []


async def test_matches_are_walked_through_and_escape_ends() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_words(app, pilot)
        await pilot.press(LEADER, "/", *"NEEDLE")
        await until(pilot, lambda: "match 3 of 3" in view.status and "3+" not in view.status)
        await pilot.press("enter")
        assert "n older  N newer" in view.status
        await until(pilot, lambda: "290 a needle" in screen_text(app))
        await pilot.press("n")
        await until(pilot, lambda: "100 a needle" in screen_text(app))
        assert "match 2 of 3" in view.status
        await pilot.press("n", "n")
        await until(pilot, lambda: "match 3 of 3" in view.status)
        await pilot.press("N")
        await until(pilot, lambda: "10 a needle" in screen_text(app))
        await pilot.press("escape")
        assert view.at_bottom
        await until(pilot, lambda: view.status == "")
        assert view.terminal is not None
        assert view.terminal.marks() == {}
        assert app.inputs == b""
        await pilot.press(LEADER, "/", "up", "enter")
        await until(pilot, lambda: "match 3 of 3" in view.status)


async def test_nothing_found_is_said() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_words(app, pilot)
        await pilot.press(LEADER, "/", *"zzz", "enter")
        await until(pilot, lambda: "not found" in view.status)
        await pilot.press("escape", "x")
        assert app.inputs == b"x"


async def test_a_match_is_selected_from() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_words(app, pilot)
        await pilot.press(LEADER, "/", *"needle", "enter")
        await until(pilot, lambda: "match 3 of 3" in view.status)
        await pilot.press("n")
        await until(pilot, lambda: "match 2 of 3" in view.status)
        await pilot.press("v", "$", "y")
        await pilot.pause()
        assert app.copied == ["needle here"]


async def test_new_output_is_searched_too() -> None:
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = await with_words(app, pilot)
        await pilot.press(LEADER, "/", *"needle", "enter")
        await until(pilot, lambda: "of 3" in view.status)
        await view.write(b"\r\none more needle")
        await until(pilot, lambda: "of 4" in view.status)


def styles(view: TerminalView, text: str) -> list[Style]:
    """The style of each painted part of the screen that is this text."""
    lines = [view.render_line(y) for y in range(view.size.height)]
    return [s.style for line in lines for s in line if s.text == text and s.style is not None]


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_highlights_differ_without_colour(
    theme: str, no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = TerminalApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        view = app.terminal
        await view.write(b"word and word\r\n\x1b[?25l")
        await pilot.press(LEADER, "/", *"word", "enter")
        await until(pilot, lambda: len(styles(view, "word")) == 2)
        await until(pilot, lambda: "match 2 of 2" in view.status)
        await pilot.press("0", "v", "l", "l")
        await pilot.pause(0.1)

        def looks(style: Style) -> tuple[bool, bool, bool]:
            return bool(style.reverse), bool(style.bold), bool(style.underline)

        match, current = styles(view, " and ")[0], styles(view, "word")[-1]
        assert looks(current) == (True, True, True)
        assert looks(match) == (False, False, False)
        assert looks(styles(view, "wo")[0]) == (True, False, False)
        assert looks(styles(view, "d")[0]) == (False, True, True)
