"""Many programs over the one connection to a real guest."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.events import LinkChanged
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.hypervisors.ssh_transport import CHANNELS
from banger_tui.engine.model import LinkState, VmRecord
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.template import IMAGE

pytestmark = pytest.mark.timeout(600)
PATIENCE = 200.0


async def said(channel: Channel) -> bytes:
    out = b""
    async with asyncio.timeout(PATIENCE):
        while data := await channel.read():
            out += data
        await channel.wait()
    await channel.close()
    return out


def connections(vm: VmRecord) -> int:
    """Open connections of this process to the VM's ssh port (proc(5): /proc/net/tcp)."""
    mine = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            mine.add(os.readlink(entry))
        except OSError:
            continue
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    port = f":{vm.ssh_port:04X}"
    return sum(row[2].endswith(port) and f"socket:[{row[9]}]" in mine for row in rows)


async def test_one_connection_carries_it_all(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        vm = await create(engine, "web", memory_mib=256)
        transport = await engine.transports.of("web")

        # 50 terminals and 50 streams at a time, all heard of.
        terminals = await asyncio.gather(
            *(transport.open(["sh", "-c", f"echo t{n}; read x"], pty=(80, 24)) for n in range(50))
        )
        streams = await asyncio.gather(
            *(transport.open(["sh", "-c", f"seq {n} {n + 2000}; read x"]) for n in range(50))
        )
        async with asyncio.timeout(PATIENCE):
            for number, terminal in enumerate(terminals):
                seen = b""
                while f"t{number}".encode() not in seen:
                    seen += await terminal.read()
        assert await asyncio.to_thread(connections, vm) == 1
        for channel in (*terminals, *streams):
            await channel.write(b"\n")
        await asyncio.gather(*(said(terminal) for terminal in terminals))
        for number, output in enumerate(await asyncio.gather(*map(said, streams))):
            assert output == b"".join(b"%d\n" % n for n in range(number, number + 2001))

        # What a closed channel makes it ask again is started once all the same.
        at_once = asyncio.Semaphore(12)

        async def noted(number: int) -> bytes:
            async with at_once:
                return await said(
                    await transport.open(["sh", "-c", f"echo {number} >>/tmp/starts"])
                )

        await asyncio.gather(*map(noted, range(150)))
        starts = await said(await transport.open(["cat", "/tmp/starts"]))
        assert sorted(map(int, starts.split())) == list(range(150))

        # More than there is room for wait for their turn.
        async def short(number: int) -> bytes:
            return await said(await transport.open(["sh", "-c", f"sleep 0.2; echo {number}"]))

        wanted = CHANNELS + 40
        outputs = await asyncio.gather(*(short(number) for number in range(wanted)))
        assert outputs == [b"%d\n" % number for number in range(wanted)]
        assert await asyncio.to_thread(connections, vm) == 1

        # What nobody reads stays in the guest.
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        flood = await transport.open(["sh", "-c", "echo on; exec cat /dev/zero"])
        async with asyncio.timeout(PATIENCE):
            assert await flood.read()
        assert (
            await said(await transport.open(["sh", "-c", "sleep 2; echo through"])) == b"through\n"
        )
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 << 10  # KiB
        await flood.close()

        # The flood's cat has gone with its channel.
        assert await said(await transport.open(["sh", "-c", "pidof cat; echo none"])) == b"none\n"


async def test_a_guest_that_ends_the_connection_is_connected_again(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        vm = await create(engine, "web", memory_mib=256)
        transport = await engine.transports.of("web")
        waiting = await transport.open(["sleep", "1000"])
        states = []
        with engine.events() as events:
            # The connection's own process in the guest is the parent of what runs over it.
            killed = await transport.open(["sh", "-c", f"kill -{signal.SIGKILL.value} $PPID"])
            async with asyncio.timeout(PATIENCE):
                assert await killed.wait() == 255
                assert await waiting.wait() == 255
                async for event in events:
                    if isinstance(event, LinkChanged):
                        states.append(event.link.state)
                        if event.link.state is LinkState.CONNECTED:
                            break
        assert states[-1] is LinkState.CONNECTED
        assert await said(await transport.open(["echo", "again"])) == b"again\n"
        assert await asyncio.to_thread(connections, vm) == 1
