"""Reconcile: whatever state a crash left, the next start makes it true; living work stays."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.fake import FakeVmm
from banger_tui.engine.model import OperationState, OperationView, StageState, StageView, VmState
from banger_tui.engine.process import ProcessId
from tests.engine_fixtures.engines import IMAGE, WatchedDriver, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms, names
from tests.unit.test_locks_order import HOLDER

DEAD = ProcessId(1 << 22, 1)


@asynccontextmanager
async def holding(directory: Path, lock: str) -> AsyncIterator[int]:
    """Another process that holds a lock of this state directory; its pid."""
    script = HOLDER.replace('.vm("a")', lock)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(directory),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"held\n"
        yield process.pid
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("alive", [True, False], ids=["vmm-alive", "vmm-dead"])
@pytest.mark.parametrize("state", list(VmState))
async def test_a_row_in_any_state_becomes_true(tmp_path: Path, state: VmState, alive: bool) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        await engine._ctx.store.update_vm(vm.id, state=state)
        vmm = driver.vmms[vm.id]
    if not alive:
        vmm.crash()
    async with fake_engine(tmp_path, driver) as engine:
        if state is VmState.CREATING:
            await assert_no_vms(engine)
            assert not vmm.alive
            return
        now = await engine.vms.get("web")
        adopted = alive and state in (VmState.RUNNING, VmState.STOPPING)
        wanted = {True: VmState.RUNNING, False: VmState.STOPPED}[adopted]
        if state is VmState.FAILED:
            wanted = VmState.FAILED
            assert not vmm.alive
        else:
            await assert_consistent(engine)
        assert now.state is wanted
        assert vmm.alive is adopted
        if wanted is VmState.STOPPED and state is not VmState.STOPPED:
            assert now.reason
            assert now.pid is None


async def test_a_vmm_that_was_started_and_not_recorded_is_adopted(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        await engine._ctx.store.update_vm(vm.id, pid=None, pid_start=None)
    async with fake_engine(tmp_path, driver) as engine:
        now = await engine.vms.get("web")
        assert now.running
        assert now.pid == driver.vmms[vm.id].pid


async def test_leftovers_nobody_knows_are_swept(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        await create(engine, "keep")
        paths = engine.paths
    stray = "ffffffffffff"
    (paths.vm("a" * 12)).mkdir()
    (paths.vm("a" * 12) / "disk.qcow2").write_bytes(b"x")
    (paths.vm_runtime("b" * 12)).mkdir(parents=True)
    (paths.vm_runtime("b" * 12) / "qmp.sock").touch()
    (paths.locks / f"vm.{'c' * 12}.lock").touch()
    (paths.staging / "dddddddddddd").mkdir()
    (paths.staging / "dddddddddddd" / "rootfs.ext4").write_bytes(b"x")
    (paths.images / ".trash-12345678").mkdir()
    (paths.images / "norow").mkdir()
    (paths.kernels / "norow").mkdir()
    (paths.images / f".new-{DEAD.pid}.{DEAD.start}.abcd-norow").mkdir()
    (paths.images / ".new-abcd-oldformat").mkdir()
    driver.vmms[stray] = FakeVmm(1 << 24)
    async with fake_engine(tmp_path, driver) as engine:
        assert not driver.vmms.pop(stray).alive, "a VMM nobody knows lives on"
        await assert_consistent(engine)
        assert [vm.name for vm in await engine.vms.list()] == ["keep"]


async def test_a_publication_cut_between_row_and_rename_is_finished(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        await (await engine.images.pull(IMAGE)).result()
        final = engine.paths.image(IMAGE)
    final.rename(final.with_name(f".new-{DEAD.pid}.{DEAD.start}.abcd-{IMAGE}"))
    other = final.with_name(f".new-{DEAD.pid}.{DEAD.start}.abce-another-{IMAGE}")
    other.mkdir()
    async with fake_engine(tmp_path) as engine:
        assert (engine.paths.image(IMAGE) / "rootfs.ext4").exists(), "another image's files"
        await assert_consistent(engine)


async def test_an_image_whose_files_are_lost_is_forgotten(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        await (await engine.images.pull(IMAGE)).result()
        final = engine.paths.image(IMAGE)
    final.rename(tmp_path / "elsewhere")
    async with fake_engine(tmp_path) as engine:
        assert await engine.images.list() == []
        assert (await create(engine, "web")).running


async def test_operations_of_dead_processes_are_closed(tmp_path: Path) -> None:
    child = StageView("download", StageState.RUNNING, started=2.0)
    stages = (
        StageView("resolve", StageState.DONE, started=1.0, ended=2.0),
        StageView("build", StageState.RUNNING, started=2.0, children=(child,)),
        StageView("publish"),
    )
    dead = OperationView(
        "a" * 12, "pull image", "x", OperationState.RUNNING, stages, time.time(),
        owner_pid=DEAD.pid, owner_start=DEAD.start,
    )  # fmt: skip
    reused = dataclasses.replace(
        dead, id="b" * 12, owner_pid=ProcessId.own().pid, owner_start=ProcessId.own().start - 1
    )
    own = ProcessId.own()
    living = dataclasses.replace(dead, id="c" * 12, owner_pid=own.pid, owner_start=own.start)
    async with fake_engine(tmp_path) as engine:
        for view in (dead, reused, living):
            await engine._ctx.store.save_operation(view)
            (engine.paths.staging / view.id).mkdir()
    async with fake_engine(tmp_path) as engine:
        for view in (dead, reused):
            now = await engine.operations.status(view.id)
            assert now.state is OperationState.FAILED
            assert now.failure is not None
            assert now.failure.kind == "Interrupted"
            assert now.ended is not None
            assert now.stages[1].state is StageState.FAILED
            assert now.stages[1].children[0].state is StageState.FAILED
            assert now.stages[2].state is not StageState.RUNNING
        assert (await engine.operations.status(living.id)).state is OperationState.RUNNING
        assert names(engine.paths.staging) == {living.id}, "living work is not touched, dead is"


async def test_what_another_process_works_on_is_not_touched(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        await engine._ctx.store.update_vm(vm.id, state=VmState.STARTING)
        paths = engine.paths
    unknown = "a" * 12
    async with holding(paths.locks, f'.vm("{vm.id}")'), holding(paths.locks, f'.vm("{unknown}")'):
        paths.vm(unknown).mkdir()
        async with fake_engine(tmp_path, driver) as engine:
            assert (await engine.vms.get("web")).state is VmState.STARTING
            assert driver.vmms[vm.id].alive
            assert paths.vm(unknown).exists(), "a directory whose row is about to be written"
    async with fake_engine(tmp_path, driver) as engine:
        await assert_consistent(engine)
        assert (await engine.vms.get("web")).state is VmState.STOPPED
        assert not paths.vm(unknown).exists()


async def test_what_another_process_publishes_is_not_touched(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        paths = engine.paths
    async with holding(paths.locks, ".image_publish"):
        (paths.images / "coming").mkdir()
        async with fake_engine(tmp_path):
            assert (paths.images / "coming").exists()
    (paths.images / "coming").rmdir()
    own = ProcessId.own()
    moving = paths.images / f".new-{own.pid}.{own.start}.abcd-coming"
    moving.mkdir()
    async with fake_engine(tmp_path):
        assert moving.exists(), "what a living process is about to publish was swept"


async def orphan(engine: Engine, name: str, owner: ProcessId) -> str:
    vm = await create(engine, name, ephemeral=True)
    await engine._ctx.store.set_vm_owner(vm.id, (owner.pid, owner.start))
    return vm.id


async def test_throw_away_vms_go_with_their_command(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        await orphan(engine, "dead", DEAD)
        await orphan(engine, "living", ProcessId.own())
    async with fake_engine(tmp_path, driver) as engine:
        assert [vm.name for vm in await engine.vms.list()] == ["living"]
        await assert_consistent(engine)
