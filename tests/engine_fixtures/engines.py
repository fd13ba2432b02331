"""Engines on the fake driver, in this process and in others."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.base import Launch, Vmm
from banger_tui.engine.hypervisors.fake import FakeDriver, FakeVmm
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.locks import held
from banger_tui.engine.model import VmRecord, VmSpec
from banger_tui.engine.network.ports import hold
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings

IMAGE = "busybox"
KERNEL = "debian-bookworm-cloud"
SHORT_LOCKS = {"vm_reservation", "image_publish"}


@dataclass
class WatchedDriver(FakeDriver):
    """A fake driver that notes each step with the locks held then, and refuses short ones."""

    steps: list[tuple[str, str]] = field(default_factory=list)

    async def _step(self, step: str, vm_id: str) -> None:
        self.steps.append((step, vm_id))
        offending = SHORT_LOCKS & set(held())
        assert not offending, f"the driver's {step} is called while {offending} is held"
        await super()._step(step, vm_id)

    async def launch(self, launch: Launch) -> Vmm:
        """Also leaves sockets, as a real one does."""
        launch.runtime.mkdir(parents=True, exist_ok=True)
        (launch.runtime / "qmp.sock").touch()
        (launch.directory / "console.log").write_bytes(b"fake console\r\n")
        return await super().launch(launch)


@dataclass
class WatchedBuilders(FakeBuilders):
    """Builders that refuse to run under a short lock."""

    async def image(self, *args: Any, **keywords: Any) -> Any:
        assert not SHORT_LOCKS & set(held()), f"an image is built while {held()} are held"
        return await super().image(*args, **keywords)

    async def kernel(self, *args: Any, **keywords: Any) -> Any:
        assert not SHORT_LOCKS & set(held()), f"a kernel is built while {held()} are held"
        return await super().kernel(*args, **keywords)


@dataclass
class ElsewhereDriver(WatchedDriver):
    """Takes VMs of other processes for living ones, as their QEMU processes would be."""

    def adopt(self, vm_id: str, pid: int, start: int) -> Vmm | None:
        if vm_id not in self.vmms:
            self.vmms[vm_id] = FakeVmm(pid)
        return super().adopt(vm_id, pid, start)


@asynccontextmanager
async def fake_engine(
    home: Path,
    driver: FakeDriver | None = None,
    builders: FakeBuilders | None = None,
    **settings: Any,
) -> AsyncIterator[Engine]:
    """An open engine below ``home``."""
    async with Engine(
        Paths.below(home),
        Settings(image=IMAGE, **settings),
        driver=driver or WatchedDriver(),
        artefacts=(builders or WatchedBuilders()).artefacts,
    ) as engine:
        yield engine


async def create(engine: Engine, name: str | None = None, **fields: Any) -> VmRecord:
    """A VM that runs."""
    operation = await engine.vms.create(VmSpec(name=name, image=IMAGE, **fields))
    return await operation.result()


def a_single_port() -> tuple[int, int]:
    """A range of one free port: a port that is not given back is missed at once."""
    for _ in range(200):
        port = random.randrange(20000, 32000)
        if found := hold(port):
            found.release()
            return port, port + 1
    raise AssertionError("this host has no free port")


def listener(port: int = 0) -> socket.socket:
    """Another program that listens on a loopback port."""
    return socket.create_server(("127.0.0.1", port))
