"""The screen of sessions: what is listed, chosen, asked and done."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from textual.widgets import Button, Input

from banger_tui.app import BangerApp
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.model import (
    SessionMode,
    SessionSpec,
    SessionState,
    SessionView,
    VmRecord,
)
from banger_tui.engine.paths import Paths
from banger_tui.screens.choose import ChooseScreen
from banger_tui.screens.confirm import ConfirmScreen
from banger_tui.screens.sessions import SessionsScreen
from banger_tui.settings import Loaded
from tests.ui.conftest import LEAVE, Running, Start, until
from tests.ui.panel import Panel, machines


def screen(ui: Running) -> SessionsScreen:
    """The screen of sessions, which is shown."""
    found = ui.app.screen
    assert isinstance(found, SessionsScreen), found
    return found


async def begin(ui: Running, vm: VmRecord, *specs: SessionSpec) -> list[SessionView]:
    """Start sessions by the engine."""
    return [await ui.app.bridge.engine.sessions.start(vm.id, spec) for spec in specs]


def pipe(name: str, *argv: str) -> SessionSpec:
    return SessionSpec(argv=argv, name=name, mode=SessionMode.PIPE)


async def go(ui: Running, *texts: str) -> None:
    """To the screen of sessions, until these stand there."""
    await ui.press("4")
    await ui.sees("Sessions", *texts)


async def _lists(ui: Running, left: list[str]) -> None:
    """Wait until these are in the list."""
    keys = screen(ui).listing
    await ui.until(lambda: [key.partition("/")[2] for key in keys.keys] == left, f"only {left}")


async def names(ui: Running) -> list[str]:
    return sorted(s.name for s in await ui.app.bridge.engine.sessions.list())


async def test_without_sessions_it_says_what_they_are(start: Start) -> None:
    async with start() as ui:
        await go(ui, "No sessions.", "A session is a shell or a command", "n starts one")
        await ui.press("n")
        await ui.until(lambda: any("No machine runs" in text for text in ui.told))
        await ui.press("x", "d", "i", "y", "enter", "space", "escape")
        assert ui.app.screen is ui.home


async def test_sessions_of_all_machines_are_listed(start: Start) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        await begin(ui, fox, SessionSpec(name="work"), pipe("wait", "sleep", "600"))
        await begin(ui, owl, pipe("bad", "sh", "-c", "echo oh no; exit 3"))
        await go(ui, "work", "wait", "bad", "sleep 600", "exit 3", "login shell")
        lines = ui.shown().splitlines()
        assert any("bad" in line and "owl" in line and "✗" in line for line in lines)
        assert any("work" in line and "fox" in line and "●" in line for line in lines)


async def test_filter_finds_by_name_machine_and_command(start: Start) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        await begin(ui, fox, SessionSpec(name="work"), pipe("wait", "sleep", "600"))
        await begin(ui, owl, pipe("other", "sleep", "500"))
        await go(ui, "work", "wait", "other")
        for text, left in (("owl", ["other"]), ("600", ["wait"]), ("work", ["work"])):
            await ui.press("/", *text, "enter")
            await _lists(ui, left)
            await ui.press("escape")
        await ui.press("/", *"zzz", "enter")
        await ui.sees("Nothing matches; esc shows all.")
        await ui.press("escape")
        await ui.sees("work", "wait", "other")


async def test_marked_sessions_are_stopped_and_deleted_after_one_question_each(
    start: Start,
) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        await begin(ui, fox, pipe("a", "sleep", "600"), pipe("b", "sleep", "600"))
        await begin(ui, owl, pipe("c", "sleep", "600"))
        await go(ui, "a", "b", "c", "sleep 600")
        await ui.press("g", "space", "space")
        await ui.sees("2 marked")
        await ui.press("x")
        await ui.sees("Stop 2 sessions?", "It is asked to end (TERM)", "Keep them running")
        safe = ui.app.focused
        assert isinstance(safe, Button)
        assert safe.id == "no"
        await ui.press("y")
        await ui.until(lambda: _states(ui).count(SessionState.EXITED) == 2, "two have ended")
        assert screen(ui).listing.marks == []
        await ui.press("ctrl+a", "d")
        await ui.sees("Delete 3 sessions?", "1 of them run", "What was said is deleted with it.")
        await ui.press("enter")
        await ui.until(lambda: not _asks(ui))
        assert await names(ui) == ["a", "b", "c"], "the safe answer does nothing"
        await ui.press("d", "y")
        await ui.sees("No sessions.")
        assert await names(ui) == []


def _states(ui: Running) -> list[SessionState]:
    return [s.state for all_ in ui.app.bridge.world.sessions.values() for s in all_]


def _asks(ui: Running) -> bool:
    return isinstance(ui.app.screen, (ConfirmScreen, ChooseScreen))


async def test_a_signal_is_chosen_and_sent(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        await begin(ui, fox, pipe("wait", "sleep", "600"))
        await go(ui, "wait")
        await ui.press("i")
        await ui.sees("Send which signal to wait of fox?", "TERM", "KILL", "USR1")
        await ui.press("n")
        assert _states(ui) == [SessionState.RUNNING]
        await ui.press("i", "k")
        await ui.sees("exit 137")
        await ui.press("i")
        await ui.until(lambda: any("Nothing to signal" in text for text in ui.told))
        await ui.press("x")
        await ui.until(lambda: any("Nothing to stop" in text for text in ui.told))


async def test_a_new_terminal_by_the_form_is_shown_in_the_panel(start: Start) -> None:
    async with start() as ui:
        _, owl = await machines(ui, "fox", "owl")
        await go(ui)
        await ui.press("n")
        await ui.sees("New session")
        form = ui.app.screen
        form.query_one("#machine", Input).value = "owl"
        form.query_one("#name", Input).value = "work"
        await ui.press("ctrl+s")
        panel = Panel(ui)
        await panel.on(owl, "work")
        assert panel.cursor == owl.id
        await ui.press(*"echo good", "enter")
        await panel.says("\ngood")


async def test_a_new_session_of_pipes_reads_and_writes_lines(start: Start) -> None:
    async with start() as ui:
        await machines(ui, "fox")
        await go(ui)
        await ui.press("n")
        await ui.sees("New session")
        form = ui.app.screen
        form.query_one("#command", Input).value = "cat"
        form.query_one("#name", Input).value = "lines"
        form.query_one("#mode").focus()
        await ui.press("space")
        await ui.press("ctrl+s")
        panel = Panel(ui)
        await ui.until(lambda: panel.pane.tab.session == "lines", "it is shown")
        of = ui.home._streams.of
        await ui.until(lambda: (found := of(panel.view)) is not None and found.live)
        await ui.press(*"some worx", "backspace", "up", *"ds", "enter")
        await ui.until(lambda: panel.view.text().count("some words") == 2, "typed, and said back")
        await ui.press("ctrl+d")
        await panel.says("It has ended with exit code 0. ctrl+] x closes this tab.")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("command", "echo 'open", "The quotes do not match"),
        ("machine", "nobody", "No machine called nobody runs"),
        ("name", "../x", "A name has small letters"),
        ("directory", "tmp", "A directory in the guest begins with /"),
    ],
)
async def test_the_form_says_what_can_not_be(
    start: Start, field: str, text: str, said: str
) -> None:
    async with start() as ui:
        await machines(ui, "fox")
        await go(ui)
        await ui.press("n")
        await ui.sees("New session")
        ui.app.screen.query_one(f"#{field}", Input).value = text
        await ui.press("ctrl+s")
        await ui.sees(said)
        await ui.press("escape")
        assert await names(ui) == []


async def test_a_command_that_is_not_there_is_explained(start: Start) -> None:
    async with start() as ui:
        await machines(ui, "fox")
        await go(ui)
        await ui.press("n")
        await ui.sees("New session")
        ui.app.screen.query_one("#command", Input).value = "no-such-program"
        await ui.press("ctrl+s")
        await ui.sees("fox can't run that", "no-such-program: not found.")
        assert await names(ui) == []


async def test_enter_attaches_and_y_copies_the_command(start: Start) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        await begin(ui, fox, SessionSpec(name="work"))
        await begin(ui, owl, SessionSpec(name="zoo"))
        await go(ui, "work", "zoo")
        screen(ui).go_to(f"{owl.id}/zoo")
        await ui.press("y")
        await ui.until(lambda: ui.app.clipboard == "banger-tui session attach owl/zoo")
        await ui.press("enter")
        panel = Panel(ui)
        await panel.on(owl, "zoo")
        assert panel.cursor == owl.id
        await ui.press(*LEAVE, "S")
        await ui.sees("zoo", "1 client")


async def test_last_words_stand_in_the_detail(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        await begin(ui, fox, pipe("bad", "sh", "-c", "echo the build is broken; exit 3"))
        await go(ui, "bad", "exit 3", "What it said last", "the build is broken")


async def test_output_of_a_guest_stays_in_the_detail(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        await begin(ui, fox, SessionSpec(name="evil"))
        evil = "\x1b]0;[red]\u202etitle\x07\x1b[2J\x1b[1;1H[bold]words\x1b]52;c;c2VjcmV0\x07\u202e"
        Panel(ui).tape(fox, "evil").write(evil.encode() + b"x" * 500)
        await go(ui, "evil", "[bold]words")
        shown = ui.shown()
        assert all(len(line) <= 120 for line in shown.splitlines())
        assert not any(char in shown for char in "\x1b\x07\u202e")
        assert ui.app.clipboard == ""


async def test_what_a_guest_says_of_its_sessions_stays_in_its_cells(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        (seen,) = await begin(ui, fox, SessionSpec(name="work"))
        hostile = replace(
            seen, argv=("a\x1b[31m\nb", "[bold]c", "\u202ed" * 300), cwd="/\x07\u202e[red]x",
            user="u\x1b]0;x\x07", title="\x9b31m[link=x]t\r\nt", writer="w\x1b[2J",
            vm_name="fox", viewers=2, started=time.time() - 5,
        )  # fmt: skip

        async def told(_: str | None = None) -> list[SessionView]:
            return [hostile]

        ui.app.bridge.engine.sessions.list = told  # type: ignore[method-assign, assignment]
        await go(ui, "work", "[bold]c", "[link=x]t", "[red]x")
        shown = ui.shown()
        assert all(len(line) <= 120 for line in shown.splitlines())
        assert not any(char in shown for char in "\x1b\x07\x9b\u202e\r")


async def test_sessions_of_a_machine_that_is_off_are_not_told_of(start: Start) -> None:
    async with start() as ui:
        fox, owl = await machines(ui, "fox", "owl")
        await begin(ui, fox, SessionSpec(name="work"))
        await begin(ui, owl, SessionSpec(name="zoo"))
        await go(ui, "work", "zoo")
        ui.driver.vmms[fox.id].crash()
        await ui.until(lambda: not ui.vms["fox"].running, "it is off")
        await _lists(ui, ["zoo"])


@pytest.mark.parametrize("keys", [("plus",), ("tab",)])
async def test_the_detail_and_back(start: Start, keys: tuple[str, ...]) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        await begin(ui, fox, SessionSpec(name="work"))
        await go(ui, "work")
        await ui.press(*keys)
        assert ui.app.focused is not screen(ui).listing
        await ui.press("escape")
        assert ui.app.focused is screen(ui).listing
        await ui.press("escape")
        assert ui.app.screen is ui.home


async def test_narrow(start: Start) -> None:
    async with start(size=(80, 24)) as ui:
        (fox,) = await machines(ui, "fox")
        await begin(ui, fox, SessionSpec(name="work"), pipe("bad", "sh", "-c", "exit 3"))
        await go(ui, "work", "bad", "exit 3", "fox", "1 machines")
        assert all(len(line) <= 80 for line in ui.shown().splitlines())


async def test_states_are_told_apart_without_colours(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    driver = FakeDriver()
    app = BangerApp(paths, settings=Loaded(), driver=driver)
    async with app.run_test(size=(120, 36)) as pilot:
        ui = Running(app, pilot, driver)
        await until(lambda: app.bridge.is_open, what="the engine opens")
        (fox,) = await machines(ui, "fox")
        await begin(
            ui, fox, SessionSpec(name="work"), pipe("bad", "sh", "-c", "exit 3"), pipe("ok", "true")
        )
        await go(ui, "work", "bad", "exit 3", "exit 0")
        lines = ui.shown().splitlines()
        for name, glyph in (("work", "●"), ("bad", "✗"), ("ok", "○")):
            assert any(f"{glyph} {name}" in line for line in lines), name
        colours = {
            str(colour)
            for strip in app.screen._compositor.render_strips()
            for part in strip
            if part.style
            for colour in (part.style.color, part.style.bgcolor)
            if colour is not None and not colour.is_default
        }
        assert colours == set()
