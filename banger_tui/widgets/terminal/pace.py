"""How much of the event loop flooding terminals may take."""

from __future__ import annotations

import asyncio
from time import perf_counter
from weakref import WeakKeyDictionary

from .core import VtCore

BUDGET_SECONDS = 0.002
"""Feeding in one turn of the event loop, of all terminals together."""

MIN_SLICE, MAX_SLICE = 64, 4096
"""Limits of the bytes fed without looking at the clock."""

PLAIN_SLICES = 4
"""So many slices of text without any control sequence are fed as one: it costs what it seems to."""

_SLOW_SECONDS, _FAST_SECONDS = 0.0015, 0.0005


class _Turns:
    """The turns of one event loop: its terminals feed one after the other."""

    def __init__(self) -> None:
        self._order = asyncio.Lock()
        self._spent = 0.0

    async def take(self) -> None:
        """Return at once while there is budget, else when everything else had its turn."""
        if self._spent < BUDGET_SECONDS and not self._order.locked():
            return
        async with self._order:
            if self._spent >= BUDGET_SECONDS:
                await asyncio.sleep(0)
                self._spent = 0.0

    def spend(self, seconds: float) -> bool:
        """Account time just used; whether there is budget left."""
        self._spent += seconds
        return self._spent < BUDGET_SECONDS


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


class Pace:
    """The pace of one terminal.

    Work below the budget is never delayed, so an idle terminal answers at once. In a flood all
    other tasks run between any two turns.
    """

    def __init__(self) -> None:
        self._slice = MAX_SLICE

    @property
    def slice(self) -> int:
        """How many bytes to feed before the clock is looked at."""
        return self._slice

    async def turn(self) -> None:
        """Wait for this terminal's turn."""
        await _of_loop().take()

    def feed(self, terminal: VtCore, data: bytes, start: int) -> int:
        """Feed `data` from `start` on while the turn lasts; where the next begins.

        At least one slice is fed.
        """
        turns = _of_loop()
        while start < len(data):
            piece = self._piece(data, start, min(self._slice, terminal.slice_bytes))
            began = perf_counter()
            terminal.feed(piece)
            seconds = perf_counter() - began
            start += len(piece)
            self.account(seconds)
            if not turns.spend(seconds):
                break
        return start

    @staticmethod
    def _piece(data: bytes, start: int, size: int) -> bytes:
        if size >= MAX_SLICE:
            plain = data[start : start + PLAIN_SLICES * size]
            if b"\x1b" not in plain and plain.isascii():
                return plain
        return data[start : start + size]

    def account(self, seconds: float) -> None:
        """Size the next slice by how long the last one took."""
        if seconds > _SLOW_SECONDS:
            self._slice = max(MIN_SLICE, self._slice // 4)
        elif seconds < _FAST_SECONDS:
            self._slice = min(MAX_SLICE, self._slice * 2)


def _of_loop() -> _Turns:
    loop = asyncio.get_running_loop()
    found = _turns.get(loop)
    if found is None:
        found = _turns[loop] = _Turns()
    return found
