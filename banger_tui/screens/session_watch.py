"""Keeps ``World.sessions``: guests are asked when something may have changed, and now and then."""

from __future__ import annotations

import asyncio
import contextlib
import time

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import SessionView

#: Seconds for which an answer is good: each costs the guest some work.
FRESH = 10.0


class SessionWatch:
    """Asks for one screen. Nothing is asked twice at a time."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._asked: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    def look(self, vm_id: str, fresh: float = 0.0) -> None:
        """Ask a machine that runs, unless an answer is younger than ``fresh`` seconds."""
        vm = self._bridge.world.vms.get(vm_id)
        if vm is None or not vm.running or not self._bridge.is_open:
            return
        if vm_id in self._tasks:
            if not fresh:
                self._again.add(vm_id)
        elif time.monotonic() - self._asked.get(vm_id, -FRESH) >= fresh:
            task = asyncio.create_task(self._look(vm_id), name=f"sessions of {vm.name}")
            self._tasks[vm_id] = task

    def look_everywhere(self, fresh: float = 0.0) -> None:
        """Ask every machine that runs."""
        for vm_id in tuple(self._bridge.world.vms):
            self.look(vm_id, fresh)

    async def close(self) -> None:
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look(self, vm_id: str) -> None:
        try:
            while True:
                self._again.discard(vm_id)
                # A guest that does not answer: what it last said stands, and is asked for again.
                with contextlib.suppress(BangerError):
                    self._heard(vm_id, await self._bridge.engine.sessions.list(vm_id))
                if vm_id not in self._again:
                    return
        finally:
            self._asked[vm_id] = time.monotonic()
            self._tasks.pop(vm_id, None)

    def _heard(self, vm_id: str, found: list[SessionView]) -> None:
        world = self._bridge.world
        if vm_id in world.vms and world.sessions.get(vm_id) != tuple(found):
            world.sessions[vm_id] = tuple(found)
            self._bridge.look_again()
