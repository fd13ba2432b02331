"""A VM's life seen from outside: its guest powers off, others watch, the system's ssh logs in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.events import Event, Subscription, VmChanged, VmDeleted
from banger_tui.engine.model import VmState
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms, processes_mentioning
from tests.engine_fixtures.template import IMAGE

pytestmark = pytest.mark.timeout(600)
PATIENCE = 200.0


async def heard(events: Subscription, wanted: Callable[[Event], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in events:
                if wanted(event):
                    return
    except TimeoutError:
        pass
    pytest.fail(f"never heard: {what}")


def stopped(event: Event) -> bool:
    return isinstance(event, VmChanged) and event.vm.state is VmState.STOPPED


async def test_power_off_from_inside_is_noticed_by_every_engine(real_home: Path) -> None:
    paths, settings = Paths.below(real_home), Settings(image=IMAGE)
    async with Engine(paths, settings) as one, Engine(paths, settings) as other:
        await create(one, "web", memory_mib=256)
        with one.events() as first, other.events() as second:
            channel = await one.vms.exec("web", ["poweroff"])
            await heard(first, stopped, "the engine that made it sees it stopped")
            await heard(second, stopped, "the other engine sees it stopped")
            await channel.close()
        assert (await one.vms.get("web")).reason
        await (await other.vms.start("web")).result()
        await (await one.vms.delete("web")).result()
        await assert_no_vms(other)
    assert processes_mentioning([str(real_home)]) == []


async def test_a_throw_away_vm_goes_when_its_guest_does(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        await create(engine, "once", memory_mib=256, ephemeral=True)
        with engine.events() as events:
            channel = await engine.vms.exec("once", ["poweroff"])
            await heard(events, lambda e: isinstance(e, VmDeleted), "it is deleted")
            await channel.close()
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        await assert_no_vms(engine)


async def test_the_systems_ssh_logs_in_with_the_pinned_key(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        vm = await create(engine, "web", memory_mib=256)
        argv = await engine.vms.ssh_command("web")
        ssh = await asyncio.create_subprocess_exec(
            *argv, "hostname; exit 5", stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            out, _ = await ssh.communicate()
        assert (out, ssh.returncode) == (b"web\n", 5)
        known = engine.paths.vm(vm.id) / "known_hosts"
        assert await asyncio.to_thread(known.read_text) == f"{vm.id} {vm.host_key}\n"
        assert await engine.vms.logs("web"), "the console log is empty"
        await assert_consistent(engine)
