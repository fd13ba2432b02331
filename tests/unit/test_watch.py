"""Watch: what happens without us is noticed: other processes' writes, VMs that end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.events import (
    Event,
    ImageChanged,
    ImageDeleted,
    OperationChanged,
    Subscription,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import ImageRecord, OperationState, VmState
from tests.engine_fixtures.engines import IMAGE, WatchedDriver, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms


async def heard(events: Subscription, wanted: Callable[[Event], bool], what: str) -> Event:
    try:
        async with asyncio.timeout(PATIENCE):
            async for event in events:
                if wanted(event):
                    return event
    except TimeoutError:
        pass
    raise AssertionError(f"never heard: {what}")


async def test_another_engines_work_shows_as_events(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as one, fake_engine(tmp_path, driver) as other:
        with other.events() as events:
            vm = await create(one, "web")
            await heard(
                events, lambda e: isinstance(e, ImageChanged) and e.image.name == IMAGE, "image"
            )
        with other.events() as events:
            await (await one.vms.stop("web")).result()
            await heard(
                events,
                lambda e: isinstance(e, VmChanged) and e.vm.state is VmState.STOPPED,
                "the VM is stopped",
            )
        with other.events() as events:
            await (await one.vms.delete("web")).result()
            await heard(
                events, lambda e: isinstance(e, VmDeleted) and e.vm_id == vm.id, "it is deleted"
            )
        with other.events() as events:
            await one.images.delete(IMAGE)
            await heard(events, lambda e: isinstance(e, ImageDeleted), "its image is deleted")


async def test_another_engines_operation_shows_with_its_end(tmp_path: Path) -> None:
    driver = WatchedDriver(boot_seconds=1.5)
    async with fake_engine(tmp_path, driver) as one, fake_engine(tmp_path, driver) as other:
        with other.events() as events:
            creating = asyncio.create_task(create(one, "web"))

            def of_create(state: OperationState) -> Callable[[Event], bool]:
                return lambda e: (
                    isinstance(e, OperationChanged)
                    and e.operation.kind == "create"
                    and e.operation.state is state
                )

            running = await heard(events, of_create(OperationState.RUNNING), "it runs")
            assert isinstance(running, OperationChanged)
            assert running.operation.stages
            await heard(events, of_create(OperationState.DONE), "it is done")
            await creating


async def test_a_vm_that_dies_is_stopped_with_a_reason(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        with engine.events() as events:
            driver.vmms[vm.id].crash()
            await heard(
                events,
                lambda e: isinstance(e, VmChanged) and e.vm.state is VmState.STOPPED,
                "the VM is stopped",
            )
        now = await engine.vms.get("web")
        assert now.reason
        assert now.pid is None
        async with asyncio.timeout(PATIENCE):
            while engine.paths.vm_runtime(vm.id).exists():
                await asyncio.sleep(0.01)
        await assert_consistent(engine)


async def test_a_vm_adopted_at_the_start_is_watched_too(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
    async with fake_engine(tmp_path, driver) as engine:
        with engine.events() as events:
            driver.vmms[vm.id].crash()
            await heard(
                events,
                lambda e: isinstance(e, VmChanged) and e.vm.state is VmState.STOPPED,
                "the VM is stopped",
            )


async def test_a_throw_away_vm_that_ends_is_removed(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "once", ephemeral=True)
        with engine.events() as events:
            driver.vmms[vm.id].crash()
            await heard(events, lambda e: isinstance(e, VmDeleted), "the VM is deleted")
        async with asyncio.timeout(PATIENCE):
            while engine.paths.vm(vm.id).exists():
                await asyncio.sleep(0.01)
    async with fake_engine(tmp_path, driver) as engine:
        await assert_no_vms(engine)


async def test_own_changes_are_not_followed_by_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store is being read for others' writes, what we write must stay the last word."""
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        store = engine._ctx.store
        read_images, gate = store.images, Gate()

        async def slow_images() -> list[ImageRecord]:
            await gate()
            return await read_images()

        with monkeypatch.context() as patch, engine.events() as events:
            patch.setattr(store, "images", slow_images)
            looking = asyncio.create_task(engine._watch._look())
            await gate.reached()  # VMs are read already
            await store.update_vm(vm.id, reason="newest")
            for _ in range(5):
                await asyncio.sleep(0)  # the watch hears of it
            gate.open()
            await looking
            events.close()
            reasons = [e.vm.reason async for e in events if isinstance(e, VmChanged)]
        assert reasons[-1] == "newest", "an older state was announced after a newer one"
