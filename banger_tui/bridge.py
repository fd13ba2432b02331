"""From the engine's events to Textual messages; the only module that pumps them.

The bridge keeps ``World``, the app's picture of machines, images and operations, and tells every
screen that asked when it has changed: at most thirty times a second, however much goes on.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from textual.message import Message
from textual.message_pump import MessagePump

from banger_tui.engine.errors import BangerError
from banger_tui.engine.events import (
    Event,
    ImageChanged,
    ImageDeleted,
    KernelChanged,
    KernelDeleted,
    OperationChanged,
    Resync,
    StatsSampled,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import (
    HostView,
    ImageRecord,
    KernelRecord,
    OperationView,
    SessionView,
    VmRecord,
    VmStats,
)

if TYPE_CHECKING:
    from banger_tui.engine.api import Engine
    from banger_tui.engine.catalog.load import Catalog
    from banger_tui.engine.operations import Operation

log = logging.getLogger(__name__)

FRAME = 1 / 30
_ENDED_KEPT = 200


class Opened(Message):
    """The engine is there and ``World`` is filled."""

    bubble = False


class OpenFailed(Message):
    """The engine can't be opened."""

    bubble = False

    def __init__(self, error: BangerError) -> None:
        super().__init__()
        self.error = error


class Resumed(Message):
    """Pulls that were under way when the app was left last have been begun again."""

    bubble = False

    def __init__(self, operations: tuple[OperationView, ...]) -> None:
        super().__init__()
        self.operations = operations


class Changed(Message):
    """``World`` has changed by these events, in their order."""

    bubble = False

    def __init__(self, events: tuple[Event, ...]) -> None:
        super().__init__()
        self.events = events


@dataclass(slots=True)
class World:
    """What the engine last said about everything. ``sessions``: by VM, of those that were asked;
    ``screens.session_watch`` keeps them. ``catalog``: None until it is read, and where it
    can't be, which ``catalog_problem`` then tells."""

    vms: dict[str, VmRecord] = field(default_factory=dict)
    stats: dict[str, VmStats] = field(default_factory=dict)
    images: dict[str, ImageRecord] = field(default_factory=dict)
    kernels: dict[str, KernelRecord] = field(default_factory=dict)
    operations: dict[str, OperationView] = field(default_factory=dict)
    sessions: dict[str, tuple[SessionView, ...]] = field(default_factory=dict)
    catalog: Catalog | None = None
    catalog_problem: BangerError | None = None
    host: HostView | None = None
    summary: str = ""
    loaded: bool = False

    def apply(self, event: Event) -> None:
        match event:
            case VmChanged(vm):
                self.vms[vm.id] = vm
            case VmDeleted(vm_id):
                self.vms.pop(vm_id, None)
                self.stats.pop(vm_id, None)
                self.sessions.pop(vm_id, None)
            case ImageChanged(image):
                self.images[image.name] = image
            case ImageDeleted(name):
                self.images.pop(name, None)
            case KernelChanged(kernel):
                self.kernels[kernel.name] = kernel
            case KernelDeleted(name):
                self.kernels.pop(name, None)
            case OperationChanged(operation):
                self.operations[operation.id] = operation
                if operation.state.over and len(self.operations) > _ENDED_KEPT:
                    self._forget_oldest()
            case StatsSampled(host, samples):
                self.host = host
                self.stats = {sample.vm_id: sample for sample in samples}

    def live(self) -> list[OperationView]:
        """Operations under way, oldest first."""
        found = [o for o in self.operations.values() if not o.state.over]
        return sorted(found, key=lambda o: o.started)

    def outermost(self) -> list[OperationView]:
        """Operations under way, oldest first; a pull that a create waits for is told inside it."""
        live = self.live()
        creating = {
            stage.name
            for operation in live
            if operation.kind == "create"
            for stage in operation.stages
            if stage.started and not stage.ended
        }
        return [o for o in live if o.kind not in creating]

    def working_on(self, vm: VmRecord) -> OperationView | None:
        """The operation under way for a VM."""
        for operation in self.operations.values():
            if operation.state.over:
                continue
            if operation.subject_id == vm.id or (
                not operation.subject_id
                and operation.subject == vm.name
                and not operation.kind.startswith("pull")
            ):
                return operation
        return None

    def _forget_oldest(self) -> None:
        ended = [o for o in self.operations.values() if o.state.over]
        ended.sort(key=lambda o: o.ended or 0.0)
        for operation in ended[: len(ended) // 2]:
            del self.operations[operation.id]


class Request(Protocol):
    """Something to begin, as data: what failed can be begun once more."""

    async def begin(self, engine: Engine) -> Operation[Any]:
        """Raises BangerError."""
        ...


EngineFactory = Callable[[], AbstractAsyncContextManager["Engine"]]


class Bridge:
    """Owns the engine for the app's life and carries its events."""

    def __init__(self) -> None:
        self.world = World()
        self.error: BangerError | None = None
        self._engine: Engine | None = None
        self._listeners: list[MessagePump] = []
        self._batch: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._requests: dict[str, Request] = {}

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            BangerError: it is not open (yet).
        """
        if self._engine is None:
            if self.error is not None:
                raise self.error
            raise BangerError("Still opening", "", "A moment, then try again.")
        return self._engine

    @property
    def is_open(self) -> bool:
        return self._engine is not None

    def listen(self, listener: MessagePump) -> None:
        """Send ``Opened``, ``OpenFailed`` and ``Changed`` to this one too."""
        self._listeners.append(listener)
        if self._engine is not None and self.world.loaded:
            listener.post_message(Opened())

    def unlisten(self, listener: MessagePump) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def open(self, make: EngineFactory) -> None:
        """Open the engine in the background; ``make`` is called in the event loop."""
        self._task = asyncio.create_task(self._run(make), name="bridge")

    async def close(self) -> None:
        """Close the engine: operations are cancelled and clean up, VMs run on."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    # -- what the screens begin

    async def begin(self, request: Request) -> OperationView:
        """Begin what is asked for, and keep in mind how.

        Raises:
            BangerError
        """
        operation = await request.begin(self.engine)
        self._requests[operation.id] = request
        view = self.world.operations.get(operation.id, operation.view)
        self.feed(OperationChanged(view))
        return view

    def request(self, operation_id: str) -> Request | None:
        """What was asked for, of an operation begun here; None once it is forgotten."""
        return self._requests.get(operation_id)

    def forget(self, operation_id: str) -> None:
        """The operation's end has been told, and it will not be begun once more."""
        self._requests.pop(operation_id, None)

    def look_again(self) -> None:
        """Have every screen show the world anew."""
        self._tell(Changed, ())

    async def resume_pulls_later(self) -> None:
        """Have the pulls that are under way begun again at the next start."""
        for operation in self.engine.operations.live():
            try:
                await self.engine.images.remember(operation)
            except (BangerError, OSError):
                # The person wants to leave; what is lost is only that it begins by itself.
                log.exception("remembering %s", operation.view.title)

    async def read_catalogs(self, *, refresh: bool = False) -> None:
        """Read what can be pulled; ``refresh``: ask the web too, however fresh the copies are."""
        try:
            self.world.catalog = await self.engine.images.catalog(refresh=refresh)
            self.world.catalog_problem = None
        except BangerError as error:
            self.world.catalog_problem = error
        self.look_again()

    async def _run(self, make: EngineFactory) -> None:
        try:
            # A quarter of a second of imports, off the loop: the first paint has come before it.
            await asyncio.to_thread(importlib.import_module, "banger_tui.engine.api")
            async with make() as engine:
                await self._serve(engine)
        except BangerError as error:
            self._fail(error)
        except Exception as error:  # the app stays usable and says so, whatever it was
            log.exception("the engine ended")
            self._fail(
                BangerError(
                    "The engine can't be opened",
                    f"{type(error).__name__}: {error}",
                    "banger-tui doctor checks this host; details are in the log.",
                )
            )
        finally:
            self._engine = None

    def _fail(self, error: BangerError) -> None:
        self.error = error
        self._tell(OpenFailed, error)

    async def _serve(self, engine: Engine) -> None:
        with engine.events() as events:
            await self._read_all(engine)
            self._engine = engine
            self._tell(Opened)

            async def pump() -> None:
                async for event in events:
                    if isinstance(event, Resync):
                        await self._read_all(engine)
                    self.feed(event)

            pumping = asyncio.create_task(pump(), name="bridge: events")
            beside = [
                asyncio.create_task(work, name=f"bridge: {name}")
                for name, work in (
                    ("summary", self._summarise(engine)),
                    ("catalogs", self.read_catalogs()),
                    ("pulls", self._resume(engine)),
                )
            ]
            closing = asyncio.create_task(self._closing.wait())
            await asyncio.wait([pumping, closing], return_when=asyncio.FIRST_COMPLETED)
            for task in (pumping, closing, *beside):
                task.cancel()
            await asyncio.wait(beside)
            if pumping.done() and not pumping.cancelled():
                pumping.result()

    async def _read_all(self, engine: Engine) -> None:
        vms = await engine.vms.list()
        images = await engine.images.list()
        kernels = await engine.kernels.list()
        world = self.world
        world.vms = {vm.id: vm for vm in vms}
        world.images = {image.name: image for image in images}
        world.kernels = {kernel.name: kernel for kernel in kernels}
        for operation in await engine.operations.list(limit=_ENDED_KEPT // 2):
            world.operations[operation.id] = operation
        world.host = engine.host() or world.host
        world.loaded = True

    async def _summarise(self, engine: Engine) -> None:
        """Probing the host takes a moment: nothing waits for its one line."""
        self.world.summary = await engine.host_summary()
        self.look_again()

    async def _resume(self, engine: Engine) -> None:
        """Begin again the pulls that were under way when the app was left last."""
        try:
            begun = await engine.images.resume_remembered()
        except (BangerError, OSError):
            log.exception("resuming pulls")
            return
        if begun:
            self._tell(Resumed, tuple(operation.view for operation in begun))

    def feed(self, event: Event) -> None:
        """Take one event into ``World`` and tell the listeners soon."""
        self.world.apply(event)
        self._batch.append(event)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._last + FRAME - loop.time())
            self._timer = loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._last = asyncio.get_running_loop().time()
        events, self._batch = tuple(self._batch), []
        self._tell(Changed, events)

    def _tell(self, kind: Callable[..., Message], *args: object) -> None:
        # A message belongs to one receiver: each gets its own.
        for listener in tuple(self._listeners):
            listener.post_message(kind(*args))
