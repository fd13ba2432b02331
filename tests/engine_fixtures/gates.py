"""Gates: a test holds work at a chosen place until it has seen what it came for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from banger_tui.engine.errors import BangerError
from banger_tui.engine.operations import Run
from banger_tui.engine.stages import LiveStage

#: How long a test waits for what must happen, on a machine busy with other things.
PATIENCE = 60.0

Place = Literal["begin", "end"]


class Gate:
    """Closed until ``open``. Whoever comes by waits; ``reached`` tells that somebody does."""

    def __init__(self, failure: BangerError | None = None) -> None:
        self._failure = failure
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()
        self.passed = 0

    async def __call__(self, *_: object) -> None:
        self._reached.set()
        if self._failure is not None:
            raise self._failure
        await self._opened.wait()
        self.passed += 1

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()

    def open(self) -> None:
        self._opened.set()


class Meeting:
    """Lets nobody through until ``wanted`` are there at the same time."""

    def __init__(self, wanted: int) -> None:
        self._barrier = asyncio.Barrier(wanted)

    async def __call__(self, *_: object) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._barrier.wait()


def gate_stage(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, place: Place, gate: Gate
) -> None:
    """Put a gate at the begin or the end of one stage of operations of this kind."""
    original = Run.stage

    @asynccontextmanager
    async def stage(run: Run, wanted: str) -> AsyncIterator[LiveStage]:
        here = wanted == name and run._operation.view.kind == kind
        async with original(run, wanted) as live:
            if here and place == "begin":
                await gate()
            yield live
            if here and place == "end":
                await gate()

    monkeypatch.setattr(Run, "stage", stage)
