"""Nothing blocks the event loop: neither the engine's work nor what is drawn of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from textual.widgets import Input

from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.model import SessionSpec
from banger_tui.widgets.terminal import TerminalView
from tests.ui.conftest import LEAVE, Running, SlowCallbacks, Start
from tests.ui.panel import Panel, machines

_ATTEMPTS = 4
_USUAL = 0.05
# Textual styles, lays out and paints a new screen in one step: 30 to 60 ms for the form in
# asyncio's debug mode, about half of it without.
_OPENING_A_DIALOG = 0.1
# So is a panel that is split, or made as large as the screen: 50 to 65 ms on a busy host.
_A_WHOLE_SCREEN = 0.1


async def _create(ui: Running) -> None:
    """A sandbox, and a command in its shell."""
    count = len(ui.vms)
    await ui.press("r")
    await ui.until(
        lambda: len(ui.vms) == count + 1 and isinstance(ui.app.focused, TerminalView),
        "the new machine's shell has the focus",
    )
    await ui.press(*"echo good", "enter")
    await ui.press(*LEAVE)


async def _dialogs(ui: Running) -> None:
    """A machine by the form; a question, and the answer no."""
    count = len(ui.vms)
    await ui.press("n")
    await ui.sees("New machine")
    await ui.press("enter")
    await ui.until(
        lambda: len(ui.vms) == count + 1 and isinstance(ui.app.focused, TerminalView),
        "the new machine's shell has the focus",
    )
    await ui.press(*LEAVE)
    await ui.press("d")
    await ui.sees("Delete")
    await ui.press("escape")


async def _images(ui: Running) -> None:
    """The catalog, a pull by the dialog, its end; the kernels, and back."""
    await ui.press("2", "right")
    await ui.sees("debian-bookworm-slim")
    name = f"mine-{len(ui.app.bridge.world.images)}"
    await ui.press("p")
    await ui.sees("Pull an image")
    ui.app.screen.query_one("#image", Input).value = "alpine:3.20"
    ui.app.screen.query_one("#name", Input).value = name
    await ui.press("enter")
    await ui.until(lambda: name in ui.app.bridge.world.images, "it is pulled")
    await ui.press("left")
    await ui.sees(name)
    await ui.press("3")
    await ui.sees("Kernels")
    await ui.press("1")
    await ui.sees("No machines yet.")


async def _terminals(ui: Running) -> None:
    """Two shells: through their tabs, side by side, full screen, and a search."""
    panel = Panel(ui)
    if not ui.vms:
        await machines(ui, "fox")
    fox = ui.vms["fox"]
    view = await panel.shell(fox)
    if "shell-2" not in ui.driver.shells[fox.id]:
        await panel.leader("s")
        await panel.on(fox, "shell-2")
        await panel.leader("N")
        await panel.on(fox)
    panel.tape(fox).write(b"one of many lines\r\n" * 300 + b"~# ")
    await panel.leader("n", "N", "2", "|", "o", "|", "f", "f")
    await panel.leader("2")
    await panel.on(fox)
    await panel.leader("/")
    await ui.press(*"many", "enter")
    await ui.until(lambda: " of " in view.status, "what is found is counted")
    await ui.press("N", "n", "escape", "escape")
    await ui.press(*LEAVE)


async def _sessions(ui: Running) -> None:
    """The list of sessions: filtered, marked, asked about, and back."""
    if not ui.vms:
        (fox,) = await machines(ui, "fox")
        for number in range(60):
            await ui.app.bridge.engine.sessions.start(fox.id, SessionSpec(name=f"s{number:02}"))
    await ui.press("4")
    await ui.sees("s00", "s20", "What it said last")
    await ui.press("j", "j", "G", "g", "space", "t", "T")
    await ui.press("/", *"s1", "enter")
    await ui.sees("matching s1")
    await ui.press("escape", "ctrl+a", "x")
    await ui.sees("Stop 60 sessions?")
    await ui.press("escape", "escape", "n")
    await ui.sees("New session")
    await ui.press("escape", "1")


@pytest.mark.parametrize(
    ("steps", "seconds"),
    [
        (_create, _USUAL),
        (_dialogs, _OPENING_A_DIALOG),
        (_images, _OPENING_A_DIALOG),
        (_terminals, _A_WHOLE_SCREEN),
        (_sessions, _OPENING_A_DIALOG),
    ],
)
async def test_no_callback_blocks_the_loop(
    start: Start,
    slow_callbacks: SlowCallbacks,
    steps: Callable[[Running], Awaitable[None]],
    seconds: float,
) -> None:
    async with start(FakeDriver(boot_seconds=0.6)) as ui:
        for _ in range(_ATTEMPTS):
            slow_callbacks.begin(seconds)
            await steps(ui)
            if not slow_callbacks.seen:
                return
        # On a busy host the kernel sets a callback aside now and then; a blocking call comes again.
        raise AssertionError("\n".join(slow_callbacks.seen))


async def test_the_guard_sees_a_callback_that_blocks(
    start: Start, slow_callbacks: SlowCallbacks
) -> None:
    async with start() as ui:
        slow_callbacks.begin(0.05)
        asyncio.get_running_loop().call_soon(time.sleep, 0.06)
        await ui.press("?")
        assert any("sleep" in message for message in slow_callbacks.seen)
