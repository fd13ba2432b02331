"""One look a second at the host and at each VM's process, while somebody watches."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.events import StatsSampled
from banger_tui.engine.hypervisors.base import Vmm
from banger_tui.engine.model import HostView, VmStats
from banger_tui.engine.vms.lifecycle import find_vmm

_INTERVAL = 1.0


class Sampler:
    """Publishes ``StatsSampled`` every second while the bus has listeners besides the engine."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._last: dict[tuple[str, int], tuple[float, float]] = {}
        self._cpu: tuple[int, int] = (0, 0)
        self.latest: dict[str, VmStats] = {}
        self.host: HostView | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="stats")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if self._ctx.bus.watched:
                await self.sample()
            await asyncio.sleep(_INTERVAL)

    async def sample(self) -> None:
        """Take one sample and publish it."""
        running = {
            vm.id: vmm
            for vm in await self._ctx.store.vms()
            if vm.running and (vmm := find_vmm(self._ctx, vm)) is not None
        }
        host, vms = await asyncio.to_thread(self._read, running)
        self.host = host
        self.latest = {stats.vm_id: stats for stats in vms}
        self._ctx.bus.publish(StatsSampled(host, tuple(vms)))

    def _read(self, running: dict[str, Vmm]) -> tuple[HostView, list[VmStats]]:
        now = time.monotonic()
        found: list[VmStats] = []
        last: dict[tuple[str, int], tuple[float, float]] = {}
        for vm_id, vmm in running.items():
            cpu, rss = vmm.cpu_seconds(), vmm.rss_bytes()
            if cpu is None or rss is None:
                continue
            key = (vm_id, vmm.pid)
            then, before = self._last.get(key, (now, cpu))
            share = (cpu - before) / (now - then) if now > then else 0.0
            last[key] = (now, cpu)
            found.append(VmStats(vm_id, time.time(), max(0.0, share), rss))
        self._last = last
        return self._host(), found

    def _host(self) -> HostView:
        busy, total = _cpu_times()
        was_busy, was_total = self._cpu
        self._cpu = (busy, total)
        share = (busy - was_busy) / (total - was_total) if was_total and total > was_total else 0.0
        memory_total, available = _memory()
        return HostView(
            cpus=os.cpu_count() or 1,
            cpu=min(1.0, max(0.0, share)),
            memory_total=memory_total,
            memory_used=memory_total - available,
            disk_free=shutil.disk_usage(self._ctx.paths.state).free,
        )


def _cpu_times() -> tuple[int, int]:
    """(busy, total) clock ticks of all cores since boot (proc(5), /proc/stat)."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def _memory() -> tuple[int, int]:
    """(total, available) bytes."""
    found: dict[str, int] = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in ("MemTotal", "MemAvailable"):
            found[key] = int(value.split()[0]) * 1024
    return found["MemTotal"], found.get("MemAvailable", 0)
