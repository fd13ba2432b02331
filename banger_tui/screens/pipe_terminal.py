"""A session without a terminal of its own, in a terminal: lines out, lines in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.sessions.attach import Attached

_END, _INTERRUPT = 0x04, 0x03  # ctrl+d, ctrl+c


class PipeTerminal:
    """Does what a guest's tty would: new lines begin at the left, what is typed is seen."""

    def __init__(
        self, view: TerminalView, attached: Attached, interrupt: Callable[[], Awaitable[None]]
    ) -> None:
        self._view = view
        self._attached = attached
        self._interrupt = interrupt

    async def show(self) -> None:
        """Show stdout, and stderr in another colour, until both have ended."""
        await asyncio.gather(self._show_out(), self._show_err())

    async def _show_out(self) -> None:
        while data := await self._attached.read():
            await self._view.write(_lines(data))

    async def _show_err(self) -> None:
        while data := await self._attached.read_stderr():
            await self._view.write(b"\x1b[31m" + _lines(data) + b"\x1b[39m")

    async def typed(self, data: bytes) -> None:
        """Send what was typed; ctrl+d ends stdin, ctrl+c interrupts."""
        text = data.replace(b"\r", b"\n")
        plain = bytes(b for b in text if b not in (_END, _INTERRUPT))
        if plain:
            await self._view.write(_lines(plain))
            await self._attached.write(plain)
        if _INTERRUPT in text:
            await self._interrupt()
        if _END in text:
            await self._attached.write_eof()


def _lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
