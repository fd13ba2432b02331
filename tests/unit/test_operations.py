"""Operations: begin, stages, undo, cancel, end, and what of it is in the store."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banger_tui.engine.errors import (
    BangerError,
    NotEnoughDisk,
    NotFound,
    OperationCancelled,
    ToolFailed,
)
from banger_tui.engine.events import Bus, OperationChanged
from banger_tui.engine.model import OperationState, StageState
from banger_tui.engine.operations import OperationRegistry, Run
from banger_tui.engine.paths import Paths
from banger_tui.engine.store import Store
from tests.engine_fixtures.engines import IMAGE, WatchedBuilders, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[OperationRegistry]:
    paths = Paths.below(tmp_path)
    paths.prepare()
    bus = Bus()
    store = await Store.open(paths.database, bus.publish)
    found = OperationRegistry(store, bus, paths)
    yield found
    await found.close()
    await store.close()


async def test_it_is_in_the_store_before_its_first_deed(registry: OperationRegistry) -> None:
    stored: list[str] = []

    async def work(run: Run) -> None:
        view = await registry._store.operation_or_none(run.id)
        stored.append(view.state.value if view else "missing")

    await (await registry.begin("create", "web", work)).result()
    assert stored == ["running"]


async def test_stages_nest_with_state_progress_and_times(registry: OperationRegistry) -> None:
    async def work(run: Run) -> str:
        async with run.stage("build") as stage, stage.stage("install packages") as nested:
            nested.progress(3, 10, "packages")
            nested.note("bash")
        run.skip("publish", "already here")
        return "made"

    operation = await registry.begin("pull image", "x", work, plan=("build", "publish", "check"))
    assert await operation.result() == "made"
    build, publish, check = operation.view.stages
    (nested,) = build.children
    assert [s.state for s in (build, publish, check, nested)] == [
        StageState.DONE, StageState.SKIPPED, StageState.PENDING, StageState.DONE,
    ]  # fmt: skip
    assert (nested.done, nested.total, nested.unit, nested.detail) == (3, 10, "packages", "bash")
    assert build.started is not None
    assert nested.started is not None
    assert nested.ended is not None
    assert build.ended is not None
    assert build.started <= nested.started <= nested.ended <= build.ended
    assert await registry._store.operation_or_none(operation.id) == operation.view


async def test_progress_is_in_the_store_while_it_runs(registry: OperationRegistry) -> None:
    gate = Gate()

    async def work(run: Run) -> None:
        async with run.stage("build") as stage:
            stage.progress(7, 9, "bytes")
            await gate()

    operation = await registry.begin("pull image", "x", work)
    async with asyncio.timeout(PATIENCE):
        while True:
            view = await registry._store.operation_or_none(operation.id)
            if view and view.stages and view.stages[0].done == 7:
                break
            await asyncio.sleep(0.02)
    assert view.stages[0].total == 9
    assert view.stages[0].state is StageState.RUNNING
    gate.open()
    await operation.result()


async def test_undo_runs_last_first_only_without_success(registry: OperationRegistry) -> None:
    done: list[str] = []

    async def step(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    def work(fails: bool):  # type: ignore[no-untyped-def]
        async def body(run: Run) -> None:
            run.undo(lambda: done.append("first"))
            run.undo(lambda: step("second"))
            run.afterwards(lambda: done.append("afterwards"))
            if fails:
                raise ToolFailed("mke2fs failed", "code 1")

        return body

    await (await registry.begin("pull", "a", work(False))).result()
    assert done == ["afterwards"]
    done.clear()
    with pytest.raises(ToolFailed):
        await (await registry.begin("pull", "b", work(True))).result()
    assert done == ["second", "first", "afterwards"]


async def test_one_failing_undo_step_does_not_keep_the_others_from_running(
    registry: OperationRegistry,
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise OSError("no")

    async def work(run: Run) -> None:
        run.undo(lambda: done.append("first"))
        run.undo(broken)
        raise ToolFailed("it failed")

    with pytest.raises(ToolFailed):
        await (await registry.begin("pull", "b", work)).result()
    assert done == ["first"]


async def test_a_scope_takes_back_only_its_own_and_under_its_locks(
    registry: OperationRegistry,
) -> None:
    done: list[str] = []

    async def work(run: Run) -> None:
        run.undo(lambda: done.append("outer"))
        try:
            async with run.scope():
                run.undo(lambda: done.append("inner"))
                raise ToolFailed("it failed")
        except ToolFailed:
            done.append("caught")

    await (await registry.begin("pull", "b", work)).result()
    assert done == ["inner", "caught"]


async def test_cancel_runs_the_undo_steps_and_is_stored(registry: OperationRegistry) -> None:
    gate = Gate()
    undone: list[str] = []

    async def work(run: Run) -> None:
        async with run.stage("build"):
            run.undo(lambda: undone.append("x"))
            await gate()

    operation = await registry.begin("create", "web", work)
    await gate.reached()
    operation.cancel()
    with pytest.raises(OperationCancelled, match="create web"):
        await operation.result()
    assert undone == ["x"]
    view = await registry._store.operation_or_none(operation.id)
    assert view is not None
    assert view.state is OperationState.CANCELLED
    assert view.stages[0].state is StageState.CANCELLED
    assert view.failure is not None
    assert view.failure.exit_code == 130


async def test_cancelled_before_its_first_step_it_ends(registry: OperationRegistry) -> None:
    begun = False

    async def work(run: Run) -> None:
        nonlocal begun
        begun = True

    operation = await registry.begin("create", "web", work)
    operation.cancel()
    with pytest.raises(OperationCancelled):
        await asyncio.wait_for(operation.result(), PATIENCE)
    assert not begun
    view = await registry._store.operation_or_none(operation.id)
    assert view is not None
    assert view.state is OperationState.CANCELLED


async def test_further_cancels_do_not_cut_the_cleanup(registry: OperationRegistry) -> None:
    working, cleaning = Gate(), Gate()
    undone: list[str] = []

    async def undo() -> None:
        await cleaning()
        undone.append("x")

    async def work(run: Run) -> None:
        run.undo(undo)
        await working()

    operation = await registry.begin("create", "web", work)
    await working.reached()
    operation.cancel()
    await cleaning.reached()
    for _ in range(3):
        operation.cancel()
        await asyncio.sleep(0)
    assert not operation.over
    cleaning.open()
    with pytest.raises(OperationCancelled):
        await operation.result()
    assert undone == ["x"]


async def test_cancelling_what_is_over_changes_nothing(registry: OperationRegistry) -> None:
    async def work(run: Run) -> int:
        return 7

    operation = await registry.begin("create", "web", work)
    assert await operation.result() == 7
    operation.cancel()
    await registry.cancel(operation.id)
    assert await operation.result() == 7
    assert operation.view.state is OperationState.DONE


async def test_whoever_waits_may_go_away(registry: OperationRegistry) -> None:
    gate = Gate()

    async def work(run: Run) -> str:
        await gate()
        return "made"

    operation = await registry.begin("create", "web", work)
    await gate.reached()
    waiting = asyncio.create_task(operation.result())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.open()
    assert await operation.result() == "made"


async def test_failure_is_stored_with_reason_and_hint(registry: OperationRegistry) -> None:
    async def work(run: Run) -> None:
        async with run.stage("build"):
            raise ToolFailed("mke2fs failed", "It ended with code 1", "See the log", code=1)

    operation = await registry.begin("pull image", "x", work)
    with pytest.raises(ToolFailed):
        await operation.result()
    view = await registry.status(operation.id)
    stored = await registry._store.operation_or_none(operation.id)
    assert stored == view
    assert view.failure is not None
    assert (view.failure.kind, view.failure.title, view.failure.detail, view.failure.hint) == (
        "ToolFailed", "mke2fs failed", "It ended with code 1", "See the log",
    )  # fmt: skip
    assert view.stages[0].state is StageState.FAILED
    assert view.ended is not None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_is_called_that(registry: OperationRegistry, number: int) -> None:
    async def work(run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(full())

    async def full() -> None:
        raise OSError(number, "No space left on device", "/state/images/x")

    with pytest.raises(NotEnoughDisk) as caught:
        await (await registry.begin("pull image", "x", work)).result()
    assert "/state/images/x" in caught.value.detail
    assert caught.value.hint


async def test_the_unforeseen_is_one_error_with_its_traceback_in_the_log(
    registry: OperationRegistry,
) -> None:
    async def work(run: Run) -> None:
        raise ZeroDivisionError("nobody thought of it")

    operation = await registry.begin("create", "web", work)
    with pytest.raises(BangerError) as caught:
        await operation.result()
    log = registry._paths.operation_log(operation.id)
    assert str(log) in caught.value.hint
    assert "nobody thought of it" in caught.value.detail
    assert "ZeroDivisionError" in log.read_text()


async def test_every_reader_of_events_sees_the_end(registry: OperationRegistry) -> None:
    gate = Gate()

    async def work(run: Run) -> None:
        async with run.stage("build"):
            await gate()

    operation = await registry.begin("create", "web", work)
    resting = asyncio.Event()

    async def quick() -> OperationState:
        last = operation.view
        async for view in operation.events():
            last = view
        return last.state

    async def slow() -> OperationState:
        """Busy with a view while the end comes and the quick one takes it."""
        last = operation.view
        async for view in operation.events():
            last = view
            await resting.wait()
        return last.state

    readers = [asyncio.create_task(quick()), asyncio.create_task(slow())]
    await gate.reached()
    gate.open()
    await operation.result()
    assert await asyncio.wait_for(readers[0], PATIENCE) is OperationState.DONE
    resting.set()
    assert await asyncio.wait_for(readers[1], PATIENCE) is OperationState.DONE


async def test_the_bus_hears_begin_and_end(registry: OperationRegistry) -> None:
    with registry._bus.subscribe() as events:

        async def work(run: Run) -> None:
            async with run.stage("build") as stage:
                for done in range(500):
                    stage.progress(done, 500)

        operation = await registry.begin("pull image", "x", work)
        await operation.result()
        events.close()
        heard = [e.operation async for e in events if isinstance(e, OperationChanged)]
    assert heard[-1].state is OperationState.DONE
    assert heard[-1] == operation.view
    assert len(heard) < 50, "progress floods the bus"


async def test_status_by_prefix_and_unknown(registry: OperationRegistry) -> None:
    async def work(run: Run) -> None:
        pass

    operation = await registry.begin("create", "web", work)
    await operation.result()
    assert (await registry.status(operation.id[:6])).id == operation.id
    for ask in (registry.status, registry.cancel):
        with pytest.raises(NotFound):
            await ask("nonsense")


async def test_prune_forgets_old_ones_and_their_logs_only(registry: OperationRegistry) -> None:
    async def work(run: Run) -> None:
        await asyncio.to_thread(run.log.write_text, "said")

    old = await registry.begin("create", "old", work)
    await old.result()
    view = old.view
    import dataclasses

    await registry._store.save_operation(
        dataclasses.replace(view, id="a" * 12, ended=time.time() - 1000)
    )
    log = registry._paths.operation_log("a" * 12)
    log.write_text("said")
    assert await registry.prune(500) == 1
    assert [v.id for v in await registry.list()] == [old.id]
    assert not log.exists()
    assert registry._paths.operation_log(old.id).exists()


async def test_another_process_can_cancel_it(tmp_path: Path) -> None:
    """Two engines on one state directory, as two processes would be."""
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as one, fake_engine(tmp_path) as other:
        operation = await one.images.pull(IMAGE)
        assert [v.id for v in await other.operations.list()] == [operation.id]
        assert other.operations.live() == []
        await other.operations.cancel(operation.id)
        with pytest.raises(OperationCancelled):
            await asyncio.wait_for(operation.result(), PATIENCE)
        assert (await other.operations.status(operation.id)).state is OperationState.CANCELLED
        assert await one.images.list() == []
