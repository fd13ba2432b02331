"""A driver without VMs: in memory, scriptable, for tests of everything above it and for a tour.

Delays and failures are set by hand per step. VMMs are objects with made-up process ids (above the
kernel's limit of 2^22, so they can never be somebody's); they end with this process, just as QEMU's
would after a reboot of the host.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from banger_tui.engine.errors import BangerError, GuestUnreachable
from banger_tui.engine.hypervisors.base import (
    Capabilities,
    Channel,
    Console,
    Launch,
    Probe,
    Transport,
    Vmm,
)
from banger_tui.engine.hypervisors.fake_guest import FakeTransport, Tape, TapeReader
from banger_tui.engine.model import VmRecord

if TYPE_CHECKING:
    pass

_FIRST_PID = 1 << 23


class FakeVmm:
    """A process that is none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.start = 1
        self._ended = asyncio.Event()
        self.screen = Tape()

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    async def gone(self, timeout: float | None = None) -> bool:
        try:
            async with asyncio.timeout(timeout):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def end(self, grace: float = 2.0) -> None:
        self.crash()

    def crash(self) -> None:
        """End at once, as by kill -9."""
        self._ended.set()
        self.screen.close()

    def cpu_seconds(self) -> float | None:
        return 1.0 if self.alive else None

    def rss_bytes(self) -> int | None:
        return 100 << 20 if self.alive else None


@dataclass
class FakeDriver:
    """Implements ``Driver``.

    Steps: check, create_disk, launch, sign_of_life, wait_ready, forward, ask, quit, connect.

    ``delays[step]`` is seconds the step takes; ``failures[step]`` is raised by it; ``hooks[step]``
    is awaited in it with the VM's id.
    """

    delays: dict[str, float] = field(default_factory=dict)
    failures: dict[str, BangerError] = field(default_factory=dict)
    hooks: dict[str, Callable[[str], Awaitable[None]]] = field(default_factory=dict)
    boot_seconds: float = 0.02
    vmms: dict[str, FakeVmm] = field(default_factory=dict)
    shells: dict[str, dict[str, Tape]] = field(default_factory=dict)
    connections: dict[str, FakeConnection] = field(default_factory=dict)
    taken_ports: set[int] = field(default_factory=set)
    ignores_poweroff: bool = False

    name = "fake"
    _pids = itertools.count(_FIRST_PID)

    async def _step(self, step: str, vm_id: str) -> None:
        if hook := self.hooks.get(step):
            await hook(vm_id)
        await asyncio.sleep(self.delays.get(step, 0.0))
        if failure := self.failures.get(step):
            raise failure

    async def probe(self) -> Probe:
        return Probe("fake", True, "1", "none", "no VMs are run: for tests and a look around")

    async def capabilities(self) -> Capabilities:
        return Capabilities("none", ("fake", "fake-fallback"))

    async def check(self) -> None:
        await self._step("check", "")

    async def create_disk(self, rootfs: Path, disk: Path, size: int) -> None:
        await self._step("create_disk", disk.parent.name)
        await asyncio.to_thread(disk.write_bytes, b"")

    async def launch(self, launch: Launch) -> Vmm:
        await self._step("launch", launch.vm_id)
        vmm = FakeVmm(next(self._pids))
        self.vmms[launch.vm_id] = vmm
        self.shells[launch.vm_id] = {}
        vmm.screen.write(f"Booting {launch.name}\r\n".encode())
        return vmm

    async def sign_of_life(self, launch: Launch) -> None:
        await asyncio.sleep(self.boot_seconds / 2)
        await self._step("sign_of_life", launch.vm_id)

    async def wait_ready(self, vm_id: str, runtime: Path) -> None:
        await asyncio.sleep(self.boot_seconds / 2)
        await self._step("wait_ready", vm_id)
        self.vmms[vm_id].screen.write(b"Ready\r\n# ")

    async def forward(self, vm_id: str, runtime: Path, host_port: int, guest_port: int) -> bool:
        await self._step("forward", vm_id)
        return host_port not in self.taken_ports

    async def ask(self, vm_id: str, runtime: Path, request: str, timeout: float = 5.0) -> str:
        await self._step("ask", vm_id)
        vmm = self.vmms.get(vm_id)
        if vmm is None or not vmm.alive:
            raise GuestUnreachable("The guest's control port is closed", "")
        if request == "poweroff" and not self.ignores_poweroff:
            asyncio.get_running_loop().call_later(0.01, vmm.crash)
        return "0.0" if request == "uptime" else ""

    async def quit(self, vm_id: str, runtime: Path) -> None:
        await self._step("quit", vm_id)
        if vmm := self.vmms.get(vm_id):
            vmm.crash()

    def adopt(self, vm_id: str, pid: int, start: int) -> Vmm | None:
        vmm = self.vmms.get(vm_id)
        return vmm if vmm is not None and vmm.pid == pid and vmm.alive else None

    def find(self, vm_id: str) -> list[Vmm]:
        vmm = self.vmms.get(vm_id)
        return [vmm] if vmm is not None and vmm.alive else []

    def strays(self, runtime: Path) -> dict[str, list[Vmm]]:
        return {vm_id: [vmm] for vm_id, vmm in self.vmms.items() if vmm.alive}

    async def console(self, vm: VmRecord, directory: Path, runtime: Path) -> Console:
        vmm = self.vmms.get(vm.id)
        tape = vmm.screen if vmm is not None else Tape()
        if vmm is None:
            tape.close()
        return FakeConsole(tape, "# ")

    def transport(self, vm: VmRecord) -> Transport:
        shells = self.shells.setdefault(vm.id, {})
        made = FakeConnection(self, vm, FakeTransport(vm, self.vmms.get(vm.id), shells))
        self.connections[vm.id] = made
        return made


class FakeConsole(TapeReader):
    """Implements ``Console``."""

    def fit_command(self, columns: int, rows: int) -> bytes:
        return f"stty cols {columns} rows {rows}\r".encode()


class FakeConnection:
    """Implements ``Transport``: what answers, behind a connection that a test can cut."""

    def __init__(self, driver: FakeDriver, vm: VmRecord, guest: FakeTransport) -> None:
        self._driver = driver
        self._vm = vm
        self._guest = guest
        self._lost: asyncio.Future[str] | None = None
        self.made = 0
        """How often it was connected."""

    async def connect(self) -> None:
        if self._lost is not None and not self._lost.done():
            return
        await self._driver._step("connect", self._vm.id)
        self._lost = asyncio.get_running_loop().create_future()
        self.made += 1

    def cut(self, why: str = "cut") -> None:
        """Break it, as a reset of the connection would."""
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(why)

    async def lost(self) -> str:
        return "It was closed." if self._lost is None else await asyncio.shield(self._lost)

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        await self.connect()
        return await self._guest.open(argv, pty=pty, term=term)

    async def close(self) -> None:
        self.cut("It was closed.")
        await self._guest.close()
