"""Long work with an id: begin, status, cancel, prune.

One generic registry serves creates, pulls, builds, starts and stops. An operation is a coroutine
that is given a ``Run``: it opens named stages, reports progress and leaves undo steps. When it
fails or is cancelled the undo steps run, last first, shielded from further cancels; when it ends,
however it ends, its stages with their times are in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from banger_tui.engine.errors import BangerError, NotFound, OperationCancelled
from banger_tui.engine.events import Bus, OperationChanged
from banger_tui.engine.explain import explain
from banger_tui.engine.model import Failure, OperationState, OperationView
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import ProcessId
from banger_tui.engine.shield import finish
from banger_tui.engine.stages import LiveStage
from banger_tui.engine.store import Store

T = TypeVar("T")
log = logging.getLogger(__name__)

_SAVE_EVERY = 0.3  # seconds between two writes of mere progress
_PUBLISH_EVERY = 0.05  # seconds between two frames of mere progress


class Run:
    """What an operation's work is given: stages, undo, a log."""

    def __init__(self, operation: Operation[Any], path: Path) -> None:
        self._operation = operation
        self._steps: list[Callable[[], object]] = []
        self._after: list[Callable[[], object]] = []
        self.root = LiveStage("", operation._touched, self.undo, path)

    @property
    def id(self) -> str:
        return self._operation.id

    @property
    def log(self) -> Path:
        return self.root.log

    def plan(self, names: Sequence[str]) -> None:
        """Show these stages as pending from the start."""
        for name in names:
            self.root.child(name)

    def stage(self, name: str) -> AbstractAsyncContextManager[LiveStage]:
        return self.root.child(name).active()

    def skip(self, name: str, detail: str = "") -> None:
        self.root.child(name).skip(detail)

    def about(self, subject: str, subject_id: str = "") -> None:
        """Name what it works on, once that is known."""
        self._operation._about(subject, subject_id)

    def undo(self, step: Callable[[], object]) -> None:
        """Run ``step`` (plain or async function) if the operation does not succeed; last first."""
        self._steps.append(step)

    def afterwards(self, step: Callable[[], object]) -> None:
        """Run ``step`` (plain or async function) at the end, however it ends; last first."""
        self._after.append(step)

    async def clean_up(self) -> None:
        await self._run_all(self._after, 0)

    @asynccontextmanager
    async def scope(self) -> AsyncIterator[None]:
        """Undo steps left inside the block are taken back at its end if it fails, while the locks
        around it are still held; otherwise they stay for what comes after."""
        mark = len(self._steps)
        try:
            yield
        except BaseException:  # a cancel, too, is taken back
            await finish(self.take_back(mark))
            raise

    async def take_back(self, keep: int = 0) -> None:
        """Run the undo steps, last first, until only ``keep`` are left."""
        await self._run_all(self._steps, keep)

    async def _run_all(self, steps: list[Callable[[], object]], keep: int) -> None:
        while len(steps) > keep:
            step = steps.pop()
            try:
                outcome = step()
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:  # one failed step must not keep the others from running
                log.exception("cleaning up %s", self._operation.view.title)


class Operation(Generic[T]):
    """One piece of long work, running or over."""

    def __init__(self, registry: OperationRegistry, view: OperationView, path: Path) -> None:
        self._registry = registry
        self._head = view
        self._run = Run(self, path)
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._cancelled_early = False
        self._outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # An outcome nobody asks for is no "exception was never retrieved": it is in the store.
        self._outcome.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._changed = asyncio.Event()
        self._published = 0.0
        self._deferred: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        return self._head.id

    @property
    def over(self) -> bool:
        return self._outcome.done()

    @property
    def view(self) -> OperationView:
        """How it stands now."""
        return dataclasses.replace(self._head, stages=self._run.root.view().children)

    async def events(self) -> AsyncIterator[OperationView]:
        """Its views as they change; the last one is the final one. Frames may be skipped."""
        while True:
            # Each change has an event of its own: one reader can't take it from another.
            changed = self._changed
            view = self.view
            yield view
            if view.state.over:
                return
            await changed.wait()

    async def result(self) -> T:
        """Wait for the end.

        Raises:
            BangerError: what it failed with; OperationCancelled when it was cancelled.
        """
        return await asyncio.shield(self._outcome)

    def cancel(self) -> None:
        """Ask it to end; it undoes what it did first. Harmless when it is over."""
        if not self._begun:
            # Cancelled before its first step, a task would never reach its own end.
            self._cancelled_early = True
        elif self._task is not None and not self.over:
            self._task.cancel()

    # -- inside

    def _about(self, subject: str, subject_id: str) -> None:
        self._head = dataclasses.replace(self._head, subject=subject, subject_id=subject_id)
        self._touched(True)

    def _touched(self, urgent: bool) -> None:
        """Something changed: tell it now, or a moment later together with what follows."""
        loop = asyncio.get_running_loop()
        due = self._published + _PUBLISH_EVERY
        if urgent or loop.time() >= due:
            self._tell()
        elif self._deferred is None:
            self._deferred = loop.call_at(due, self._tell)
        self._registry._dirty(self, urgent)

    def _tell(self) -> None:
        if self._deferred is not None:
            self._deferred.cancel()
            self._deferred = None
        self._published = asyncio.get_running_loop().time()
        self._changed.set()
        self._changed = asyncio.Event()
        self._registry._publish(self.view)

    async def _drive(self, work: Callable[[Run], Awaitable[T]]) -> None:
        failure: Failure | None = None
        error: BaseException | None = None
        value: T | None = None
        state = OperationState.DONE
        self._begun = True
        try:
            if self._cancelled_early:
                raise asyncio.CancelledError
            value = await work(self._run)
        except asyncio.CancelledError:
            state = OperationState.CANCELLED
            error = OperationCancelled(f"Cancelled: {self.view.title}", "Nothing of it is left.")
        except Exception as caught:  # noqa: BLE001  # every end is told to the person
            state = OperationState.FAILED
            error = explain(caught, self._run.log)
        if isinstance(error, BangerError):
            failure = Failure(error.kind, error.title, error.detail, error.hint, error.exit_code)
            await finish(self._run.take_back())
        await finish(self._run.clean_up())
        self._head = dataclasses.replace(
            self._head, state=state, ended=time.time(), failure=failure
        )
        await finish(self._registry._ended(self))
        if error is not None:
            self._outcome.set_exception(error)
        else:
            self._outcome.set_result(value)  # type: ignore[arg-type]  # set when no error
        self._tell()


class OperationRegistry:
    """All operations of this process; finished ones are read from the store."""

    def __init__(self, store: Store, bus: Bus, paths: Paths) -> None:
        self._store = store
        self._bus = bus
        self._paths = paths
        self._live: dict[str, Operation[Any]] = {}
        self._unsaved: set[str] = set()
        self._wake = asyncio.Event()
        self._urgent = False
        self._saver = asyncio.create_task(self._save_loop(), name="operations: save")
        self._owner = ProcessId.own()

    async def begin(
        self,
        kind: str,
        subject: str,
        work: Callable[[Run], Awaitable[T]],
        *,
        plan: Sequence[str] = (),
        subject_id: str = "",
    ) -> Operation[T]:
        """Start ``work`` as a task of the engine and return at once.

        Args:
            kind: a verb: "create", "pull image", …
            subject: the name it works on (``Run.about`` may set it later).
            plan: names of the stages to come, in order.
        """
        view = OperationView(
            id=secrets.token_hex(6), kind=kind, subject=subject, subject_id=subject_id,
            state=OperationState.RUNNING, stages=(), started=time.time(),
            owner_pid=self._owner.pid, owner_start=self._owner.start,
        )  # fmt: skip
        operation: Operation[T] = Operation(self, view, self._paths.operation_log(view.id))
        operation._run.plan(plan)
        self._live[view.id] = operation
        try:
            # In the store before the first deed: a crash then leaves a name for what it left.
            await self._store.save_operation(operation.view)
        except BaseException:  # a cancel, too: the caller never learns its id
            del self._live[view.id]
            # A save that was cancelled may have been carried out all the same.
            with contextlib.suppress(BangerError):
                await finish(self._store.forget_operation(view.id))
            raise
        operation._task = asyncio.create_task(operation._drive(work), name=f"{kind} {subject}")
        self._bus.publish(OperationChanged(operation.view))
        return operation

    def live(self) -> list[Operation[Any]]:
        """Operations of this process that are under way, oldest first."""
        return [o for o in self._live.values() if not o.over]

    async def status(self, operation_id: str) -> OperationView:
        """How one stands, whichever process runs or ran it; an unambiguous prefix will do.

        Raises:
            NotFound
        """
        if operation := self._live.get(operation_id):
            return operation.view
        view = await self._store.operation_or_none(operation_id)
        if view is None:
            raise NotFound(
                f"There is no operation {operation_id!r}", "", "banger-tui operation list"
            )
        return self._live[view.id].view if view.id in self._live else view

    async def list(self, limit: int = 200) -> list[OperationView]:
        """The newest operations of all processes, newest first."""
        stored = await self._store.operations(limit)
        return [self._live[v.id].view if v.id in self._live else v for v in stored]

    async def cancel(self, operation_id: str) -> OperationView:
        """Ask one to end, also when another process runs it (it looks twice a second).

        Raises:
            NotFound
        """
        view = await self.status(operation_id)
        if operation := self._live.get(view.id):
            operation.cancel()
        elif not view.state.over:
            await self._store.request_cancel(view.id)
        return view

    async def honour_requests(self) -> None:
        """Cancel those of ours that another process wants ended."""
        if self._live:
            for operation_id in await self._store.cancel_requests():
                if operation := self._live.get(operation_id):
                    operation.cancel()

    async def prune(self, keep_seconds: float) -> int:
        """Forget operations that ended longer ago than that, with their logs; how many."""
        before = time.time() - keep_seconds
        old = [v for v in await self._store.operations(100_000) if v.ended and v.ended < before]
        await asyncio.to_thread(_unlink, [self._paths.operation_log(v.id) for v in old])
        return await self._store.prune_operations(before)

    async def close(self) -> None:
        """Cancel what runs, wait until it has cleaned up, and save."""
        for operation in self.live():
            operation.cancel()
        tasks = [o._task for o in self._live.values() if o._task is not None]
        if tasks:
            await asyncio.wait(tasks)
        self._saver.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._saver

    # -- inside

    def _publish(self, view: OperationView) -> None:
        self._bus.publish(OperationChanged(view))

    def _dirty(self, operation: Operation[Any], urgent: bool) -> None:
        self._unsaved.add(operation.id)
        self._urgent = self._urgent or urgent
        self._wake.set()

    async def _ended(self, operation: Operation[Any]) -> None:
        self._unsaved.discard(operation.id)
        try:
            await self._store.save_operation(operation.view)
        except BangerError:
            # A full disk must not turn the end of an operation into a hang: the person is told
            # by the event; reconcile closes the record at the next start.
            log.exception("saving the end of %s", operation.view.title)
        # The newest stay at hand for status(); older ones are in the store.
        over = [key for key, op in self._live.items() if op.over]
        for key in over[:-50]:
            del self._live[key]

    async def _save_loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._urgent = False
            for operation_id in tuple(self._unsaved):
                self._unsaved.discard(operation_id)
                operation = self._live.get(operation_id)
                if operation is not None and not operation.view.state.over:
                    try:
                        await self._store.save_operation(operation.view)
                    except BangerError:
                        log.exception("saving progress of %s", operation.view.title)
            pause = time.monotonic() + _SAVE_EVERY
            while time.monotonic() < pause and not self._urgent:
                await asyncio.sleep(0.05)


def _unlink(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
