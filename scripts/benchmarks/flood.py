"""How much guest output a second the terminal takes: the emulator alone and the whole widget."""

from __future__ import annotations

import asyncio
import time

from textual.app import App, ComposeResult

from banger_tui.widgets.terminal import TerminalView, core
from scripts.benchmarks.samples import Table

_MIB = 1 << 20
_CHUNK = 64 << 10
_LINE = b"The quick brown fox jumps over the lazy dog. 0123456789 0123456789 0123456789\r\n"
_COLOURED = (
    b"\x1b[1;32mok\x1b[0m  \x1b[38;2;90;160;220mtests/unit\x1b[0m/"
    b"test_\x1b[33mevents\x1b[0m 12 ms\r\n"
)
LOADS = {"plain lines": _LINE, "coloured lines": _COLOURED}


class _Screen(App[None]):
    def compose(self) -> ComposeResult:
        yield TerminalView()


def emulator(line: bytes, size: int) -> float:
    """Bytes a second of the emulator with its damage read after each chunk."""
    terminal = core.create(120, 36)
    chunk = line * (_CHUNK // len(line))
    began = time.perf_counter()
    fed = 0
    while fed < size:
        terminal.feed(chunk)
        terminal.take_dirty()
        fed += len(chunk)
    seconds = time.perf_counter() - began
    terminal.close()
    return fed / seconds


async def widget(line: bytes, size: int) -> tuple[float, float]:
    """(bytes a second, worst lateness of the event loop in seconds) of the widget on a screen."""
    app = _Screen()
    chunk = line * (_CHUNK // len(line))
    worst = 0.0

    async def heartbeat() -> None:
        nonlocal worst
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.005
            await asyncio.sleep(0.005)
            worst = max(worst, loop.time() - due)

    async with app.run_test(size=(120, 36)) as pilot:
        view = app.query_one(TerminalView)
        await view.write(chunk)
        await pilot.pause()
        beating = asyncio.create_task(heartbeat())
        began = time.perf_counter()
        fed = 0
        while fed < size:
            await view.write(chunk)
            fed += len(chunk)
        seconds = time.perf_counter() - began
        beating.cancel()
        await asyncio.wait([beating])
    return fed / seconds, worst


def report() -> Table:
    core.preload()
    rows = []
    for name, line in LOADS.items():
        alone = emulator(line, 64 * _MIB)
        shown, worst = asyncio.run(widget(line, 16 * _MIB))
        rows.append(
            [name, f"{alone / 1e6:.0f} MB/s", f"{shown / 1e6:.1f} MB/s", f"{worst * 1000:.0f} ms"]
        )
    return Table(
        "A flood of guest output",
        "On a grid of 120 x 36: the emulator alone; the whole widget on a (headless) screen, "
        "frames painted; and how late the event loop came at worst meanwhile.",
        ("", "emulator", "widget", "loop late by"),
        rows,
    )
