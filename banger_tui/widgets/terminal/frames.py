"""When a terminal is painted: at once when it is quiet, in even frames in a flood."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core import VtCore
    from .view import TerminalView

FRAME_SECONDS = 1 / 30
"""Between two frames at least, in a flood."""

SLOWEST_FRAME_SECONDS = 1 / 15
COST_SHARE = 6
"""Frames that take long come less often: the time between them is this many times their cost."""

MAX_HOLD_SECONDS = 0.15
"""A guest that never ends its synchronised update is painted all the same after this long."""

HURRY_SECONDS = 0.2
"""How long after a key frames come as often as they can: its echo is waited for."""

HIDDEN_SECONDS = 0.25
"""How soon bell and title of a terminal out of sight are told."""


class Frames:
    """The frames of one view. Out of sight there are none, only its reports."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._interval = FRAME_SECONDS
        self._cost = 0.0
        self._held_since: float | None = None
        self._hurry_until = 0.0

    def want(self) -> None:
        """Paint soon: at once when the last frame is old enough, else in its turn."""
        if self._timer is None:
            view = self._view
            delay = HIDDEN_SECONDS
            if view.shown:
                delay = max(0.0, self._last + self._interval - perf_counter())
            self._timer = asyncio.get_running_loop().call_later(delay, self._frame)

    def hurry(self) -> None:
        """A key was typed: for a moment, however costly frames are, they do not come less often."""
        self._hurry_until = perf_counter() + HURRY_SECONDS
        if self._interval > FRAME_SECONDS:
            self._interval = FRAME_SECONDS
            if self._timer is not None and self._view.shown:
                self.show()

    def show(self) -> None:
        """It has come into sight: what waited for long need not wait longer."""
        self.stop()
        self.want()

    def stop(self) -> None:
        """No frame for now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _frame(self) -> None:
        self._timer = None
        view, terminal = self._view, self._view.terminal
        if terminal is None:
            return
        now = self._last = perf_counter()
        if view.reports.tell(terminal):
            self.want()
        if not view.shown:
            return
        if self._hold(terminal, now):
            self.want()
            return
        view.paint(terminal)
        self._cost = 0.0
        self.account(perf_counter() - now)

    def account(self, seconds: float) -> None:
        """A part of this frame took that long."""
        self._cost += seconds
        share = self._cost * COST_SHARE if self._last > self._hurry_until else 0.0
        self._interval = max(FRAME_SECONDS, min(share, SLOWEST_FRAME_SECONDS))

    def _hold(self, terminal: VtCore, now: float) -> bool:
        """Whether the guest is in the middle of an update that it wants painted as one."""
        if not terminal.held:
            self._held_since = None
            return False
        if self._held_since is None:
            self._held_since = now
        return now - self._held_since < MAX_HOLD_SECONDS
