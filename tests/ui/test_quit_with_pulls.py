"""Quitting while an image is pulled asks, and what is left goes on at the next start."""

from __future__ import annotations

import pytest
from textual.widgets import Button

from banger_tui.engine.errors import BadContent
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.model import OperationState
from tests.engine_fixtures.gates import Gate
from tests.ui.conftest import Running, Start


async def _pull(ui: Running, gate: Gate) -> None:
    """Pull by the screen of images, until the gate holds it."""
    await ui.press("2")
    await ui.sees("No images yet.")
    await ui.press("right")
    await ui.sees("● alpine" if "alpine" in ui.app.bridge.world.images else "○ alpine")
    await ui.press("g", "enter")
    await gate.reached()


async def test_leave_and_it_goes_on_at_the_next_start(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _pull(ui, gate)
        await ui.press("q")
        await ui.sees("Quit now?", "pull image alpine", "Go on waiting", "Cancel and quit",
                      "at the next start.", "Running machines run on")  # fmt: skip
        assert isinstance(ui.app.focused, Button)
        assert ui.app.focused.id == "stay"
        await ui.press("enter")
        await ui.until(lambda: "Quit now?" not in ui.shown())
        assert not ui.ended("pull image"), "the safe answer does nothing"
        await ui.press("q")
        await ui.sees("Quit now?")
        await ui.press("l")
        await ui.until(lambda: not ui.app.is_running, "the app has ended")
    gate.open()
    async with start() as ui:
        await ui.until(lambda: any("Resumed" in told and "alpine" in told for told in ui.told))
        await ui.until(lambda: "alpine" in ui.app.bridge.world.images, "it is pulled")
        await ui.until(lambda: ": alpine is here" in ui.told)
    async with start() as ui:
        await ui.pilot.pause(0.3)
        assert not any("Resumed" in told for told in ui.told), "it is begun once"


async def test_cancel_and_nothing_goes_on(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _pull(ui, gate)
        await ui.press("q")
        await ui.sees("Quit now?")
        await ui.press("c")
        await ui.until(lambda: not ui.app.is_running, "the app has ended")
    async with start() as ui:
        operations = await ui.app.bridge.engine.operations.list()
        assert [o.state for o in operations] == [OperationState.CANCELLED]
        assert not await ui.app.bridge.engine.images.list()


async def test_resumed_pull_that_fails_is_told(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _pull(ui, gate)
        await ui.press("q")
        await ui.sees("Quit now?")
        await ui.press("l")
        await ui.until(lambda: not ui.app.is_running, "the app has ended")
    gate.open()
    builders.failures["flatten"] = BadContent("Layer 2 is broken", "", "")
    async with start() as ui:
        await ui.until(lambda: "Failed: pull image alpine: Layer 2 is broken" in ui.told)


@pytest.mark.parametrize("answer", ["escape", "w"])
async def test_stay(start: Start, builders: FakeBuilders, answer: str) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _pull(ui, gate)
        await ui.press("q")
        await ui.sees("Quit now?")
        await ui.press(answer)
        await ui.until(lambda: "Quit now?" not in ui.shown())
        gate.open()
        await ui.until(lambda: "alpine" in ui.app.bridge.world.images)


async def test_a_create_that_pulls_is_only_cancelled(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["install packages"] = Gate()
    async with start() as ui:
        await ui.press("r")
        await gate.reached()
        await ui.press("q")
        await ui.sees("Quit now?", "Quitting cancels")
        assert "resume later" not in ui.shown()
        await ui.press("y")
        await ui.until(lambda: not ui.app.is_running, "the app has ended")
