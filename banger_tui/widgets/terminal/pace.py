"""How much of the event loop a flooding terminal may take."""

from __future__ import annotations

import asyncio
from time import perf_counter

FRAME_SECONDS = 1 / 30
BUDGET_SECONDS = 0.008
MIN_SLICE, MAX_SLICE = 64, 4096
"""Limits of the bytes fed without looking at the clock."""

_SLOW_SECONDS, _FAST_SECONDS = 0.004, 0.001


class Pace:
    """A budget of loop time in every frame: spend it, then rest until the next frame.

    Work that stays below the budget is never delayed, so an idle terminal answers at once.
    """

    def __init__(self, budget: float = BUDGET_SECONDS, frame: float = FRAME_SECONDS) -> None:
        self._budget = budget
        self._frame = frame
        self._start = 0.0
        self._spent = 0.0
        self.slice = MAX_SLICE
        """How many bytes to feed next."""

    def spend(self, seconds: float) -> None:
        """Account loop time just used for one slice, and size the next by it."""
        self._spent += seconds
        if seconds > _SLOW_SECONDS:
            self.slice = max(MIN_SLICE, self.slice // 4)
        elif seconds < _FAST_SECONDS:
            self.slice = min(MAX_SLICE, self.slice * 2)

    async def turn(self) -> None:
        """Return at once while there is budget, else at the start of the next frame."""
        now = perf_counter()
        if now - self._start >= self._frame:
            self._start, self._spent = now, 0.0
        elif self._spent >= self._budget:
            await asyncio.sleep(self._start + self._frame - now)
            self._start, self._spent = perf_counter(), 0.0
