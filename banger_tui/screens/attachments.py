"""Guest streams in terminals: consoles and shells that are attached now.

An attachment outlives tab changes and ends with its machine; when the machine runs again it
attaches anew. The shell is a session in the guest: letting go of it leaves it running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.widgets import units
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.hypervisors.base import Channel, Console

Kind = Literal["console", "shell"]

_RETRY = 0.5
_LAST_WORDS = 0.3
_MOST = 24


class Attachment:
    """One stream in one terminal."""

    def __init__(
        self,
        bridge: Bridge,
        vm_id: str,
        kind: Kind,
        view: TerminalView,
        grid: Callable[[], tuple[int, int]],
    ) -> None:
        self.vm_id = vm_id
        self.kind = kind
        self.view = view
        self._bridge = bridge
        self._grid = grid
        self._sent_grid = (0, 0)
        self._outgoing = bytearray()
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._over = asyncio.Event()
        self._live = False
        self._task = asyncio.create_task(self._run(), name=f"{kind} of {vm_id}")

    @property
    def live(self) -> bool:
        """Whether the guest is at the other end."""
        return self._live

    def send(self, data: bytes) -> None:
        """What the person typed; enter attaches again when the stream has ended."""
        if self._live:
            self._outgoing += data
            self._wake.set()
        elif b"\r" in data:
            self._again.set()

    def resized(self) -> None:
        """The terminal has another size."""
        self._wake.set()

    def attach_again(self) -> None:
        """The machine runs (again)."""
        if not self._live:
            self._again.set()

    def machine_ended(self) -> None:
        """The machine is off: nothing more will come, even where the stream does not say so."""
        self._over.set()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def _vm(self) -> VmRecord | None:
        return self._bridge.world.vms.get(self.vm_id)

    async def _run(self) -> None:
        while True:
            self._again.clear()
            try:
                await self._attend()
                await self._say(self._farewell())
            except BangerError as error:
                if self._on_its_way():
                    await asyncio.sleep(_RETRY)
                    continue
                await self._say(
                    f"{error.title}\r\n{error.detail}\r\n{error.hint}\r\nEnter here tries again."
                )
            await self._again.wait()
            self.view.reset()

    def _on_its_way(self) -> bool:
        """The machine will have this stream soon: no word of a failure yet."""
        vm = self._vm
        if vm is None:
            return False
        if self.kind == "console":
            return vm.state in (VmState.CREATING, VmState.STARTING)
        return vm.state is VmState.STARTING

    async def _attend(self) -> None:
        vm = self._vm
        if vm is None:
            return
        engine = self._bridge.engine
        stream: Console | Channel
        if self.kind == "shell":
            self._sent_grid = self._grid()
            stream = await engine.vms.shell(vm.id, *self._sent_grid)
        elif vm.state in (VmState.STOPPED, VmState.FAILED):
            await self.view.write(await engine.vms.logs(vm.id))
            return
        else:
            stream = await engine.vms.console(vm.id)
        self._outgoing.clear()
        self._wake.set()
        self._live = True
        self._over.clear()
        sending = asyncio.create_task(self._send(stream), name=f"keys of {self.vm_id}")
        reading = asyncio.create_task(self._read(stream), name=f"output of {self.vm_id}")
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([reading, over], return_when=asyncio.FIRST_COMPLETED)
            # A machine's last words may still be on their way.
            await asyncio.wait([reading], timeout=_LAST_WORDS)
            if reading.done():
                reading.result()
        finally:
            self._live = False
            for task in (sending, reading, over):
                task.cancel()
            await asyncio.wait([sending, reading, over])
            await stream.close()

    async def _read(self, stream: Console | Channel) -> None:
        while data := await stream.read():
            await self.view.write(data)

    async def _send(self, stream: Console | Channel) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                grid = self._grid()
                if self.kind == "shell" and grid != self._sent_grid:
                    self._sent_grid = grid
                    await stream.resize(*grid)  # type: ignore[union-attr]  # a shell is a Channel
                if self._outgoing:
                    data = bytes(self._outgoing)
                    self._outgoing.clear()
                    await stream.write(data)
        except (BangerError, OSError):
            # The reader sees the same end and says so.
            return

    def _farewell(self) -> str:
        vm = self._vm
        if vm is None or not vm.running:
            return "The machine has stopped. S in the list starts it."
        if self.kind == "shell":
            return "The shell has ended. Enter here opens a new one."
        return "The console has closed. Enter here opens it again."

    async def _say(self, text: str) -> None:
        lines = [units.plain(line, 400) for line in text.split("\r\n") if line.strip()]
        said = "\r\n".join(f"\x1b[0;2m[{line}]\x1b[0m" for line in lines)
        await self.view.write(f"\r\n{said}\r\n".encode())


class Attachments:
    """All attachments of the app, by machine."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._by_vm: dict[str, dict[Kind, Attachment]] = {}

    def get(self, vm_id: str, kind: Kind) -> Attachment | None:
        return self._by_vm.get(vm_id, {}).get(kind)

    def attach(
        self, vm_id: str, kind: Kind, view: TerminalView, grid: Callable[[], tuple[int, int]]
    ) -> Attachment:
        """The machine's attachment of that kind, made when there is none."""
        of_vm = self._by_vm.pop(vm_id, {})
        self._by_vm[vm_id] = of_vm  # the newest stand last
        if kind not in of_vm:
            of_vm[kind] = Attachment(self._bridge, vm_id, kind, view, grid)
        return of_vm[kind]

    def of(self, view: TerminalView) -> Attachment | None:
        """The attachment that a terminal belongs to."""
        for of_vm in self._by_vm.values():
            for attachment in of_vm.values():
                if attachment.view is view:
                    return attachment
        return None

    def runs_again(self, vm_id: str) -> None:
        """The machine has (re)started: what has ended attaches anew."""
        for attachment in self._by_vm.get(vm_id, {}).values():
            attachment.attach_again()

    def ended(self, vm_id: str) -> None:
        """The machine is off."""
        for attachment in self._by_vm.get(vm_id, {}).values():
            attachment.machine_ended()

    def surplus(self, keep: str) -> list[str]:
        """Machines not looked at for longest, beyond what is kept attached."""
        others = [vm_id for vm_id in self._by_vm if vm_id != keep]
        return others[: max(0, len(self._by_vm) - _MOST)]

    async def drop(self, vm_id: str) -> None:
        """Let go of a machine."""
        for attachment in self._by_vm.pop(vm_id, {}).values():
            await attachment.close()

    async def close(self) -> None:
        for vm_id in list(self._by_vm):
            await self.drop(vm_id)
