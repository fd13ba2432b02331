"""Guest output on its way into the emulator, in order and never for long at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import core
from .pace import Pace

if TYPE_CHECKING:
    from .view import TerminalView


class Feed:
    """The output of one view; it makes the view's emulator when the first comes."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._order = asyncio.Lock()
        self._pace = Pace()
        self._closed = False
        self.terminal: core.VtCore | None = None

    async def start(self) -> None:
        """Make the emulator, its library loaded in a thread. Raises ImportError or OSError."""
        await asyncio.to_thread(core.preload)
        if self.terminal is None and not self._closed:
            self._make()

    def preload(self) -> None:
        """Make the emulator soon; that none can be loaded is told to the first who writes."""
        self._view.run_worker(self.start(), exit_on_error=False)

    def restart(self) -> None:
        """A blank emulator in place of the one there is."""
        if self.terminal is not None:
            self.terminal.close()
            self._make()

    def close(self) -> None:
        """No emulator any more: what still comes is discarded."""
        self._closed = True
        if self.terminal is not None:
            self.terminal.close()
            self.terminal = None

    async def write(self, data: bytes) -> None:
        """See `TerminalView.write`."""
        async with self._order:
            if self.terminal is None and not self._closed:
                await self.start()
            start = 0
            while start < len(data):
                await self._pace.turn()
                terminal = self.terminal
                if terminal is None:
                    return
                start = self._pace.feed(terminal, data, start)
                if replies := terminal.take_replies():
                    self._view.send(replies)
                self._view.refresh_soon()
            self._view.fed()

    def _make(self) -> None:
        view = self._view
        self.terminal = core.create(*view.grid, scrollback_lines=view.scrollback_lines)
