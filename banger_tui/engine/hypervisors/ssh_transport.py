"""Programs in a guest over ssh: one multiplexed connection a VM, its host key pinned."""

from __future__ import annotations

import asyncio
import random
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from banger_tui.engine.errors import GuestFailure, GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.hypervisors.ssh_channel import SshChannel

if TYPE_CHECKING:
    import asyncssh

    from banger_tui.engine.hypervisors.ssh_connection import Client

T = TypeVar("T")
_CONNECT_SECONDS = 20.0
#: Programs at a time over one connection. dropbear is out of descriptors at about 340 (three pipes
#: each, 1,024 in all).
CHANNELS = 256
_PTY_ECHO = 53  # RFC 4254, section 8
_TRIES, _TRY_PAUSE = 12, 0.01  # … and seconds, times the number of the try
_QUEUE_SECONDS = 30.0
# What is started waits for a line from us before it is run: see ``_asked``. No longer than 100
# bytes, with quotes (sessions/command.py).
_START = ("/.banger/bin/busybox", "sh", "-c", 'read -r go && exec "$@"', "start")
_START_PTY = (*_START[:3], 'read -r go && stty echo && exec "$@"', "start")
# What a guest may send ahead of its reader; asyncssh stops it at that and keeps at most twice as
# much. More is no faster: 8 MB/s under TCG from 128 KiB on.
_WINDOW = 256 << 10


class SshTransport:
    """Implements ``Transport``. Connects on first use, and again after a broken connection."""

    def __init__(
        self, host: str, port: int, host_key: str, client_key: Path, user: str = "root"
    ) -> None:
        self._host = host
        self._port = port
        self._host_key = host_key
        self._client_key = client_key
        self._user = user
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: Client | None = None
        self._turn = asyncio.Lock()
        self._slots = asyncio.Semaphore(CHANNELS)
        self._opening = asyncio.Lock()
        self._releases: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        await self._connected()

    async def lost(self) -> str:
        if self._client is None:
            return "It was closed."
        return await asyncio.shield(self._client.lost)

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        command = "exec " + shlex.join((*(_START_PTY if pty else _START), *argv))
        options: dict[str, Any] = {}
        if pty is not None:
            # Without an echo, or what is run would begin with that of our line.
            options = {
                "term_type": term or "xterm-256color", "term_size": pty,
                "term_modes": {_PTY_ECHO: 0},
            }  # fmt: skip
        await self._take_slot()
        try:
            process = await self._asked(
                lambda connection: connection.create_process(
                    command, encoding=None, window=_WINDOW, **options
                )
            )
            process.stdin.write(b"\n")
        except BaseException:  # a cancel, too, gives the slot back
            self._slots.release()
            raise
        self._release_after(process)
        return SshChannel(process)

    async def _take_slot(self) -> None:
        """Wait for one of the connection's channels. Raises: GuestFailure when none is let go."""
        try:
            async with asyncio.timeout(_QUEUE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise GuestFailure(
                "Too many programs run over the connection to this guest",
                f"There are {CHANNELS}, and none ended within {_QUEUE_SECONDS:.0f} s.",
                "Close a panel, or end a command.",
            ) from None

    def _release_after(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        async def release() -> None:
            try:
                await process.wait_closed()
            finally:
                self._slots.release()

        task = asyncio.create_task(release(), name="ssh channel")
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _asked(self, request: Callable[[asyncssh.SSHClientConnection], Awaitable[T]]) -> T:
        """Open a channel and start what it is for.

        dropbear 2022.83 closes a channel on which nothing was started yet whenever a program of
        the same connection ends; so it is asked again. What was asked of the closed channel it
        may start all the same, without a word: that one finds its stdin at an end instead of the
        line it waits for, and runs nothing.
        """
        import asyncssh

        refusal: Exception | None = None
        for attempt in range(_TRIES):
            await asyncio.sleep(attempt * _TRY_PAUSE * random.random())
            # One at a time: that keeps short how long a channel stands open with nothing started.
            async with self._opening:
                connection = await self._connected()
                try:
                    return await request(connection)
                except asyncssh.ChannelOpenError as error:
                    refusal = error
                except (asyncssh.Error, OSError) as error:
                    raise _broken(error) from error
            if connection.is_closed() and attempt:
                raise _broken(refusal) from refusal
        raise GuestFailure("The guest does not start the command", str(refusal)) from refusal

    async def _connected(self) -> asyncssh.SSHClientConnection:
        ssh = await asyncio.to_thread(preload)
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    self._connection, self._client = await ssh.connect(
                        self._host, self._port, self._user, self._host_key, self._client_key
                    )
            except ssh.asyncssh.HostKeyNotVerifiable as error:
                raise GuestUnreachable(
                    "That is not this VM's ssh server",
                    f"{self._host}:{self._port} shows a host key that is not the pinned one.",
                    "Another program may have taken the port: restart the VM.",
                ) from error
            except (ssh.asyncssh.Error, OSError, TimeoutError, ValueError) as error:
                raise GuestUnreachable(
                    "The guest's ssh server can't be reached",
                    f"{self._host}:{self._port}: {error or 'no answer in time'}",
                    "Look at the console; a restart may help.",
                ) from error
            return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


def _broken(error: Exception) -> GuestUnreachable:
    return GuestUnreachable(
        "The connection to the guest broke", str(error), "It is made anew; try again."
    )


def preload() -> Any:
    """The module that connects, which imports asyncssh. Blocking."""
    from banger_tui.engine.hypervisors import ssh_connection

    return ssh_connection
