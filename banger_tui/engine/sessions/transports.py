"""One connection a VM, shared by all who talk to its guest, and made anew when it breaks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from banger_tui.engine.context import Context
from banger_tui.engine.errors import BangerError, GuestUnreachable, IllegalMove
from banger_tui.engine.events import LinkChanged
from banger_tui.engine.hypervisors.base import Channel, Transport, Vmm
from banger_tui.engine.model import Link, LinkState, VmRecord, VmState

if TYPE_CHECKING:
    pass

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 10.0  # seconds between attempts, doubled from one to the next
_ATTEMPTS = 8  # in a row, then it is given up until somebody asks
_STEADY = 10.0  # seconds a connection must last to count as good
_PATIENCE = 3  # failed attempts that a call sits out …
_PATIENCE_SECONDS = 20.0  # … within this time


class Transports:
    """The connections of one engine, each kept while its VM's process lives."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._kept: dict[str, KeptTransport] = {}

    async def of(self, vm: str) -> Transport:
        """The connection to a running VM, by name or id; not to be closed by who uses it.

        What is asked of it waits for the attempt to connect that is under way.

        Raises:
            NotFound, IllegalMove (not running), GuestUnreachable (it has just ended)
        """
        record = await self._ctx.store.vm(vm)
        if record.state is not VmState.RUNNING or record.pid is None:
            raise IllegalMove(
                f"Can't connect to {record.name}",
                f"It is {record.state.value}.",
                f"See what it is at, or start it: banger-tui vm start {record.name}",
            )
        kept = self._kept.get(record.id)
        if kept is not None and kept.serves(record):
            return kept
        vmm = self._ctx.driver.adopt(record.id, record.pid, record.pid_start or 0)
        if vmm is None:
            raise _ended()
        made = KeptTransport(
            self._ctx.driver.transport(record), vmm, lambda link: self._heard(record.id, link)
        )
        self._kept[record.id] = made
        if kept is not None:
            await kept.close()
        return made

    def _heard(self, vm_id: str, link: Link) -> None:
        self._ctx.bus.publish(LinkChanged(vm_id, link))
        kept = self._kept.get(vm_id)
        if kept is not None and kept.over:
            del self._kept[vm_id]

    def links(self) -> dict[str, Link]:
        """How each VM that somebody here has talked to is reached, by id."""
        return {vm_id: kept.link for vm_id, kept in self._kept.items()}

    async def close(self) -> None:
        for kept in list(self._kept.values()):
            await kept.close()


class KeptTransport:
    """Implements ``Transport`` over a driver's: connected again and again while the VM lives."""

    def __init__(self, transport: Transport, vmm: Vmm, tell: Callable[[Link], None]) -> None:
        self._transport = transport
        self._vmm = vmm
        self._tell = tell
        self.link = Link(LinkState.CONNECTING)
        self._wanted = asyncio.Event()
        # The attempt under way or to come; its result is why it failed, None when it did not.
        self._attempt: asyncio.Future[BangerError | None] = _future()
        self.over = False
        tell(self.link)
        self._keeper = asyncio.create_task(self._keep(), name=f"connection to {vmm.pid}")
        self._watcher = asyncio.create_task(self._watch(), name=f"end of {vmm.pid}")

    def serves(self, vm: VmRecord) -> bool:
        """Whether it leads to the process that runs the VM now."""
        return not self.over and (self._vmm.pid, self._vmm.start) == (vm.pid, vm.pid_start)

    # ---------------------------------------------------------------------- as a transport

    async def connect(self) -> None:
        """Wait for the connection. Raises: GuestUnreachable after some failed attempts."""
        since, failed = time.monotonic(), 0
        while not self.over:
            if self.link.state is LinkState.CONNECTED:
                return
            self._wanted.set()
            error = await asyncio.shield(self._attempt)
            failed += error is not None
            impatient = failed >= _PATIENCE or time.monotonic() - since > _PATIENCE_SECONDS
            if error is not None and impatient:
                raise error
        raise _ended()

    async def lost(self) -> str:
        return await self._transport.lost()

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        await self.connect()
        return await self._transport.open(argv, pty=pty, term=term)

    async def close(self) -> None:
        self.over = True
        self._settle(None)
        self._keeper.cancel()
        self._watcher.cancel()
        await asyncio.gather(self._keeper, self._watcher, return_exceptions=True)
        await self._transport.close()

    # ------------------------------------------------------------------------ keeping it up

    async def _watch(self) -> None:
        await self._vmm.gone()
        self.over = True
        self._settle(None)
        self._keeper.cancel()
        self._show(Link(LinkState.DOWN, "The VM has ended."))
        await self._transport.close()

    async def _keep(self) -> None:
        failed, pause = 0, _FIRST_PAUSE
        while True:
            try:
                await self._transport.connect()
            except BangerError as error:
                why = error.detail or error.title
                failed += 1
                self._settle(error)
            else:
                since = time.monotonic()
                self._show(Link(LinkState.CONNECTED))
                self._settle(None)
                why = await self._transport.lost()
                if time.monotonic() - since >= _STEADY:
                    failed, pause = 0, _FIRST_PAUSE
                else:
                    failed += 1
            if failed >= _ATTEMPTS:
                self._wanted.clear()
                self._show(Link(LinkState.DOWN, why))
                await self._wanted.wait()
                failed, pause = 0, _FIRST_PAUSE
                self._show(Link(LinkState.CONNECTING))
                continue
            jittered = pause * random.uniform(0.7, 1.3)
            self._show(Link(LinkState.RETRYING, why, time.time() + jittered))
            await asyncio.sleep(jittered)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _show(self, link: Link) -> None:
        self.link = link
        self._tell(link)

    def _settle(self, error: BangerError | None) -> None:
        """Tell all who wait for the attempt how it went; the next to ask wait for the next."""
        attempt, self._attempt = self._attempt, _future()
        if not attempt.done():
            attempt.set_result(error)


def _future() -> asyncio.Future[BangerError | None]:
    return asyncio.get_running_loop().create_future()


def _ended() -> GuestUnreachable:
    return GuestUnreachable("The guest can't be reached", "The VM is not running.")
