"""A search of a terminal, driven in short turns so that the event loop is never kept waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import status

if TYPE_CHECKING:
    from .view import TerminalView

REST_SECONDS = 0.004
AFTER_OUTPUT_SECONDS = 0.1


class Searching:
    """The search of one view, at most one at a time."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._timer: asyncio.TimerHandle | None = None
        self.needle = ""
        self.complete = True
        """Whether all of the text has been looked through."""

    @property
    def status(self) -> str:
        """Where the search is, in words; empty without one."""
        terminal = self._view.terminal
        if not self.needle or terminal is None:
            return ""
        number, count = terminal.search_place
        if count or self.complete:
            return status.matches((number, count)) + ("" if self.complete else "+")
        return "searching"

    def begin(self, needle: str) -> None:
        """Look for a text in place of the one before; the empty string ends the search."""
        terminal = self._view.terminal
        if terminal is None:
            return
        self.needle = needle
        self.complete = not needle
        terminal.search(needle)
        if needle:
            self._soon(0.0)
        else:
            self.stop()
        self._view.refresh_soon()

    def output(self) -> None:
        """There is new text to look through."""
        if self.needle:
            self._soon(AFTER_OUTPUT_SECONDS)

    def forget(self) -> None:
        """The emulator is another one."""
        self.needle = ""
        self.complete = True
        self.stop()

    def stop(self) -> None:
        """No more turns for now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _soon(self, delay: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._work)

    def _work(self) -> None:
        self._timer = None
        view, terminal = self._view, self._view.terminal
        if terminal is None or not self.needle or not view.shown:
            return
        self.complete = not terminal.search_work()
        if not self.complete:
            self._soon(REST_SECONDS)
        view.refresh_soon()
        view.show_status()
