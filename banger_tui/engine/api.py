"""The engine's facade: read this first.

::

    async with Engine(Paths.from_environment(), Settings()) as engine:
        operation = await engine.vms.create(VmSpec(image="debian-bookworm"))
        async for view in operation.events():
            print(view.current)
        vm = await operation.result()

Everything long is an ``Operation`` and runs as the engine's own task: whoever asked for it may go
away. VMs outlive the engine; leaving the block cancels operations under way and waits until they
have cleaned up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Self

from banger_tui.engine import host
from banger_tui.engine.artefacts import Artefacts
from banger_tui.engine.catalog.catalogs import Catalogs
from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.events import Bus, Subscription
from banger_tui.engine.flights import Flights
from banger_tui.engine.hypervisors.base import Capabilities, Driver
from banger_tui.engine.images.make import make as make_image
from banger_tui.engine.images.service import Images
from banger_tui.engine.kernels.build import build as build_kernel
from banger_tui.engine.kernels.service import Kernels
from banger_tui.engine.locks import Locks
from banger_tui.engine.model import HostView, ImageRecord
from banger_tui.engine.oci.web import fetch_small
from banger_tui.engine.operations import Operation, OperationRegistry
from banger_tui.engine.paths import Paths
from banger_tui.engine.provision.build import PLAN as BUILD_PLAN
from banger_tui.engine.provision.build import BuildSpec, build
from banger_tui.engine.reconcile import reconcile
from banger_tui.engine.sessions.service import Sessions
from banger_tui.engine.sessions.transports import Transports
from banger_tui.engine.settings import Settings
from banger_tui.engine.shield import finish
from banger_tui.engine.store import Store
from banger_tui.engine.vms.files import ensure_client_key
from banger_tui.engine.vms.service import Vms
from banger_tui.engine.vms.stats import Sampler
from banger_tui.engine.watch import Watch


class Engine:
    """One opened state directory. Several processes may each have theirs open on the same one."""

    vms: Vms
    images: Images
    kernels: Kernels
    operations: OperationRegistry
    transports: Transports
    sessions: Sessions

    def __init__(
        self,
        paths: Paths,
        settings: Settings | None = None,
        *,
        driver: Driver | None = None,
        artefacts: Artefacts | None = None,
    ) -> None:
        """
        Args:
            driver: what runs VMs; None: as the settings say.
            artefacts: what builds images and kernels; None: fitting the driver.
        """
        self.paths = paths
        self.settings = (settings or Settings()).with_environment()
        self._driver = driver
        self._artefacts = artefacts
        self._bus = Bus()
        self._warm: asyncio.Task[Capabilities] | None = None

    async def __aenter__(self) -> Self:
        """Open the store and reconcile it with what lives.

        Raises:
            StateUnwritable, DatabaseCorrupt, StorageFailure, InvalidInput
        """
        await asyncio.to_thread(self.paths.prepare)
        await asyncio.to_thread(ensure_client_key, self.paths)
        driver, artefacts = self._choose()
        locks = Locks(self.paths.locks)
        # Two processes that meet at a new database: one makes it, the other finds it made.
        async with locks.leaf("store").hold("open the database"):
            self._store = await Store.open(self.paths.database, self._bus.publish)
        self.operations = OperationRegistry(self._store, self._bus, self.paths)
        self._ctx = Context(
            paths=self.paths, settings=self.settings, store=self._store, bus=self._bus,
            locks=locks, operations=self.operations, flights=Flights(),
            driver=driver, artefacts=artefacts,
            catalogs=Catalogs(self.settings.catalogs, self.paths.catalogs, fetch_small),
        )  # fmt: skip
        self._watch = Watch(self._ctx)
        self._sampler = Sampler(self._ctx)
        self.transports = Transports(self._ctx)
        self.sessions = Sessions(self._ctx, self.transports)
        self.vms = Vms(self._ctx, self._sampler, self.transports)
        self.images = Images(self._ctx)
        self.kernels = Kernels(self._ctx)
        try:
            await reconcile(self._ctx)
            await self._watch.start()
            self._sampler.start()
            # What the driver measures about the host is then there when the first create asks.
            self._warm = asyncio.create_task(driver.capabilities(), name="probe the host")
        except BaseException:  # a cancel, too: __aexit__ is not called for what was never entered
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await finish(self._close())

    async def _close(self) -> None:
        if self._warm is not None:
            await asyncio.wait([self._warm])
        await self.operations.close()
        await self.transports.close()
        await self._sampler.close()
        await self._watch.close()
        await self._store.close()

    def _choose(self) -> tuple[Driver, Artefacts]:
        name = self.settings.driver
        if self._driver is not None:
            driver = self._driver
        elif name == "fake":
            from banger_tui.engine.hypervisors.fake import FakeDriver

            driver = FakeDriver(boot_seconds=1.0)
        elif name in ("auto", "qemu"):
            from banger_tui.engine.hypervisors.qemu import QemuDriver

            settings = self.settings
            driver = QemuDriver(
                self.paths.client_key, self.paths.cache,
                settings.accelerator, settings.console_bytes,
            )  # fmt: skip
        else:
            raise InvalidInput(
                f"There is no driver {name!r}", "Known are auto, qemu and fake.",
                "Set driver in config.toml, or BANGER_DRIVER.",
            )  # fmt: skip
        if self._artefacts is not None:
            return driver, self._artefacts
        if driver.name == "fake":
            from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders

            return driver, FakeBuilders().artefacts
        return driver, Artefacts(make_image, build_kernel)

    # ------------------------------------------------------------------------------ looking on

    def events(self) -> AbstractContextManager[Subscription]:
        """``with engine.events() as events: async for event in events: …``"""
        return self._bus.subscribe()

    async def build_image(
        self, spec: BuildSpec, on_line: Callable[[str], None] | None = None
    ) -> Operation[ImageRecord]:
        """Boot a VM, run a script in it, make an image of it; see ``provision.build``."""
        return await self.operations.begin(
            "build image", spec.name, build(self._ctx, spec, on_line), plan=BUILD_PLAN
        )

    async def doctor(self) -> list[host.Check]:
        """What this host can do, and how to add what is missing."""
        return await host.examine(self._ctx)

    async def host_summary(self) -> str:
        """One line for a header: driver, acceleration, network."""
        capabilities = await self._ctx.driver.capabilities()
        return f"{self._ctx.driver.name}·{capabilities.accelerator}  user net"

    def host(self) -> HostView | None:
        """The last sample of the host, if there is one."""
        return self._sampler.host
