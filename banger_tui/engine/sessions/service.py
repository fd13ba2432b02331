"""Sessions, as the facade offers them: processes in guests that outlive every client.

All there is to know of a session lies in its guest (``assets/guest/session``), so nothing is
remembered here: any process that opens the same state directory finds the same sessions.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
from collections.abc import AsyncIterator

from banger_tui.engine.context import Context
from banger_tui.engine.errors import BangerError, NameTaken, NotFound
from banger_tui.engine.model import MIB, SessionSpec, SessionState, SessionView
from banger_tui.engine.sessions import lifecycle
from banger_tui.engine.sessions.attach import HISTORY, Attached, PtyAttached
from banger_tui.engine.sessions.guest import NoTerminal, Place
from banger_tui.engine.sessions.launch import validate
from banger_tui.engine.sessions.pipe import PipeAttached
from banger_tui.engine.sessions.registry import NAME
from banger_tui.engine.sessions.screen import ScreenAttached
from banger_tui.engine.sessions.stream import Chunk, stream
from banger_tui.engine.sessions.transports import Transports

_SIZE = (80, 24)  # of a terminal nobody has looked at yet
_LIST_SECONDS = 15.0
_SHELL_LOG = 8 * MIB
# A guest without KVM works half a second for each: with more at once each waits for all others.
_ATTACHING = 8


class Sessions:
    def __init__(self, ctx: Context, transports: Transports) -> None:
        self._ctx = ctx
        self._transports = transports
        self._attaching: dict[str, asyncio.Semaphore] = {}

    async def _place(self, vm: str, name: str = "") -> Place:
        return Place(await self._ctx.store.vm(vm), await self._transports.of(vm), name)

    async def start(self, vm: str, spec: SessionSpec, size: tuple[int, int] = _SIZE) -> SessionView:
        """Start a process; command, directory and user are looked for in the guest first.

        Args:
            size: (columns, rows) of a terminal until somebody attaches.

        Raises:
            InvalidInput, NameTaken, NotFound, IllegalMove (the VM does not run), GuestUnreachable,
            GuestFailure
        """
        validate(spec)
        return await lifecycle.start(await self._place(vm), spec, size)

    async def list(self, vm: str | None = None) -> list[SessionView]:
        """The sessions of a VM, or of all that run and answer; by VM's name and name.

        Raises, with ``vm``:
            NotFound, IllegalMove, GuestUnreachable, GuestFailure
        """
        if vm is not None:
            return await lifecycle.list_all(await self._place(vm))
        running = [record for record in await self._ctx.store.vms() if record.running]
        lists = await asyncio.gather(*(self._list_or_none(record.id) for record in running))
        return sorted(
            (view for views in lists for view in views), key=lambda view: (view.vm_name, view.name)
        )

    async def _list_or_none(self, vm: str) -> builtins.list[SessionView]:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return await lifecycle.list_all(await self._place(vm))
        except (BangerError, TimeoutError):
            return []

    async def show(self, vm: str, name: str) -> SessionView:
        """Raises: NotFound, IllegalMove, GuestUnreachable, GuestFailure"""
        return await lifecycle.show(await self._place(vm, _sound(vm, name)))

    async def attach(
        self,
        vm: str,
        name: str,
        size: tuple[int, int] | None = None,
        *,
        read_only: bool = False,
        take: bool = False,
        out: int = 0,
        err: int = 0,
        history: int = HISTORY,
    ) -> Attached:
        """Become a client of a session; the only one who may type, unless somebody else is.

        Args:
            size: (columns, rows); a pty needs it.
            take: whoever types now is let go (pty), or may only read on (pipe).
            out, err: pipe mode: the first bytes of stdout and stderr that are wanted.
            history: pty mode: how many lines above the screen come before it; 0 for a client that
                has them already.

        Raises:
            NotFound, IllegalMove (the VM, or a pty's program, does not run), InvalidInput,
            GuestUnreachable, GuestFailure
        """
        place = await self._place(vm, _sound(vm, name))
        mode = "look" if read_only else "take" if take else "write"
        async with self._attaching.setdefault(place.vm.id, asyncio.Semaphore(_ATTACHING)):
            if size is not None:
                with contextlib.suppress(NoTerminal):
                    if not read_only:
                        typing = await ScreenAttached.open(place, size, mode, max(0, history))
                        if typing is not None:
                            return typing
                    return await PtyAttached.open(place, size, "look", max(0, history))
            return await PipeAttached.open(place, mode, max(0, out), max(0, err))

    async def stream(
        self, vm: str, name: str, *, err: bool = False, offset: int = 0, follow: bool = False
    ) -> AsyncIterator[Chunk]:
        """Output from a byte on; see ``stream.stream``. A pty's output is all in stdout."""
        place = await self._place(vm, _sound(vm, name))
        async for chunk in stream(place, err=err, offset=max(0, offset), follow=follow):
            yield chunk

    async def send(self, vm: str, name: str, data: bytes, *, take: bool = False) -> None:
        """Type into a terminal, or give to stdin. Waits while the process has no room (pipe).

        Raises:
            Conflict: somebody else types, and ``take`` is not set.
            NotFound, IllegalMove (it has ended), GuestUnreachable, GuestFailure
        """
        await lifecycle.send(await self._place(vm, _sound(vm, name)), data, take=take)

    async def eof(self, vm: str, name: str, *, take: bool = False) -> None:
        """End of stdin; ctrl+d in a terminal. Raises as ``send``."""
        await lifecycle.eof(await self._place(vm, _sound(vm, name)), take=take)

    async def signal(self, vm: str, name: str, signal: str) -> None:
        """TERM, INT, USR1, …, to what runs in front. Raises: InvalidInput, and as ``send``."""
        await lifecycle.signal(await self._place(vm, _sound(vm, name)), signal)

    async def stop(self, vm: str, name: str, grace: float = 5.0) -> SessionView:
        """TERM, and KILL ``grace`` seconds later; at once when it has ended before.

        Raises:
            NotFound, IllegalMove, GuestUnreachable, GuestFailure (it does not end)
        """
        return await lifecycle.stop(await self._place(vm, _sound(vm, name)), grace)

    async def delete(self, vm: str, name: str, *, force: bool = False) -> None:
        """Forget a session and its output; ``force`` stops it first.

        Raises:
            NotFound, IllegalMove (it runs), GuestUnreachable, GuestFailure
        """
        await lifecycle.delete(await self._place(vm, _sound(vm, name)), force=force)

    async def shell(
        self, vm: str, columns: int, rows: int, name: str | None = None, *, take: bool = False
    ) -> Attached:
        """Attach to the user's login shell, made when it is not there; ``name`` or "shell".

        Raises as ``start`` and ``attach``.
        """
        name = name or "shell"
        try:
            session = await self.show(vm, name)
            if session.state is not SessionState.RUNNING:
                await self.delete(vm, name)
                raise NotFound(f"Session {name} has ended")
        except NotFound:
            with contextlib.suppress(NameTaken):  # another client was quicker
                spec = SessionSpec(name=name, keep_bytes=_SHELL_LOG)
                await self.start(vm, spec, (columns, rows))
        return await self.attach(vm, name, (columns, rows), take=take)


def _sound(vm: str, name: str) -> str:
    """A name that can be said to the guest. Raises: NotFound"""
    if not NAME.fullmatch(name):
        raise NotFound(f"There is no session {name!r} in {vm}")
    return name
