"""Every driver, in turn: the fake one always, QEMU with real boots (``-m live``)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.base import Channel, Driver
from banger_tui.engine.model import VmRecord
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.engines import IMAGE, WatchedDriver, create
from tests.engine_fixtures.template import linked


@dataclass
class Bench:
    """One driver and a home for it. ``driver=None``: real guests, with disks and networks."""

    home: Path
    driver: Driver | None

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        """Open an engine; a second time on the same home, as after a restart of the program."""
        async with Engine(
            Paths.below(self.home), Settings(image=IMAGE), driver=self.driver
        ) as engine:
            yield engine

    async def vm(self, engine: Engine, name: str = "web") -> VmRecord:
        """The VM of this name, running; made when it is not there."""
        known = {vm.name: vm for vm in await engine.vms.list()}
        if name not in known:
            return await create(engine, name, memory_mib=256)
        if not known[name].running:
            return await (await engine.vms.start(name)).result()
        return known[name]


@pytest.fixture(scope="module")
def lasting_home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests of a module: a VM booted in one serves the next."""
    with linked(template, tmp_path_factory.mktemp("lasting") / "home") as home:
        yield home


@pytest.fixture(params=["fake", pytest.param("qemu", marks=pytest.mark.live)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Whatever an earlier test left is there: ask it for a VM by name."""
    if request.param == "fake":
        return Bench(tmp_path / "home", WatchedDriver())
    return Bench(request.getfixturevalue("lasting_home"), None)


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Bench:
    """QEMU only: what needs a guest's kernel, disk or network."""
    return Bench(request.getfixturevalue("lasting_home"), None)


async def all_of(channel: Channel) -> tuple[bytes, bytes, int]:
    """(stdout, stderr, exit code) of a command, read to its end."""
    out, err = b"", b""
    while data := await channel.read():
        out += data
    while data := await channel.read_stderr():
        err += data
    code = await channel.wait()
    await channel.close()
    return out, err, code
