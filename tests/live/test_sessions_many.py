"""Many guests with some sessions each: all are listed, attached and streamed side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import SessionMode, SessionSpec, SessionState
from banger_tui.engine.paths import Paths
from banger_tui.engine.sessions.attach import Attached
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.template import IMAGE

VMS = [f"vm-{number}" for number in range(10)]
SESSIONS = [(f"t-{number}", SessionMode.PTY) for number in range(3)] + [
    (f"p-{number}", SessionMode.PIPE) for number in range(2)
]
PATIENCE = 300.0
BEAT = 0.02
ECHO = ("sh", "-c", 'while read -r line; do echo "got $line"; done')
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


@asynccontextmanager
async def watched(what: str) -> AsyncIterator[None]:
    """Print how long it takes, and how late the event loop came back at worst."""
    worst = 0.0

    async def beat() -> None:
        nonlocal worst
        while True:
            due = time.monotonic() + BEAT
            await asyncio.sleep(BEAT)
            worst = max(worst, time.monotonic() - due)

    beating = asyncio.create_task(beat())
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    finally:
        beating.cancel()
        took = time.monotonic() - began
        print(f"{what}: {took:.1f} s, the event loop at most {worst * 1000:.0f} ms late")


def connections(port: int) -> int:
    """How many established TCP connections lead to a port of this host (proc(5), net/tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2] == f"0100007F:{port:04X}" and row[3] == "01" for row in rows)


async def read_until(attached: Attached, wanted: bytes) -> None:
    seen = b""
    while wanted not in seen:
        data = await attached.read()
        assert data, f"it ended before {wanted!r} came: {seen[-500:]!r}"
        seen += data


async def test_ten_guests_with_five_sessions_each(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE, boot_seconds=600)) as engine:
        sessions = engine.sessions
        every = [(vm, name) for vm in VMS for name, _ in SESSIONS]
        async with watched("boot"):
            records = await asyncio.gather(*(create(engine, vm, memory_mib=128) for vm in VMS))

        async with watched("start"):
            await asyncio.gather(*(
                sessions.start(vm, SessionSpec(ECHO, name, mode=mode))
                for vm in VMS for name, mode in SESSIONS
            ))  # fmt: skip

        async with watched("list"):
            views = await sessions.list()
        assert [(view.vm_name, view.name) for view in views] == sorted(every)
        assert {view.state for view in views} == {SessionState.RUNNING}

        async with watched("attach"):
            attached = dict(
                zip(
                    every,
                    await asyncio.gather(*(sessions.attach(*one, (80, 24)) for one in every)),
                    strict=True,
                )
            )
        assert all(one.writer for one in attached.values())

        async def talk(vm: str, name: str) -> None:
            word = f"{name}-of-{vm}".encode()
            await attached[vm, name].write(word + b"\n")
            await read_until(attached[vm, name], b"got " + word)

        async with watched("talk"):
            await asyncio.gather(*(talk(*one) for one in every))

        async def follow(vm: str, name: str) -> None:
            seen = b""
            async for chunk in sessions.stream(vm, name, follow=True):
                seen += chunk.data
                if f"got {name}-of-{vm}".encode() in seen:
                    return

        async with watched("stream"):
            await asyncio.gather(*(follow(*one) for one in every))

        # With all of them attached others are served as ever, over the same connection.
        async with watched("list again"):
            views = await sessions.list()
        assert {view.viewers for view in views} == {1}
        assert all(view.writer for view in views)
        assert {vm.name: connections(vm.ssh_port) for vm in records} == dict.fromkeys(VMS, 1)

        async with watched("close"):
            await asyncio.gather(*(one.close() for one in attached.values()))
        async with watched("delete"):
            await asyncio.gather(*(sessions.delete(*one, force=True) for one in every))
        assert await sessions.list() == []
