"""One guest stream in one terminal: a console, or a session that lives on in the guest.

It outlives tab changes, attaches again after a lost connection and when its machine runs again, and
says in ``note`` what stands between the person and the guest.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError, Conflict, GuestUnreachable
from banger_tui.engine.model import SessionMode, VmRecord, VmState
from banger_tui.screens.pipe_terminal import PipeTerminal
from banger_tui.widgets import units
from banger_tui.widgets.tabs import Pane
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.hypervisors.base import Console
    from banger_tui.engine.sessions.attach import Attached

_RETRY = 0.5  # seconds until the first new attempt; each later one waits twice as long
_RETRY_MOST = 15.0
_LAST_WORDS = 0.3
_AHEAD = 4096  # bytes that may be typed before a first attachment is there
_REDRAWN = 1.0  # seconds after which the screen, as it was, has come
_READ_ONLY = "Somebody else types here. ctrl+] t takes over."


class Attachment:
    """One stream in one terminal."""

    def __init__(
        self,
        bridge: Bridge,
        pane: Pane,
        view: TerminalView,
        grid: Callable[[], tuple[int, int]],
        changed: Callable[[], None],
        *,
        shell: bool = False,
    ) -> None:
        """
        Args:
            grid: (columns, rows) that the guest should have.
            changed: called when ``note`` is another, and when the session may be.
            shell: the session is a shell, made anew when there is none of the name.
        """
        self.pane = pane
        self.view = view
        self.note = ""
        self.shell = shell
        self._bridge = bridge
        self._grid = grid
        self._changed = changed
        self._sent_grid = (0, 0)
        self._outgoing = bytearray()
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self._over = asyncio.Event()
        self._live = False
        self._take = False
        self._used = False
        self._typed = False
        self._told = False
        self._attached_at = math.inf
        self._console: Console | None = None
        self._pipe: PipeTerminal | None = None
        self._task = asyncio.create_task(self._run(), name=f"{pane.tab.label} of {pane.machine}")

    @property
    def live(self) -> bool:
        """Whether the guest is at the other end."""
        return self._live

    @property
    def caught_up(self) -> bool:
        """Whether what comes is new: first all that was there is told again."""
        return time.monotonic() - self._attached_at > _REDRAWN

    def send(self, data: bytes) -> None:
        """What the person typed; enter attaches again when the stream has ended."""
        coming = not self._used and not self._told
        if self._live or (coming and len(self._outgoing) < _AHEAD):
            self._outgoing += data
            self._wake.set()
        elif b"\r" in data:
            self._again.set()

    def resized(self) -> None:
        """The terminal has another size."""
        self._wake.set()

    def take_over(self) -> None:
        """Attach anew as the one that types."""
        self._take = True
        self._again.set()
        self._over.set()

    def fit(self) -> None:
        """Tell a console's guest the window's size by typing it."""
        if self._console is not None:
            self.send(self._console.fit_command(*self._grid()))

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
        return self._bridge.world.vms.get(self.pane.machine)

    # -- its life

    async def _run(self) -> None:
        delay = _RETRY
        while True:
            self._again.clear()
            try:
                await self._attend()
                delay = _RETRY
                if not self._take:
                    self._noted("")
                    await self._say(await self._farewell())
            except BangerError as error:
                if self._on_its_way() or (isinstance(error, GuestUnreachable) and self._runs()):
                    # The guest may not have noticed that who typed is gone: that was us.
                    self._take = self._typed
                    if self._used:
                        self._noted(f"Connection lost. Next try in {units.span(delay)}.")
                    await self._pause(delay)
                    delay = min(delay * 2, _RETRY_MOST)
                    continue
                if isinstance(error, Conflict) and self._typed and self._runs():
                    # Somebody else types there now: look on.
                    self._typed = False
                    await self._pause(_RETRY)
                    continue
                self._noted("")
                await self._say(
                    f"{error.title}\r\n{error.detail}\r\n{error.hint}\r\nEnter here tries again."
                )
            if not self._take:
                self._outgoing.clear()
                self._told = True
                await self._again.wait()
                self._told = False

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._again.wait()
        except TimeoutError:
            return

    def _noted(self, note: str) -> None:
        if note != self.note:
            self.note = note
            self._changed()

    def _runs(self) -> bool:
        return (vm := self._vm) is not None and vm.running

    def _on_its_way(self) -> bool:
        """The machine will have this stream soon: no word of a failure yet."""
        vm = self._vm
        if vm is None:
            return False
        if self.pane.tab.kind == "console":
            return vm.state in (VmState.CREATING, VmState.STARTING)
        return vm.state is VmState.STARTING

    async def _attend(self) -> None:
        vm = self._vm
        if vm is None:
            return
        if self.pane.tab.kind == "session":
            await self._attend_session(vm)
        elif vm.state in (VmState.STOPPED, VmState.FAILED):
            await self._fresh()
            await self.view.write(await self._bridge.engine.vms.logs(vm.id))
        else:
            await self._attend_console(vm)

    async def _attend_console(self, vm: VmRecord) -> None:
        console = await self._bridge.engine.vms.console(vm.id)
        self._console = console
        try:
            await self._fresh()
            await self._pump(console)
        finally:
            self._console = None
            await console.close()

    async def _attend_session(self, vm: VmRecord) -> None:
        session = await self._session(vm)
        try:
            await self._fresh()
            await self._pump(session)
            if not self._over.is_set():
                # Raises when it was the connection that ended.
                await session.wait()
        finally:
            await session.close()

    async def _session(self, vm: VmRecord) -> Attached:
        sessions = self._bridge.engine.sessions
        self._sent_grid = self._grid()
        name = self.pane.tab.session
        take, self._take = self._take, False
        if self.shell:
            attached = await sessions.shell(vm.id, *self._sent_grid, name, take=take)
        else:
            attached = await sessions.attach(vm.id, name, self._sent_grid, take=take)
        self._typed = attached.writer
        self.view.read_only = not attached.writer
        self._noted("" if attached.writer else _READ_ONLY)
        pipe = attached.session.mode is SessionMode.PIPE
        self._pipe = PipeTerminal(self.view, attached, self._interrupt) if pipe else None
        return attached

    async def _interrupt(self) -> None:
        await self._bridge.engine.sessions.signal(self.pane.machine, self.pane.tab.session, "INT")

    async def _fresh(self) -> None:
        """What comes now is told from its beginning: nothing must stand above it twice."""
        if self._used:
            self.view.reset()
        self._used = True

    async def _pump(self, stream: Console | Attached) -> None:
        self._over.clear()
        self._wake.set()
        self._attached_at = time.monotonic()
        self._live = True
        name = self.pane.machine
        sending = asyncio.create_task(self._send(stream), name=f"keys of {name}")
        reading = asyncio.create_task(self._read(stream), name=f"output of {name}")
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([reading, over], return_when=asyncio.FIRST_COMPLETED)
            # A machine's last words may still be on their way.
            await asyncio.wait([reading], timeout=_LAST_WORDS)
            if reading.done():
                reading.result()
        finally:
            self._live = False
            self._outgoing.clear()
            for task in (sending, reading, over):
                task.cancel()
            await asyncio.wait([sending, reading, over])

    async def _read(self, stream: Console | Attached) -> None:
        if self._pipe is not None:
            await self._pipe.show()
            return
        while data := await stream.read():
            await self.view.write(data)

    async def _send(self, stream: Console | Attached) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                grid = self._grid()
                if grid != self._sent_grid:
                    self._sent_grid = grid
                    await stream.resize(*grid)
                if self._outgoing:
                    data = bytes(self._outgoing)
                    self._outgoing.clear()
                    if self._pipe is not None:
                        await self._pipe.typed(data)
                    else:
                        await stream.write(data)
        except (BangerError, OSError):
            # The reader sees the same end and says so.
            return

    async def _farewell(self) -> str:
        vm = self._vm
        if vm is None or not vm.running:
            return "The machine has stopped. u in the list starts it."
        if self.pane.tab.kind == "console":
            return "The console has closed. Enter here opens it again."
        self._changed()
        if self.shell:
            return "The shell has ended. Enter here opens a new one."
        seen = await self._bridge.engine.sessions.show(vm.id, self.pane.tab.session)
        code = "" if seen.exit_code is None else f" with exit code {seen.exit_code}"
        return f"It has ended{code}. ctrl+] x closes this tab."

    async def _say(self, text: str) -> None:
        lines = [units.plain(line, 400) for line in text.split("\r\n") if line.strip()]
        said = "\r\n".join(f"\x1b[0;2m[{line}]\x1b[0m" for line in lines)
        await self.view.write(f"\r\n{said}\r\n".encode())
