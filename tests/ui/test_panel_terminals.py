"""What terminals of the panel ask and say: clipboard, links, pastes, other clients."""

from __future__ import annotations

import json
import sqlite3

import pytest
from textual.events import Paste

from banger_tui.engine.errors import GuestUnreachable
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.hypervisors.fake_sessions import FakeSession
from banger_tui.engine.paths import Paths
from banger_tui.screens.choose import ChooseScreen
from banger_tui.screens.confirm import ConfirmScreen
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.tabs import Pane, session
from banger_tui.widgets.terminal import TerminalView
from tests.ui.conftest import LEAVE, Start
from tests.ui.panel import SHELL, Panel, machines

_COPY = b"\x1b]52;c;c2VjcmV0\x07"  # "secret"


async def test_a_paste_of_many_lines_is_asked_about_first(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        text = "echo first\necho second\necho third\n"
        said = bytes(panel.tape(fox).data)
        view.post_message(Paste(text))
        await ui.sees("Paste 3 lines?", "They begin with: echo first")
        await ui.press("enter")
        await ui.until(lambda: ui.app.focused is view, "no: back in the terminal")
        await ui.press(*"echo mark", "enter")
        await panel.says("\nmark")
        assert bytes(panel.tape(fox).data[len(said) :]).startswith(b"echo mark"), "nothing was sent"
        view.post_message(Paste(text))
        await ui.until(lambda: isinstance(ui.app.screen, ConfirmScreen))
        await ui.press("y")
        await panel.says("\nthird")
        assert "\nfirst" in view.text()


async def test_one_line_is_pasted_at_once(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        view.post_message(Paste("echo whole"))
        await panel.says("~# echo whole")


async def test_a_guest_has_the_clipboard_only_after_the_person_allowed_it(
    start: Start, paths: Paths
) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.caught_up()
        panel.tape(fox).write(_COPY)
        await ui.until(
            lambda: any("fox wants to write to your clipboard" in text for text in ui.told)
        )
        assert ui.app.clipboard == ""
        await panel.leader("y")
        await ui.until(lambda: ui.vms["fox"].clipboard, "it is allowed")
        assert ": Programs in fox may write to your clipboard." in ui.told
        panel.tape(fox).write(_COPY)
        await ui.until(lambda: ui.app.clipboard == "secret", "the guest's text")
    with sqlite3.connect(paths.database) as database:
        assert database.execute("SELECT clipboard FROM vms").fetchall() == [(1,)]
    async with start(driver) as ui:
        panel = Panel(ui)
        await ui.until(lambda: "fox" in ui.vms)
        await panel.shell(fox)
        await panel.caught_up()
        assert ui.app.clipboard == "", "what is told again is not copied again"
        panel.tape(fox).write(_COPY)
        await ui.until(lambda: ui.app.clipboard == "secret", "as it was allowed")
        await panel.leader("y")
        await ui.until(lambda: not ui.vms["fox"].clipboard, "not any more")


async def test_a_hidden_guest_that_asks_again_and_again_is_told_of_once(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await panel.caught_up()
        for _ in range(20):
            panel.tape(fox).write(_COPY + b"\r\n")
            await ui.pilot.pause(0.01)
        panel.tape(fox).write(b"end")
        await panel.says("end")
        await ui.pilot.pause(0.1)
        assert sum("wants to write to your clipboard" in text for text in ui.told) == 1
        assert ui.app.clipboard == ""


@pytest.mark.parametrize(
    ("key", "opened", "copied"),
    [("escape", [], ""), ("c", [], "copied"), ("o", ["opened"], "")],
)
async def test_a_link_is_asked_about_and_the_safe_answer_has_the_focus(
    start: Start, monkeypatch: pytest.MonkeyPatch, key: str, opened: list[str], copied: str
) -> None:
    address = "http://example.test/a?b=[bold]c"
    asked: list[str] = []

    def opens(text: str) -> bool:
        asked.append(text)
        return True

    monkeypatch.setattr("webbrowser.open", opens)
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        view.post_message(TerminalView.LinkChosen(view, address))
        await ui.until(lambda: isinstance(ui.app.screen, ChooseScreen))
        await ui.sees("Open this link?", address, "fox gave this address.")
        assert ui.app.focused is not None
        assert ui.app.focused.id == "leave"
        await ui.press(key)
        await ui.until(lambda: ui.app.focused is view)
        await ui.until(lambda: len(asked) == len(opened))
        assert asked == [address for _ in opened]
        assert ui.app.clipboard == (address if copied else "")


async def test_what_is_selected_is_copied_and_can_be_pasted(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        await ui.press(*"echo some words", "enter")
        await panel.says("\nsome words")
        row = view.text().splitlines().index("some words")
        await ui.pilot.click(view, offset=(view.gutter.left + 1, view.gutter.top + row), times=2)
        await panel.leader("c")
        await ui.until(lambda: ui.app.clipboard == "some", "the word")
        assert any("4 characters copied" in text for text in ui.told)
        await panel.leader("p")
        await panel.says("~# some")


async def test_what_was_open_is_open_again(start: Start, paths: Paths) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        fox, owl = await machines(ui, "fox", "owl")
        panel = Panel(ui)
        await panel.shell(owl)
        await ui.press(*LEAVE)
        await panel.shell(fox)
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await ui.press(*"echo kept", "enter")
        await panel.says("\nkept")
    kept = json.loads(paths.desk.read_text())
    assert kept["last"] == fox.id
    assert paths.desk.stat().st_mode & 0o777 == 0o600
    async with start(driver) as ui:
        panel = Panel(ui)
        await ui.sees("kept", " shell-2 ", "owl/shell")
        assert panel.pane == Pane(fox.id, session("shell-2"))
        assert panel.cursor == fox.id
        assert isinstance(ui.app.focused, MachineList), "keys are the list's at first"
        await ui.press("enter")
        await panel.on(fox, "shell-2")
        assert set(driver.shells[fox.id]) == {"shell", "shell-2"}, "none was made anew"
        assert set(ui.home._streams._attachments.panes()) == {
            Pane(fox.id, session("shell-2")), Pane(fox.id, SHELL), Pane(owl.id, SHELL)
        }  # fmt: skip


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"no json", b"[]", b"null", b"{}", b"\xff\xfe",
        b'{"open": [[1]], "tabs": {}, "last": ""}',
        b'{"open": [["FOX", "session", "../../x y"]], "tabs": {"FOX": ["session", 7]}, "last": 3}',
        b'{"open": [["FOX", "session", "../../x y"]], "tabs": {"FOX": 7}, "last": "FOX"}',
        b'{"open": [["FOX", "session", "a\\u001b[31m b"]], "tabs": {"FOX": ["no", "x"]}, '
        b'"last": "FOX"}',
        b'{"open": [["gone", "console", ""]], "tabs": {}, "last": "gone"}',
        b'{"open": [["FOX", ["session"], {}]], "tabs": {"FOX": [{}, []]}, "last": "FOX"}',
        b"[" * 60000,
    ],
    ids=range(13),
)  # fmt: skip
async def test_a_damaged_desk_harms_nothing(start: Start, paths: Paths, damaged: bytes) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        (fox,) = await machines(ui, "fox")
    paths.desk.write_bytes(damaged.replace(b"FOX", fox.id.encode()))
    async with start(driver) as ui:
        panel = Panel(ui)
        await ui.until(lambda: "fox" in ui.vms)
        await panel.shell(fox)
        await ui.press(*"echo good", "enter")
        await panel.says("\ngood")
        assert ui.app._exception is None


async def test_a_session_taken_over_elsewhere_is_read_only_until_taken_back(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        other = await ui.app.bridge.engine.sessions.attach(fox.id, "shell", (80, 24), take=True)
        assert other.writer
        await ui.until(lambda: view.read_only, "somebody else types")
        await ui.sees("Somebody else types here. ctrl+] t takes over.")
        before = bytes(panel.tape(fox).data)
        await ui.press("a", "b")
        await other.write(b"echo theirs\r")
        await panel.says("\ntheirs")
        assert b"ab" not in panel.tape(fox).data[len(before) :]
        await panel.leader("t")
        await ui.until(lambda: not view.read_only and panel.attachment.live, "it is ours again")
        await ui.press(*"echo mine", "enter")
        await panel.says("\nmine")
        await other.close()


async def test_a_lost_connection_says_when_it_is_tried_again(start: Start) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        view = await panel.shell(fox)
        found = panel.attachment
        await ui.press(*LEAVE)
        driver.failures["connect"] = GuestUnreachable("The guest can't be reached", "It is cut.")
        driver.connections[fox.id].cut()
        session = panel.tape(fox)
        assert isinstance(session, FakeSession)
        assert session.writer is not None
        session.writer.end(255)
        await ui.sees("Connection lost. Next try in")
        assert not found.live
        del driver.failures["connect"]
        await ui.until(lambda: found.live, "it attaches again")
        await ui.until(lambda: "Connection lost" not in ui.shown())
        await ui.press("enter", *"echo again", "enter")
        await panel.says("\nagain")
        assert panel.view is view
        assert view.text().count("echo again") == 1


async def test_a_shell_that_has_ended_is_made_anew_by_enter(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        await ui.press(*"exit", "enter")
        await panel.says("The shell has ended. Enter here opens a new one.")
        await ui.press("enter")
        await ui.until(lambda: panel.attachment.live)
        await ui.press(*"echo anew", "enter")
        await panel.says("\nanew")


async def test_a_console_is_told_the_windows_size_by_one_key(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        ui.home.go_to(fox.id)
        await ui.press("c")
        await ui.until(lambda: isinstance(ui.app.focused, TerminalView))
        await panel.says("Ready")
        columns, rows = panel.view.grid
        await panel.leader("r")
        await panel.says(f"stty cols {columns} rows {rows}")


async def test_a_stopped_machines_tabs_come_back_with_it(start: Start) -> None:
    async with start() as ui:
        (fox,) = await machines(ui, "fox")
        panel = Panel(ui)
        await panel.shell(fox)
        first = panel.tape(fox)
        assert isinstance(first, FakeSession)
        await ui.press(*LEAVE, "x", "y")
        await ui.sees("The machine has stopped.")
        await ui.press("u")
        await ui.until(lambda: ui.vms["fox"].running)
        await ui.press("enter")
        await panel.on(fox)
        await ui.until(lambda: panel.tape(fox) is not first, "a shell of this boot")
        await ui.press(*"echo up", "enter")
        await panel.says("\nup")
