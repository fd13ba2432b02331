"""What a person does with machines, key by key, on the fake driver."""

from __future__ import annotations

import asyncio
import functools

import pytest
from textual.widgets import Button

from banger_tui.engine.errors import BootFailed
from banger_tui.engine.hypervisors import fake_artefacts
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.model import OperationState, VmState
from banger_tui.engine.vms.create import STAGES
from banger_tui.screens.confirm import ConfirmScreen
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.terminal import TerminalView
from tests.engine_fixtures.gates import Gate, gate_stage
from tests.ui.conftest import LEAVE, Start


async def test_empty_home_says_how_to_begin(start: Start) -> None:
    async with start() as ui:
        await ui.sees("No machines yet.", "run a sandbox", "debian-bookworm, 1 cpu, 512M")


async def test_run_shows_stages_then_gives_a_shell_that_answers(
    start: Start,
) -> None:
    async with start(FakeDriver(boot_seconds=1.2)) as ui:
        await ui.press("r")
        await ui.sees("Working on: create", "boot")
        await ui.until(lambda: isinstance(ui.app.focused, TerminalView), "the shell has the focus")
        (vm,) = ui.vms.values()
        await ui.sees(f"root@{vm.name}:~#", "● 1 running", "leaves the panel")
        await ui.press(*"echo good", "enter")
        await ui.until(lambda: "\ngood" in _terminal(ui.app.focused).text(), "the shell's answer")
        assert "Working on" not in ui.shown()


async def test_leader_gives_the_keyboard_back(start: Start) -> None:
    async with start() as ui:
        await ui.run_one()
        await ui.press("q")
        assert isinstance(ui.app.focused, TerminalView), "q is the guest's"
        await ui.press(*LEAVE)
        assert isinstance(ui.app.focused, MachineList)
        await ui.press("ctrl+right_square_bracket")
        assert isinstance(ui.app.focused, TerminalView)


async def test_focus_stays_where_the_person_went_meanwhile(start: Start) -> None:
    gone_elsewhere = asyncio.Event()
    driver = FakeDriver()
    async with start(driver) as ui:
        first = await ui.run_one()

        async def until_gone(_: str) -> None:
            await gone_elsewhere.wait()

        driver.hooks["wait_ready"] = until_gone
        await ui.press(*LEAVE, "r")
        await ui.until(lambda: len(ui.vms) == 2, "the second is being made")
        second = next(vm for vm in ui.vms.values() if vm.id != first.id)
        await ui.until(lambda: ui.home.query_one(MachineList).cursor == second.id)
        ui.home.go_to(first.id)
        await ui.press("s")
        gone_elsewhere.set()
        await ui.until(lambda: ui.vms[second.name].running, "the second runs")
        await ui.until(lambda: f"{second.name} is ready: Its shell is attached." in ui.told)
        assert ui.home.query_one(MachineList).cursor == first.id
        assert isinstance(ui.app.focused, TerminalView)
        assert first.id in (ui.app.focused.name or "")


async def test_stop_start_delete_each_with_what_it_asks(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "x")
        await ui.sees(f"Stop {vm.name}?", "the power goes off")
        safe = ui.app.focused
        assert isinstance(safe, Button)
        assert safe.id == "no"
        await ui.press("enter")
        assert ui.state(vm.name) is VmState.RUNNING, "the safe answer does nothing"
        await ui.press("x", "y")
        await ui.until(lambda: ui.state(vm.name) is VmState.STOPPED, "it stops")
        await ui.sees("The machine has stopped.", "○", "stopped")
        await ui.press("u")
        await ui.until(lambda: ui.state(vm.name) is VmState.RUNNING, "it starts")
        await ui.sees(f"root@{vm.name}:~#")
        await ui.press("d")
        await ui.sees("This can't be undone.", "ends at once, as when the plug is pulled")
        await ui.press("y")
        await ui.until(lambda: not ui.vms, "it is gone")
        await ui.sees("No machines yet.")


async def test_what_the_state_forbids_is_explained(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "u")
        await ui.until(lambda: f"Can't start {vm.name}: It is running. x stops it." in ui.told)


async def test_marked_machines_are_deleted_after_one_question(start: Start) -> None:
    async with start() as ui:
        for _ in range(3):
            await ui.run_one()
            await ui.press(*LEAVE)
        names = sorted(ui.vms)
        await ui.press("g", "space", "space")
        await ui.sees("2 marked")
        await ui.press("d")
        await ui.sees("Delete 2 machines?", names[0], names[1])
        await ui.press("y")
        await ui.until(lambda: len(ui.vms) == 1, "two are gone")
        assert list(ui.vms) == names[2:]
        await ui.until(lambda: not ui.home.query_one(MachineList).marks)


async def test_filter_and_sort(start: Start) -> None:
    async with start() as ui:
        for _ in range(2):
            await ui.run_one()
            await ui.press(*LEAVE)
        machines = ui.home.query_one(MachineList)
        one, other = sorted(ui.vms)
        await ui.press("slash", *one, "enter")
        await ui.until(lambda: len(machines.keys) == 1)
        await ui.sees(f"matching {one}", "1 of 2")
        assert ui.app.focused is machines
        await ui.press("escape")
        assert len(machines.keys) == 2
        await ui.press("T")
        assert machines.keys == [ui.vms[other].id, ui.vms[one].id]


async def test_failed_create_tells_what_why_and_what_next(start: Start) -> None:
    driver = FakeDriver()
    driver.failures["sign_of_life"] = BootFailed(
        "The guest gave no sign of life", "Nothing came in 20 s.", "Look at the console log."
    )
    async with start(driver) as ui:
        await ui.press("r")
        await ui.sees("The guest gave no sign of life", "Nothing came in 20 s.", "→ Look at")
        await ui.sees("No machines yet.")
        assert not ui.vms, "nothing half-made stays"
        operations = ui.app.bridge.world.operations.values()
        failed = next(o.id for o in operations if o.kind == "create")
        with ui.app.paths.operation_log(failed).open("a") as log:
            log.write("a line of the log\n" * 100 + "the last of the console\n")
        await ui.press("o")
        await ui.sees("failed after", "→ Look at the console log.", "the last of the console")
        await ui.press("escape", "escape")
        await ui.until(lambda: "Look at" not in ui.shown(), "escape puts it away")


async def test_cancel_from_the_operations_screen(start: Start) -> None:
    async with start(FakeDriver(delays={"sign_of_life": 30.0})) as ui:
        await ui.press("r")
        await ui.sees("boot")
        await ui.until(lambda: any(vm.state is VmState.CREATING or vm.state is VmState.STARTING
                                   for vm in ui.vms.values()))  # fmt: skip
        await ui.press("o")
        await ui.sees("Timeline", "for ", "◐ boot")
        await ui.press("c")
        await ui.sees("Cancel create")
        await ui.press("y")
        await ui.until(lambda: ui.ended("create") == [OperationState.CANCELLED])
        await ui.until(lambda: not ui.vms, "nothing is left")
        await ui.sees("cancelled after")


@pytest.mark.parametrize("stage", STAGES)
async def test_cancel_in_every_stage(
    start: Start, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    gate = Gate()
    gate_stage(monkeypatch, "create", stage, "end", gate)
    async with start() as ui:
        await ui.press("r")
        await gate.reached()
        await ui.sees(f"◐ {stage}")
        await ui.press("x")
        await ui.sees("Cancel create")
        await ui.press("y")
        await ui.until(lambda: ui.ended("create") == [OperationState.CANCELLED])
        await ui.until(lambda: not ui.vms, "nothing is left")


async def test_cancel_from_the_list(start: Start) -> None:
    async with start(FakeDriver(delays={"sign_of_life": 30.0})) as ui:
        await ui.press("r")
        await ui.sees("◐ boot")
        await ui.press("x")
        await ui.sees("Cancel create")
        await ui.press("y")
        await ui.until(lambda: ui.ended("create") == [OperationState.CANCELLED])


async def test_machine_without_a_name_yet_has_a_title(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = functools.partial(fake_artefacts.FakeBuilders, image_seconds=60.0)
    monkeypatch.setattr(fake_artefacts, "FakeBuilders", slow)
    async with start() as ui:
        await ui.press("r")
        await ui.sees(
            "─ new machine   Overview", "create a machine  ◐", "Working on: create a machine",
            "pull image ",
        )  # fmt: skip


async def test_cursor_goes_back_when_a_create_comes_to_nothing(start: Start) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        first = await ui.run_one()
        await ui.press(*LEAVE)
        second = await ui.run_one()
        await ui.press(*LEAVE)
        machines = ui.home.query_one(MachineList)
        for vm in (first, second):
            ui.home.go_to(vm.id)
            driver.failures["sign_of_life"] = BootFailed("No sign of life", "", "Look.")
            await ui.press("r")
            await ui.sees("No sign of life")
            back = functools.partial(_cursor_is_on, machines, vm.id)
            await ui.until(back, "the cursor is back")
            await ui.press("escape")
        driver.failures.clear()
        driver.delays["sign_of_life"] = 30.0
        ui.home.go_to(first.id)
        await ui.press("r")
        await ui.sees("◐ boot")
        assert machines.cursor not in (first.id, second.id), "it follows the new one"
        await ui.press("x", "y")
        await ui.until(lambda: OperationState.CANCELLED in ui.ended("create"))
        await ui.until(lambda: machines.cursor == first.id, "the cursor is back")


def _cursor_is_on(machines: MachineList, key: str) -> bool:
    return machines.cursor == key


async def test_quit_asks_while_something_is_under_way(start: Start) -> None:
    driver = FakeDriver(delays={"sign_of_life": 30.0})
    async with start(driver) as ui:
        await ui.press("r")
        await ui.sees("◐ boot")
        await ui.press("q")
        await ui.sees("Quit now?", "· create", "Running machines run on.")
        await ui.press("enter")
        assert not isinstance(ui.app.screen, ConfirmScreen)
        assert ui.app.bridge.is_open
        await ui.press("q", "y")
        await ui.until(lambda: not ui.app.is_running, "the app has ended")
    assert not any(vmm.alive for vmm in driver.vmms.values())
    async with start(driver) as ui:
        assert ui.ended("create") == [OperationState.CANCELLED]
        assert not ui.vms


async def test_reopened_app_finds_the_shell_as_it_was(start: Start) -> None:
    driver = FakeDriver()
    async with start(driver) as ui:
        vm = await ui.run_one()
        await ui.press(*"echo kept", "enter")
        await ui.until(lambda: "\nkept" in _terminal(ui.app.focused).text())
    async with start(driver) as ui:
        assert ui.state(vm.name) is VmState.RUNNING
        await ui.sees("echo kept", f"root@{vm.name}:~#")
        assert isinstance(ui.app.focused, MachineList)


async def test_shell_that_ended_opens_again_on_enter(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*"exit", "enter")
        await ui.sees("The shell has ended.")
        await ui.press("enter")
        await ui.until(
            lambda: _terminal(ui.app.focused).text().strip() == f"root@{vm.name}:~#",
            "a new shell",
        )


async def test_console_shows_the_boot(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "c")
        await ui.sees(f"Booting {vm.name}", "Ready")


def _terminal(widget: object) -> TerminalView:
    assert isinstance(widget, TerminalView)
    return widget
