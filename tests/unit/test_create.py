"""Create, on the fake driver: what overlaps, what waits, what is left when it ends early."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banger_tui.engine.errors import (
    BangerError,
    BootFailed,
    HypervisorFailure,
    InvalidInput,
    MissingTool,
    NameTaken,
    NotInCatalog,
    OperationCancelled,
    PortTaken,
    StorageFailure,
)
from banger_tui.engine.model import OperationState, StageState, VmSpec, VmState
from banger_tui.engine.settings import Settings
from banger_tui.engine.vms.create import STAGES
from tests.engine_fixtures.engines import (
    IMAGE,
    KERNEL,
    WatchedBuilders,
    WatchedDriver,
    a_single_port,
    create,
    fake_engine,
)
from tests.engine_fixtures.gates import PATIENCE, Gate, Meeting, Place, gate_stage
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms

PLACES: tuple[Place, ...] = ("begin", "end")
DRIVER_STEPS = ("create_disk", "launch", "forward", "sign_of_life", "wait_ready")


async def test_a_vm_is_made_through_all_stages_with_times(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        vm = await operation.result()
        assert vm.state is VmState.RUNNING
        assert (vm.name, vm.image, vm.kernel) == ("web", IMAGE, KERNEL)
        assert Settings().ports[0] <= vm.ssh_port < Settings().ports[1]
        assert tuple(stage.name for stage in operation.view.stages) == STAGES
        for stage in operation.view.stages:
            assert stage.state is StageState.DONE, stage
            assert stage.started is not None
            assert stage.ended is not None
            assert stage.ended >= stage.started
        pulled = next(s for s in operation.view.stages if s.name == "pull image")
        assert {"build ext4", "publish"} <= {child.name for child in pulled.children}
        await assert_consistent(engine)


async def test_slow_image_work_for_one_does_not_delay_another(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await create(engine, "first")
        builders.gate = asyncio.Event()
        slow = await engine.vms.create(VmSpec(name="slow", image="debian-bookworm"))
        async with asyncio.timeout(PATIENCE):
            while builders.images_built < 2:
                await asyncio.sleep(0.01)
        quick = await create(engine, "quick")  # the other's image is being built all the while
        assert quick.running
        assert not slow.over, "the slow image was built already: nothing was proved"
        assert builders.images_built == 2
        builders.gate.set()
        assert (await slow.result()).running
        await assert_consistent(engine)


async def test_creates_of_different_vms_boot_at_the_same_time(tmp_path: Path) -> None:
    driver = WatchedDriver(hooks={"wait_ready": Meeting(3)})
    async with fake_engine(tmp_path, driver) as engine:
        operations = [await engine.vms.create(VmSpec(image=IMAGE)) for _ in range(3)]
        vms = [await operation.result() for operation in operations]
        assert len({vm.name for vm in vms}) == len({vm.ssh_port for vm in vms}) == 3
        await assert_consistent(engine)


async def test_three_creates_that_need_one_image_run_one_build(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        operations = [await engine.vms.create(VmSpec(image=IMAGE)) for _ in range(3)]
        async with asyncio.timeout(PATIENCE):
            while not all(_runs(o.view.stages, "pull image") for o in operations):
                await asyncio.sleep(0.01)
        assert builders.gate is not None
        builders.gate.set()
        for operation in operations:
            assert (await operation.result()).running
        assert builders.images_built == 1
        assert builders.kernels_built == 1
        kinds = [view.kind for view in await engine.operations.list()]
        assert sorted(kinds) == ["create"] * 3 + ["pull image", "pull kernel"]


def _runs(stages: tuple[object, ...], name: str) -> bool:
    return any(getattr(s, "name", "") == name and s.state is StageState.RUNNING for s in stages)  # type: ignore[attr-defined]


async def test_a_shared_build_goes_on_while_one_still_wants_it(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        one, other = [await engine.vms.create(VmSpec(image=IMAGE)) for _ in range(2)]
        async with asyncio.timeout(PATIENCE):
            while not (_runs(one.view.stages, "pull image") and builders.images_built):
                await asyncio.sleep(0.01)
        one.cancel()
        with pytest.raises(OperationCancelled):
            await one.result()
        assert builders.gate is not None
        builders.gate.set()
        assert (await other.result()).running
        assert builders.images_built == 1
        await assert_consistent(engine)


async def test_a_shared_build_ends_with_the_last_who_wanted_it(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        operations = [await engine.vms.create(VmSpec(image=IMAGE)) for _ in range(2)]
        async with asyncio.timeout(PATIENCE):
            while not all(_runs(o.view.stages, "pull image") for o in operations):
                await asyncio.sleep(0.01)
        for operation in operations:
            operation.cancel()
            with pytest.raises(OperationCancelled):
                await operation.result()
        pulls = [v for v in await engine.operations.list() if v.kind == "pull image"]
        assert [v.state for v in pulls] == [OperationState.CANCELLED]
        await assert_no_vms(engine)
        assert await engine.images.list() == []


async def test_publish_clash_has_one_winner(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        pulls = [await engine.images.pull(IMAGE) for _ in range(2)]
        async with asyncio.timeout(PATIENCE):
            while builders.images_built < 2:
                await asyncio.sleep(0.01)
        assert builders.gate is not None
        builders.gate.set()
        outcomes = await asyncio.gather(*(p.result() for p in pulls), return_exceptions=True)
        lost = [o for o in outcomes if isinstance(o, BaseException)]
        assert len(lost) == 1, outcomes
        assert isinstance(lost[0], NameTaken)
        assert [image.name for image in await engine.images.list()] == [IMAGE]
        await assert_consistent(engine)


async def test_creates_of_one_name_have_one_winner(tmp_path: Path) -> None:
    driver = WatchedDriver()
    async with fake_engine(tmp_path, driver) as engine:
        operations = [await engine.vms.create(VmSpec(name="web", image=IMAGE)) for _ in range(4)]
        outcomes = await asyncio.gather(*(o.result() for o in operations), return_exceptions=True)
        assert sorted(type(o).__name__ for o in outcomes) == ["NameTaken"] * 3 + ["VmRecord"]
        await assert_consistent(engine)
        assert len(driver.vmms) == 1, "a create that lost the name went on to launch"


# ------------------------------------------------------------------------ cancelled and failed


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stage", STAGES)
async def test_cancelled_in_any_stage_nothing_is_left(
    stage: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    gate_stage(monkeypatch, "create", stage, place, gate)
    async with fake_engine(tmp_path, ports=a_single_port()) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        await gate.reached()
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        assert operation.view.state is OperationState.CANCELLED
        cancelled = [s.name for s in operation.view.stages if s.state is StageState.CANCELLED]
        assert cancelled == [stage]
        await assert_no_vms(engine)
        gate.open()
        assert (await create(engine, "web")).running, "the name is not free again"
        await assert_consistent(engine)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("stage", STAGES)
async def test_failed_in_any_stage_nothing_is_left(
    stage: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        gate_stage(patch, "create", stage, place, Gate(HypervisorFailure("It broke", "as told")))
        async with fake_engine(tmp_path, ports=a_single_port()) as engine:
            operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
            with pytest.raises(HypervisorFailure, match="It broke"):
                await operation.result()
            assert operation.view.state is OperationState.FAILED
            assert operation.view.failure is not None
            assert operation.view.failure.title == "It broke"
            await assert_no_vms(engine)
            patch.undo()
            assert (await create(engine, "web")).running
            await assert_consistent(engine)


@pytest.mark.parametrize("step", DRIVER_STEPS)
async def test_cancelled_inside_the_driver_nothing_is_left(step: str, tmp_path: Path) -> None:
    gate = Gate()
    driver = WatchedDriver(hooks={step: gate})
    async with fake_engine(tmp_path, driver, ports=a_single_port()) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        await gate.reached()
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        await assert_no_vms(engine)
        driver.hooks.clear()
        assert (await create(engine, "web")).running
        await assert_consistent(engine)


@pytest.mark.parametrize("step", DRIVER_STEPS)
async def test_failed_inside_the_driver_nothing_is_left(step: str, tmp_path: Path) -> None:
    driver = WatchedDriver(failures={step: HypervisorFailure("QEMU did not start", "as told")})
    async with fake_engine(tmp_path, driver, ports=a_single_port()) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        with pytest.raises(HypervisorFailure, match="QEMU did not start"):
            await operation.result()
        await assert_no_vms(engine)
        driver.failures.clear()
        assert (await create(engine, "web")).running


async def test_cancelled_while_the_row_is_written_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path, ports=a_single_port()) as engine:
        store = engine._ctx.store
        insert = store.insert_vm

        async def insert_and_be_cancelled(vm: object, owner: tuple[int, int]) -> None:
            await insert(vm, owner)  # type: ignore[arg-type]
            operation.cancel()
            await asyncio.sleep(0)

        with monkeypatch.context() as patch:
            patch.setattr(store, "insert_vm", insert_and_be_cancelled)
            operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
            with pytest.raises(OperationCancelled):
                await operation.result()
        await assert_no_vms(engine)
        assert (await create(engine, "web")).running


async def test_cancelled_twice_it_still_cleans_up(tmp_path: Path) -> None:
    booting, quitting = Gate(), Gate()
    driver = WatchedDriver(hooks={"wait_ready": booting, "quit": quitting})
    async with fake_engine(tmp_path, driver) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        await booting.reached()
        operation.cancel()
        await quitting.reached()  # the first cancel is being cleaned up after
        operation.cancel()
        await asyncio.sleep(0)
        operation.cancel()
        await asyncio.sleep(0.3)  # time in which a cleanup cut short would go on and end
        assert not operation.over, "the second cancel cut the cleanup short"
        assert len(await engine.vms.list()) == 1, "its row is gone before its VMM is"
        quitting.open()
        with pytest.raises(OperationCancelled):
            await operation.result()
        await assert_no_vms(engine)


async def test_closing_the_engine_cancels_and_waits_for_the_cleanup(tmp_path: Path) -> None:
    gate = Gate()
    driver = WatchedDriver(hooks={"wait_ready": gate})
    async with fake_engine(tmp_path, driver) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        await gate.reached()
    assert operation.view.state is OperationState.CANCELLED
    driver.hooks.clear()
    async with fake_engine(tmp_path, driver) as engine:
        await assert_no_vms(engine)


# ----------------------------------------------------------------------------- what goes wrong


async def test_a_missing_hypervisor_is_told_before_anything_is_built(tmp_path: Path) -> None:
    builders, driver = WatchedBuilders(), WatchedDriver()
    driver.failures["check"] = MissingTool("qemu is not installed")
    async with fake_engine(tmp_path, driver=driver, builders=builders) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        with pytest.raises(MissingTool):
            await operation.result()
        assert (builders.images_built, builders.kernels_built) == (0, 0)
        await assert_no_vms(engine)


async def test_an_unknown_image_names_near_ones(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image="busibox"))
        with pytest.raises(NotInCatalog) as caught:
            await operation.result()
        assert IMAGE in caught.value.near
        assert IMAGE in caught.value.hint
        assert operation.view.failure is not None
        assert operation.view.failure.kind == "NotInCatalog"
        await assert_no_vms(engine)


async def test_a_catalog_that_can_not_be_read_is_not_called_an_unknown_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> object:
        raise InvalidInput("catalog/images.json is no valid JSON", "line 1")

    monkeypatch.setattr("banger_tui.engine.catalog.catalogs.embedded", damaged)
    async with fake_engine(tmp_path) as engine:
        operation = await engine.vms.create(VmSpec(image=IMAGE))
        with pytest.raises(InvalidInput, match="no valid JSON"):
            await operation.result()


async def test_a_store_that_can_not_be_read_is_not_called_an_unknown_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_engine(tmp_path) as engine:

        async def broken(name: str) -> None:
            raise StorageFailure("The database can't be used just now", "disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(engine._ctx.store, "image_or_none", broken)
            operation = await engine.vms.create(VmSpec(image=IMAGE))
            with pytest.raises(StorageFailure, match="just now"):
                await operation.result()


async def test_the_second_machine_type_is_tried_when_the_first_shows_no_life(
    tmp_path: Path,
) -> None:
    async with fake_engine(tmp_path) as engine:
        driver = engine._ctx.driver
        assert isinstance(driver, WatchedDriver)
        silent = Gate()
        calls: list[str] = []

        async def first_is_silent(vm_id: str) -> None:
            calls.append(vm_id)
            if len(calls) == 1:
                await silent()

        driver.hooks["sign_of_life"] = first_is_silent
        object.__setattr__(engine._ctx, "settings", Settings(image=IMAGE, boot_seconds=0.2))
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        vm = await operation.result()
        assert vm.machine == "fake-fallback"
        assert len(calls) == 2
        stages = [(s.name, s.state) for s in operation.view.stages]
        assert ("boot", StageState.FAILED) in stages
        assert operation.view.current is None or operation.view.state.over
        await assert_consistent(engine)


async def test_a_guest_that_never_comes_up_is_given_up(tmp_path: Path) -> None:
    driver = WatchedDriver(hooks={"wait_ready": Gate()})
    async with fake_engine(tmp_path, driver, boot_seconds=0.2) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        with pytest.raises(BootFailed) as caught:
            await operation.result()
        assert "web" in caught.value.title
        assert caught.value.detail
        assert caught.value.hint
        log = engine.paths.operation_log(operation.id).read_bytes()
        assert b"fake console" in log, "what the console said is not in the operation's log"
        await assert_no_vms(engine)


async def test_a_vmm_that_dies_while_booting_fails_the_create(tmp_path: Path) -> None:
    driver = WatchedDriver()

    async def crash(vm_id: str) -> None:
        driver.vmms[vm_id].crash()
        await Gate()()

    driver.hooks["wait_ready"] = crash
    async with fake_engine(tmp_path, driver) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE))
        with pytest.raises(HypervisorFailure, match="ended while booting"):
            await operation.result()
        await assert_no_vms(engine)


async def test_a_stolen_port_is_exchanged_for_another(tmp_path: Path) -> None:
    driver = WatchedDriver()
    refused: list[int] = []

    class Stealing(set[int]):
        def __contains__(self, port: object) -> bool:
            if len(refused) < 2:
                assert isinstance(port, int)
                refused.append(port)
                return True
            return False

    driver.taken_ports = Stealing()
    async with fake_engine(tmp_path, driver) as engine:
        vm = await create(engine, "web")
        assert vm.ssh_port not in refused
        assert len(set(refused)) == 2
        assert (await engine.vms.get("web")).ssh_port == vm.ssh_port


async def test_no_port_left_is_one_clear_error(tmp_path: Path) -> None:
    async with fake_engine(tmp_path, ports=a_single_port()) as engine:
        await create(engine, "one")
        operation = await engine.vms.create(VmSpec(name="two", image=IMAGE))
        with pytest.raises(PortTaken) as caught:
            await operation.result()
        assert caught.value.hint
        assert [vm.name for vm in await engine.vms.list()] == ["one"]
        await assert_consistent(engine)


async def test_a_disk_smaller_than_the_image_is_refused(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        operation = await engine.vms.create(VmSpec(image=IMAGE, disk_bytes=64 << 20))
        with pytest.raises(BangerError) as caught:
            await operation.result()
        assert caught.value.exit_code == 2
        assert "--disk" in caught.value.hint
        await assert_no_vms(engine)


async def test_a_taken_name_is_told_before_anything_is_pulled(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await create(engine, "web")
        before = builders.images_built
        operation = await engine.vms.create(VmSpec(name="web", image="debian-bookworm"))
        with pytest.raises(NameTaken):
            await operation.result()
        assert builders.images_built == before
