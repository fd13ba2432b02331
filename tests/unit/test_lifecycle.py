"""Start, stop, kill, restart and delete on the fake driver: moves, cancels, failures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import (
    Busy,
    GuestUnreachable,
    HypervisorFailure,
    IllegalMove,
    NotFound,
    OperationCancelled,
)
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.engine.vms.lifecycle import START_STAGES, STOP_STAGES
from tests.engine_fixtures.engines import WatchedDriver, a_single_port, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate, Place, gate_stage
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms

PLACES: tuple[Place, ...] = ("begin", "end")


async def a_stopped_vm(engine: Engine) -> VmRecord:
    await create(engine, "web")
    return await (await engine.vms.stop("web")).result()


async def rested(engine: Engine) -> VmRecord:
    """The VM once it is at rest (a guest that was told to power off may be on its way)."""
    async with asyncio.timeout(PATIENCE):
        while True:
            vm = await engine.vms.get("web")
            alive = bool(engine._ctx.driver.find(vm.id))
            if vm.state in (VmState.RUNNING, VmState.STOPPED) and alive == vm.running:
                return vm
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stage", START_STAGES)
async def test_start_cancelled_in_any_stage_the_vm_is_stopped_as_before(
    stage: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path, ports=a_single_port()) as engine:
        before = await a_stopped_vm(engine)
        gate = Gate()
        gate_stage(monkeypatch, "start", stage, place, gate)
        operation = await engine.vms.start("web")
        await gate.reached()
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        after = await engine.vms.get("web")
        assert (after.state, after.pid, after.reason) == (VmState.STOPPED, None, before.reason)
        await assert_consistent(engine)
        gate.open()
        assert (await (await engine.vms.start("web")).result()).running
        await assert_consistent(engine)


@pytest.mark.parametrize("stage", START_STAGES)
async def test_start_failed_in_any_stage_the_vm_is_stopped_as_before(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path, ports=a_single_port()) as engine:
        before = await a_stopped_vm(engine)
        with monkeypatch.context() as patch:
            gate_stage(patch, "start", stage, "end", Gate(HypervisorFailure("It broke")))
            with pytest.raises(HypervisorFailure):
                await (await engine.vms.start("web")).result()
        after = await engine.vms.get("web")
        assert (after.state, after.pid, after.reason) == (VmState.STOPPED, None, before.reason)
        await assert_consistent(engine)
        assert (await (await engine.vms.start("web")).result()).running


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stage", STOP_STAGES)
async def test_stop_cancelled_in_any_stage_record_and_vmm_agree(
    stage: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path) as engine:
        await create(engine, "web")
        gate = Gate()
        gate_stage(monkeypatch, "stop", stage, place, gate)
        operation = await engine.vms.stop("web")
        await gate.reached()
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        vm = await rested(engine)
        asked = STOP_STAGES.index(stage) + (place == "end") > STOP_STAGES.index("power off")
        assert vm.running is not asked, "a guest that was not yet told to power off runs on"
        await assert_consistent(engine)


async def test_stop_cancelled_before_its_record_is_written_the_vm_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path) as engine:
        await create(engine, "web")
        update = engine._ctx.store.update_vm

        async def update_and_be_cancelled(vm_id: str, **changes: object) -> VmRecord:
            vm = await update(vm_id, **changes)
            if changes.get("state") is VmState.STOPPING:
                operation.cancel()
                await asyncio.sleep(0)
            return vm

        monkeypatch.setattr(engine._ctx.store, "update_vm", update_and_be_cancelled)
        operation = await engine.vms.stop("web")
        with pytest.raises(OperationCancelled):
            await operation.result()
        assert (await rested(engine)).running


async def test_kill_cancelled_after_the_plug_was_pulled_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path) as engine:
        await create(engine, "web")
        gate = Gate()
        gate_stage(monkeypatch, "kill", "end", "end", gate)
        operation = await engine.vms.kill("web")
        await gate.reached()
        await asyncio.sleep(0.4)  # longer than whoever watches the VMM waits for a short lock
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        assert (await rested(engine)).state is VmState.STOPPED
        await assert_consistent(engine)


async def test_a_guest_that_does_not_power_off_is_made_to(tmp_path: Path) -> None:
    driver = WatchedDriver(ignores_poweroff=True)
    async with fake_engine(tmp_path, driver, stop_seconds=0.1) as engine:
        await create(engine, "web")
        stopped = await (await engine.vms.stop("web")).result()
        assert stopped.state is VmState.STOPPED
        assert "was ended" in stopped.reason
        await assert_consistent(engine)


async def test_a_guest_that_does_not_answer_is_stopped_all_the_same(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver, stop_seconds=0.1) as engine:
        await create(engine, "web")
        driver.failures["ask"] = GuestUnreachable("The guest does not answer")
        assert (await (await engine.vms.stop("web")).result()).state is VmState.STOPPED
        await assert_consistent(engine)


async def test_restart_that_fails_to_start_ends_stopped(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        await create(engine, "web")
        driver.failures["launch"] = HypervisorFailure("QEMU did not start")
        with pytest.raises(HypervisorFailure):
            await (await engine.vms.restart("web")).result()
        assert (await engine.vms.get("web")).state is VmState.STOPPED
        await assert_consistent(engine)


async def test_the_port_of_a_vm_that_starts_again_moves_when_taken(tmp_path: Path) -> None:
    from tests.engine_fixtures.engines import listener

    async with fake_engine(tmp_path) as engine:
        vm = await a_stopped_vm(engine)
        with listener(vm.ssh_port):
            moved = await (await engine.vms.start("web")).result()
        assert moved.ssh_port != vm.ssh_port
        await (await engine.vms.stop("web")).result()
        again = await (await engine.vms.start("web")).result()
        assert again.ssh_port == moved.ssh_port, "it loses its port without need"


@pytest.mark.parametrize("verb", ["start", "stop", "kill", "restart", "delete"])
async def test_unknown_vms_are_told(tmp_path: Path, verb: str) -> None:
    async with fake_engine(tmp_path) as engine:
        with pytest.raises(NotFound):
            await getattr(engine.vms, verb)("nobody")


async def test_illegal_moves_are_refused_at_once(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        await create(engine, "web")
        with pytest.raises(IllegalMove) as caught:
            await engine.vms.start("web")
        assert "vm stop web" in caught.value.hint
        await (await engine.vms.stop("web")).result()
        for verb in ("stop", "kill", "restart"):
            with pytest.raises(IllegalMove):
                await getattr(engine.vms, verb)("web")
        assert len(await engine.operations.list()) == 4, "a refused verb became an operation"


async def test_two_verbs_at_once_do_not_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.vms.lifecycle._LOCK_SECONDS", 0.2)
    gate = Gate()
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        await create(engine, "web")
        driver.hooks["ask"] = gate
        first, second = await engine.vms.stop("web"), await engine.vms.kill("web")
        await gate.reached()
        with pytest.raises(Busy):
            await second.result()
        gate.open()
        assert (await first.result()).state is VmState.STOPPED
        await assert_consistent(engine)


async def test_delete_running_and_stopped(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        for stop in (False, True):
            await create(engine, "web")
            if stop:
                await (await engine.vms.stop("web")).result()
            await (await engine.vms.delete("web")).result()
            await assert_no_vms(engine)


async def test_delete_leaves_no_lock_file_for_whoever_watched_the_vmm(tmp_path: Path) -> None:
    for _ in range(5):
        async with fake_engine(tmp_path) as engine:
            await create(engine, "web")
            await (await engine.vms.delete("web")).result()
        assert list(engine.paths.locks.glob("vm.*.lock")) == []
