"""The leader: a menu in the status, commands for the screen, the rest of the keys untouched."""

from __future__ import annotations

import pytest

from banger_tui.widgets.terminal import TerminalView, leader
from tests.ui.terminal_app import LEADER, TerminalApp, until


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("d", "detach"),
        ("f", "full_screen"),
        ("n", "next_tab"),
        ("N", "previous_tab"),
        ("1", "tab:1"),
        ("9", "tab:9"),
        ("|", "split"),
        ("o", "other"),
        ("s", "new_shell"),
        ("x", "close"),
        ("t", "take"),
        ("r", "fit"),
        ("y", "allow_clipboard"),
        ("?", "help"),
    ],
)
async def test_commands_of_the_screen(key: str, name: str) -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER)
        assert app.terminal.status == leader.MENU
        await pilot.press(key)
        await pilot.pause()
        assert app.commands == [name]
        assert app.terminal.status == ""
        await pilot.press(key)
        await pilot.pause()
        assert app.commands == [name]
        assert app.inputs.decode() == key


async def test_the_leader_twice_is_the_guests() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER, LEADER, "k")
        assert app.inputs == b"\x1dk"
        assert app.commands == []


async def test_another_leader() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        app.terminal.leader = "ctrl+b"
        await pilot.press(LEADER, "ctrl+b", "d", "ctrl+b", "ctrl+b")
        await pilot.pause()
        assert app.inputs == b"\x1d\x02"
        assert app.commands == ["detach"]


async def test_escape_and_unknown_keys_end_it() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER, "escape")
        assert app.terminal.status == ""
        await pilot.press(LEADER, "z")
        assert "ctrl+] z" in app.terminal.status
        await pilot.press("a")
        assert app.terminal.status == ""
        assert app.inputs == b"a"
        assert app.commands == []
        assert app.stolen == []


async def test_bindings_of_the_app_do_not_take_the_key_after_it() -> None:
    app = TerminalApp(read_only=True)
    async with app.run_test() as pilot:
        for key in ("a", "b", "ctrl+c", "tab", "enter", "pageup", "escape"):
            await pilot.press(LEADER, key)
        assert app.stolen == []
        assert app.inputs == b""
        await pilot.press("b")
        assert app.stolen == ["b"]


async def test_every_change_of_the_status_is_told() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER, "escape")
        await pilot.pause()
        assert len(app.heard(TerminalView.StatusChanged)) == 2


async def test_losing_the_focus_ends_the_menu() -> None:
    app = TerminalApp()
    async with app.run_test() as pilot:
        await pilot.press(LEADER)
        app.query_one("#other").focus()
        await until(pilot, lambda: app.terminal.status == "")
        app.terminal.focus()
        await pilot.press("d")
        assert app.inputs == b"d"
