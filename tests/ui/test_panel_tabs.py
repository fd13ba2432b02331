"""Tabs of the panel: opened, gone through, split, closed, and what is heard from hidden ones."""

from __future__ import annotations

from textual.widgets import Static

from banger_tui.engine.model import SessionState
from banger_tui.screens.help import HelpScreen
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.machine_panel import OverviewPage
from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, Pane, session
from banger_tui.widgets.terminal import TerminalView
from tests.ui.conftest import LEAVE, Start
from tests.ui.panel import SHELL, Panel, machines


async def test_s_opens_the_shell_and_the_leader_one_more(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await ui.sees(" shell ", " shell-2 ")
        await ui.press(*LEAVE, "s")
        await panel.on(fox, "shell-2")
        assert set(ui.driver.shells[fox.id]) == {"shell", "shell-2"}, "s goes back, no third shell"


async def test_next_goes_round_the_terminals_of_all_machines(start: Start) -> None:
    async with start() as ui:
        made = await machines(ui, "fox", "owl", "yak")
        panel = Panel(ui)
        for vm in reversed(made):
            await panel.shell(vm)
            await ui.press(*LEAVE)
        fox, owl, yak = made
        await ui.press("enter")
        await panel.on(fox)
        await ui.sees("owl/shell", "yak/shell")
        for vm in (owl, yak, fox):
            await panel.leader("n")
            await panel.on(vm)
            assert panel.cursor == vm.id, "the list's cursor goes with it"


async def test_previous_goes_back(start: Start) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        panel = Panel(ui)
        await panel.shell(owl)
        await ui.press(*LEAVE)
        await panel.shell(fox)
        await panel.leader("N")
        await ui.until(lambda: panel.pane == Pane(fox.id, CONSOLE), "the tab before it")
        await panel.leader("N")
        await panel.on(owl)
        assert panel.cursor == owl.id


async def test_a_number_is_a_tabs_place(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await panel.leader("2")
        await panel.on(fox)
        await panel.leader("1")
        await ui.until(lambda: panel.pane.tab == CONSOLE, "the console is the first terminal")
        await panel.leader("3")
        await panel.on(fox, "shell-2")
        await panel.leader("9")
        assert panel.pane == Pane(fox.id, session("shell-2")), "there is no ninth"


async def test_two_terminals_stand_side_by_side(start: Start) -> None:
    async with start(size=(180, 45)) as ui:
        fox, owl = await machines(ui, "fox", "owl")
        panel = Panel(ui)
        await panel.shell(owl)
        await ui.press(*LEAVE)
        left = await panel.shell(fox)
        await panel.leader("|")
        right = await panel.on(owl)
        assert panel.widget.panes == (Pane(fox.id, SHELL), Pane(owl.id, SHELL))
        await ui.until(lambda: left.region.right <= right.region.x, "one beside the other")
        await ui.sees("root@fox:~#", "root@owl:~#")
        await ui.until(lambda: panel.cursor == owl.id, "the cursor is on who has the keyboard")
        await panel.leader("o")
        assert await panel.on(fox) is left
        await ui.until(lambda: panel.cursor == fox.id)
        await ui.press(*"echo one", "enter")
        await ui.until(lambda: "\none" in left.text())
        assert "one" not in right.text()
        await ui.pilot.click(right)
        assert await panel.on(owl) is right
        await panel.leader("|")
        await ui.until(lambda: panel.widget.panes == (Pane(owl.id, SHELL),), "one again")
        assert not left.display
        assert right.display
        assert panel.view is right


async def test_halves_of_a_narrow_panel_stand_one_above_the_other(start: Start) -> None:
    async with start(size=(80, 24)) as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        top = await panel.shell(fox)
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await panel.leader("|")
        await ui.until(lambda: len(panel.widget.panes) == 2)
        await panel.leader("1", "2")
        await ui.until(lambda: top.display, "it is in one half")
        views = [view for view in panel.widget.query(TerminalView) if view.display]
        await ui.until(lambda: len({view.region.x for view in views}) == 1)
        assert len({view.region.y for view in views}) == 2


async def test_full_screen_and_back_is_the_same_terminal(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        await ui.press(*"echo kept", "enter")
        await panel.says("\nkept")
        before = view.text()
        await panel.leader("f")
        await ui.until(lambda: view.size.width > 110, "as wide as the screen")
        assert not ui.home.query_one(MachineList).display
        assert panel.view is view
        assert view.text().split() == before.split()
        await panel.leader("f")
        await ui.until(lambda: ui.home.query_one(MachineList).display, "the list is back")
        assert panel.view is view
        assert view.text().split() == before.split()
        await ui.press(*LEAVE)
        assert ui.app.focused is ui.home.query_one(MachineList)


async def test_a_closed_tabs_session_lives_on(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await ui.press(*"echo kept", "enter")
        await panel.says("\nkept")
        await panel.leader("x")
        await panel.on(fox)
        (seen,) = [
            s for s in await ui.app.bridge.engine.sessions.list(fox.id) if s.name == "shell-2"
        ]
        assert seen.state is SessionState.RUNNING
        await ui.press(*LEAVE, "4")
        await ui.sees("Sessions", "shell-2")
        await ui.press("down", "enter")
        await panel.on(fox, "shell-2")
        await panel.says("\nkept")


async def test_the_last_tab_closed_gives_the_keyboard_back(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await ui.press(*LEAVE, "c")
        await ui.until(lambda: panel.pane.tab == CONSOLE)
        await panel.leader("x")
        await panel.on(fox)


async def test_a_hidden_tab_is_marked_until_it_is_shown(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.caught_up()
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        panel.tape(fox).write(b"a line\r\n")
        await ui.sees(" shell• ")
        panel.tape(fox).write(b"\x07")
        await ui.sees(" shell! ")
        panel.tape(fox).write(b"one more line\r\n")
        await ui.pilot.pause(0.1)
        assert " shell! " in panel.border(), "a bell stays one"
        await panel.leader("2")
        await panel.on(fox)
        await ui.until(lambda: " shell " in panel.border(), "it has been seen")
        assert not {"•", "!"} & set(panel.border())


async def test_a_terminal_in_sight_has_no_mark(start: Start) -> None:
    async with start(size=(180, 45)) as ui:
        fox, owl = await machines(ui, "fox", "owl")
        panel = Panel(ui)
        await panel.shell(owl)
        await panel.caught_up()
        await ui.press(*LEAVE)
        await panel.shell(fox)
        await panel.caught_up()
        await panel.leader("|")
        await panel.on(owl)
        panel.tape(fox).write(b"seen at once\r\n\x07")
        await ui.sees("seen at once")
        assert not {"•", "!"} & set(panel.border())


async def test_a_click_on_a_tab_shows_it(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await ui.sees(" Console ")
        lines = ui.shown().splitlines()
        row = next(y for y, line in enumerate(lines) if " Console " in line)
        await ui.pilot.click(offset=(lines[row].index(" Console ") + 3, row))
        await ui.until(lambda: panel.pane.tab == CONSOLE, "the console is shown")
        assert isinstance(ui.app.focused, TerminalView)
        await ui.pilot.click(offset=(ui.shown().splitlines()[row].index(" Overview ") + 3, row))
        await ui.until(lambda: panel.pane.tab == OVERVIEW)
        assert ui.home.query_one(OverviewPage).display


async def test_help_tells_the_terminals_own_keys(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        await panel.leader("?")
        await ui.until(lambda: isinstance(ui.app.screen, HelpScreen))
        await ui.sees("After ctrl+] in a terminal", "one more shell", "In scroll mode")
        assert ui.app.screen.query(Static)
        await ui.press("escape")
        await ui.until(lambda: ui.app.focused is view, "the terminal has the keyboard again")


async def test_names_and_titles_of_guests_stay_in_their_cells(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        panel.tape(fox).write("\x1b]0;\u202e[red]a\x1b[31m\tb\u0085c\U000e0041\x07done".encode())
        await panel.says("done")
        panel.tape(fox).write(b"\x1b]2;" + b"w" * 5000 + b"\x07later")
        await panel.says("later")
        await ui.pilot.pause(0.1)
        lines = ui.shown().splitlines()
        assert all(len(line) <= 120 for line in lines)
        assert not any(ord(char) < 32 or char in "\u202e\u0085" for line in lines for char in line)
        assert lines[1].rstrip()[-1] in "╮┐╗┓", "the border ends where it ends"
