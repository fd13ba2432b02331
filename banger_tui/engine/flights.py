"""One pull for all who wait for it.

Within a process those who need the same thing share one operation: it is cancelled when the last
of them leaves. Between processes the pull's file lock (``locks.image_pull``) makes the others wait
and then find the thing there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from banger_tui.engine.operations import Operation
from banger_tui.engine.stages import LiveStage

T = TypeVar("T")


@dataclass(slots=True)
class _Flight:
    operation: asyncio.Task[Operation[Any]]
    passengers: int = 0


class Flights:
    """Pulls under way in this process, by what is pulled."""

    def __init__(self) -> None:
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def join(
        self,
        key: tuple[str, str],
        begin: Callable[[], Awaitable[Operation[T]]],
        stage: LiveStage,
    ) -> T:
        """Wait for the operation under ``key``, beginning it if there is none.

        Its stages are mirrored below ``stage``. Raises what it raises.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.ensure_future(_begin(begin)))
            self._flights[key] = flight
        flight.passengers += 1
        try:
            operation: Operation[T] = await asyncio.shield(flight.operation)
            async for view in operation.events():
                stage.mirror(view.stages)
            return await operation.result()
        finally:
            flight.passengers -= 1
            if flight.passengers == 0:
                self._flights.pop(key, None)
                await asyncio.shield(_land(flight))


async def _begin(begin: Callable[[], Awaitable[Operation[T]]]) -> Operation[T]:
    return await begin()


async def _land(flight: _Flight) -> None:
    """Nobody waits any more: end the operation if it runs, and let it clean up."""
    operation = await flight.operation
    operation.cancel()
    async for _ in operation.events():
        pass
