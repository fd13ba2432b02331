"""Programs in a guest over ssh: one multiplexed connection a VM, its host key pinned."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banger_tui.engine.errors import GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel

if TYPE_CHECKING:
    import asyncssh

_CONNECT_SECONDS = 20.0
_CHUNK = 64 << 10


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
        self._turn = asyncio.Lock()

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        import asyncssh

        command = shlex.join(argv)
        options: dict[str, Any] = {}
        if pty is not None:
            options = {"term_type": term or "xterm-256color", "term_size": pty}
        for attempt in (1, 2):
            connection = await self._connected()
            try:
                process = await connection.create_process(command, encoding=None, **options)
            except (asyncssh.Error, OSError) as error:
                # The connection may have died unnoticed (a paused or restarted VM): once more.
                await self.close()
                if attempt == 2:
                    raise GuestUnreachable(
                        "The guest does not start the command", str(error)
                    ) from error
                continue
            return SshChannel(process, has_pty=pty is not None)
        raise AssertionError("not reached")

    async def _connected(self) -> asyncssh.SSHClientConnection:
        # asyncssh takes 0.2 s to import: not before it is needed
        asyncssh = await asyncio.to_thread(preload)
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            pinned = asyncssh.import_public_key(self._host_key)
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    self._connection = await asyncssh.connect(
                        self._host, self._port, username=self._user,
                        client_keys=[str(self._client_key)], known_hosts=([pinned], [], []),
                        # dropbear asserts on some of asyncssh's default algorithms
                        server_host_key_algs=["ssh-ed25519"],
                        agent_path=None, config=None, keepalive_interval=15,
                    )  # fmt: skip
            except asyncssh.HostKeyNotVerifiable as error:
                raise GuestUnreachable(
                    "That is not this VM's ssh server",
                    f"{self._host}:{self._port} shows a host key that is not the pinned one.",
                    "Another program may have taken the port: restart the VM.",
                ) from error
            except (asyncssh.Error, OSError, TimeoutError) as error:
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


def preload() -> Any:
    """Import asyncssh. Blocking."""
    import asyncssh

    return asyncssh


class SshChannel:
    """Implements ``Channel`` over an asyncssh process."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], *, has_pty: bool) -> None:
        self._process = process
        self._has_pty = has_pty

    async def read(self) -> bytes:
        return await self._read(self._process.stdout)

    async def read_stderr(self) -> bytes:
        return await self._read(self._process.stderr)

    async def _read(self, stream: Any) -> bytes:
        import asyncssh

        while True:
            try:
                return bytes(await stream.read(_CHUNK))
            except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived, asyncssh.SignalReceived):
                continue
            except (asyncssh.Error, OSError):
                return b""

    async def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)
            await self._process.stdin.drain()

    async def write_eof(self) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        with contextlib.suppress(OSError):
            self._process.change_terminal_size(columns, rows)

    async def wait(self) -> int:
        await self._process.wait_closed()
        if self._process.exit_signal is not None:
            import signal

            name = "SIG" + str(self._process.exit_signal[0])
            return 128 + getattr(signal, name, signal.SIGKILL).value
        status = self._process.exit_status
        # A connection that broke reports neither: as ssh(1) does
        return 255 if status is None or status < 0 else status

    async def close(self) -> None:
        # dropbear leaves the process behind a closed channel running: tell it first
        with contextlib.suppress(OSError):
            self._process.send_signal("HUP")
        self._process.close()
