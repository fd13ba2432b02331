"""The form judges while it is typed, and makes what was asked for."""

from __future__ import annotations

from textual.widgets import Button, Input

from banger_tui.engine.model import NetworkMode
from tests.ui.conftest import LEAVE, Running, Start


async def test_form_makes_the_machine_that_was_asked_for(start: Start) -> None:
    async with start() as ui:
        await ui.press("n")
        await ui.sees("New machine", "is pulled first")
        await ui.press(*"web-1")
        await _fill(ui, cpus="2", memory="1G", disk="12G")
        ui.app.screen.query_one("#network").focus()
        await ui.press("space")
        ui.app.screen.query_one("#name").focus()
        await ui.press("enter")
        await ui.until(lambda: "web-1" in ui.vms and ui.vms["web-1"].running, "web-1 runs")
        vm = ui.vms["web-1"]
        assert (vm.cpus, vm.memory_mib, vm.disk_bytes) == (2, 1024, 12 << 30)
        assert vm.network is NetworkMode.ISOLATED


async def test_wrong_fields_say_so_and_hold_back_the_button(start: Start) -> None:
    async with start() as ui:
        await ui.press("n")
        await ui.sees("New machine")
        create = ui.app.screen.query_one("#submit", Button)
        wrong = {
            "name": ("Bad Name", "is no name for a VM"),
            "image": ("nonsense", "No image is called nonsense"),
            "cpus": ("many", "is no number of cpus"),
            "memory": ("12Q", "is no size"),
            "disk": ("1K", "too small"),
        }
        for field, (text, said) in wrong.items():
            before = ui.app.screen.query_one(f"#{field}", Input).value
            await _fill(ui, **{field: text})
            await ui.sees(said)
            assert create.disabled
            await _fill(ui, **{field: before})
            await ui.until(lambda: not create.disabled, f"{field} is well again")
        await _fill(ui, memory="4000G")
        await ui.sees("more than this host has")
        ui.app.screen.query_one("#name").focus()
        await ui.press("enter")
        assert ui.app.focused is ui.app.screen.query_one("#memory"), "where the mistake is"
        await ui.press("escape")
        assert not ui.vms


async def test_name_that_is_taken(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "n")
        await ui.sees("New machine")
        await ui.press(*vm.name)
        await ui.sees(f"There is a machine called {vm.name} already")


async def _fill(ui: Running, **values: str) -> None:
    for field, text in values.items():
        ui.app.screen.query_one(f"#{field}", Input).value = text
    await ui.pilot.pause()
