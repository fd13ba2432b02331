"""The bus: progress coalesces, state is never dropped, too much becomes Resync."""

from __future__ import annotations

import asyncio

from banger_tui.engine.events import (
    Bus,
    Event,
    ImageDeleted,
    OperationChanged,
    Resync,
    StatsSampled,
    Subscription,
    VmDeleted,
)
from banger_tui.engine.model import HostView, OperationState, OperationView, StageView

HOST = HostView(1, 0.0, 1, 0, 1)


def progress(
    key: str, done: int, state: OperationState = OperationState.RUNNING
) -> OperationChanged:
    stages = (StageView("build", done=done),)
    return OperationChanged(OperationView(key, "pull image", "x", state, stages, 0.0))


async def drain(subscription: Subscription) -> list[Event]:
    subscription.close()
    return [event async for event in subscription]


async def test_progress_of_one_operation_coalesces_to_the_newest() -> None:
    with Bus().subscribe() as subscription:
        for done in range(100):
            subscription.publish(progress("a", done))
            subscription.publish(progress("b", done))
        assert await drain(subscription) == [progress("a", 99), progress("b", 99)]


async def test_stats_coalesce() -> None:
    bus = Bus()
    with bus.subscribe() as subscription:
        for used in range(5):
            bus.publish(StatsSampled(HostView(1, 0.0, 9, used, 1), ()))
        (event,) = await drain(subscription)
        assert isinstance(event, StatsSampled)
        assert event.host.memory_used == 4


async def test_the_end_of_an_operation_replaces_its_progress_and_is_kept() -> None:
    with Bus().subscribe() as subscription:
        end = progress("a", 5, OperationState.DONE)
        subscription.publish(progress("a", 4))
        subscription.publish(VmDeleted("1", "web"))
        subscription.publish(end)
        assert await drain(subscription) == [VmDeleted("1", "web"), end]


async def test_state_is_never_dropped_below_the_limit() -> None:
    with Bus().subscribe(limit=64) as subscription:
        wanted = [VmDeleted(str(number), "x") for number in range(64)]
        for event in wanted:
            subscription.publish(event)
        for done in range(100):  # progress beside a full queue of state takes no room from it
            subscription.publish(progress("a", done))
            subscription.publish(StatsSampled(HOST, ()))
        assert await drain(subscription) == wanted


async def test_too_much_state_becomes_resync_and_what_follows_it() -> None:
    with Bus().subscribe(limit=4) as subscription:
        for number in range(5):
            subscription.publish(VmDeleted(str(number), "x"))
        subscription.publish(ImageDeleted("y"))
        assert await drain(subscription) == [Resync(), ImageDeleted("y")]


async def test_each_subscriber_has_its_own_queue() -> None:
    bus = Bus()
    with bus.subscribe() as one, bus.subscribe(limit=1) as other:
        for number in range(3):
            bus.publish(VmDeleted(str(number), "x"))
        assert len(await drain(one)) == 3
        assert Resync() in await drain(other)


async def test_the_engines_own_listening_is_not_watching() -> None:
    bus = Bus()
    assert not bus.watched
    with bus.listen():
        assert not bus.watched
        with bus.subscribe():
            assert bus.watched
        assert not bus.watched


async def test_a_waiting_reader_wakes_for_an_event_and_for_the_end() -> None:
    bus = Bus()
    with bus.subscribe() as subscription:
        reading = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        bus.publish(VmDeleted("1", "web"))
        assert await reading == VmDeleted("1", "web")
        ending = asyncio.create_task(drain_to_end(subscription))
        await asyncio.sleep(0)
    assert await asyncio.wait_for(ending, 10) == []


async def drain_to_end(subscription: Subscription) -> list[Event]:
    return [event async for event in subscription]
