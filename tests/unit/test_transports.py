"""The connection to a guest: one for all, made anew when it breaks, its state told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import GuestUnreachable, IllegalMove, NotFound
from banger_tui.engine.events import LinkChanged, Subscription
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.model import Link, LinkState
from banger_tui.engine.sessions import transports
from tests.engine_fixtures.engines import WatchedDriver, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate

REFUSED = GuestUnreachable("The guest's ssh server can't be reached", "refused")


@pytest.fixture
def driver() -> FakeDriver:
    return WatchedDriver()


@pytest.fixture
async def engine(tmp_path: Path, driver: FakeDriver) -> AsyncIterator[Engine]:
    async with fake_engine(tmp_path / "home", driver) as opened:
        yield opened


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(transports, "_LONGEST_PAUSE", 0.004)


async def said(channel: Channel) -> bytes:
    out = b""
    while data := await channel.read():
        out += data
    return out


async def heard(events: Subscription, state: LinkState) -> Link:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if isinstance(event, LinkChanged) and event.link.state is state:
                return event.link
    raise AssertionError("not reached")


async def test_all_share_one_connection(engine: Engine, driver: FakeDriver) -> None:
    vm = await create(engine, "web")
    with engine.events() as events:
        one, other = await asyncio.gather(engine.transports.of("web"), engine.transports.of(vm.id))
        assert one is other
        outputs = [one.open(["echo", str(n)]) for n in range(20)]
        assert [await said(await output) for output in outputs] == [b"%d\n" % n for n in range(20)]
        assert await said(await engine.vms.exec("web", ["echo", "x"])) == b"x\n"
        await heard(events, LinkState.CONNECTED)
    assert driver.connections[vm.id].made == 1
    assert engine.transports.links() == {vm.id: Link(LinkState.CONNECTED)}


async def test_a_broken_connection_is_told_and_made_anew(
    engine: Engine, driver: FakeDriver
) -> None:
    vm = await create(engine, "web")
    transport = await engine.transports.of("web")
    await transport.connect()
    with engine.events() as events:
        driver.connections[vm.id].cut("reset by peer")
        link = await heard(events, LinkState.RETRYING)
        assert link.detail == "reset by peer"
        assert link.next_try is not None
        await heard(events, LinkState.CONNECTED)
    assert driver.connections[vm.id].made == 2


async def test_a_call_waits_for_the_attempt_under_way(engine: Engine, driver: FakeDriver) -> None:
    await create(engine, "web")
    gate = Gate()
    driver.hooks["connect"] = gate
    calls = [asyncio.create_task(engine.vms.exec("web", ["echo", "x"])) for _ in range(3)]
    await gate.reached()
    assert not any(call.done() for call in calls)
    gate.open()
    async with asyncio.timeout(PATIENCE):
        assert [await said(await call) for call in calls] == [b"x\n"] * 3
    assert gate.passed == 1


async def test_a_call_sits_out_some_failures_then_says_why(
    engine: Engine, driver: FakeDriver
) -> None:
    vm = await create(engine, "web")
    driver.failures["connect"] = REFUSED
    with pytest.raises(GuestUnreachable, match="refused"):
        await engine.vms.exec("web", ["echo", "x"])
    del driver.failures["connect"]
    assert await said(await engine.vms.exec("web", ["echo", "x"])) == b"x\n"
    assert engine.transports.links()[vm.id].state is LinkState.CONNECTED


async def test_given_up_in_the_end_and_begun_again_when_wanted(
    engine: Engine, driver: FakeDriver
) -> None:
    vm = await create(engine, "web")
    driver.failures["connect"] = REFUSED
    with engine.events() as events:
        await engine.transports.of("web")
        assert (await heard(events, LinkState.DOWN)).detail == "refused"
    tried = [step for step in driver.steps if step == ("connect", vm.id)]  # type: ignore[attr-defined]
    assert len(tried) == transports._ATTEMPTS
    del driver.failures["connect"]
    assert await said(await engine.vms.exec("web", ["echo", "x"])) == b"x\n"


async def test_a_stopped_vm_ends_it_and_a_new_start_has_its_own(
    engine: Engine, driver: FakeDriver
) -> None:
    vm = await create(engine, "web")
    first = await engine.transports.of("web")
    with engine.events() as events:
        await (await engine.vms.kill("web")).result()
        assert (await heard(events, LinkState.DOWN)).detail == "The VM has ended."
    assert engine.transports.links() == {}
    with pytest.raises(GuestUnreachable):
        await first.open(["true"])
    with pytest.raises(IllegalMove):
        await engine.transports.of("web")
    await (await engine.vms.start("web")).result()
    assert await engine.transports.of("web") is not first
    assert await said(await engine.vms.exec("web", ["echo", "x"])) == b"x\n"
    assert driver.connections[vm.id].made == 1


async def test_the_end_of_the_vm_ends_the_waiting(engine: Engine, driver: FakeDriver) -> None:
    vm = await create(engine, "web")
    gate = Gate()
    driver.hooks["connect"] = gate
    call = asyncio.create_task(engine.vms.exec("web", ["true"]))
    await gate.reached()
    driver.vmms[vm.id].crash()
    with pytest.raises(GuestUnreachable):
        await asyncio.wait_for(call, PATIENCE)


async def test_of_what_is_not_there(engine: Engine) -> None:
    with pytest.raises(NotFound):
        await engine.transports.of("nothing")


async def test_closed_with_the_engine(tmp_path: Path, driver: FakeDriver) -> None:
    async with fake_engine(tmp_path / "home", driver) as engine:
        vm = await create(engine, "web")
        transport = await engine.transports.of("web")
        await transport.connect()
    assert await driver.connections[vm.id].lost() == "It was closed."
    with pytest.raises(GuestUnreachable):
        await transport.open(["true"])
