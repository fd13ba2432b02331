"""A program in a guest with its streams, over ssh."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncssh

_CHUNK = 64 << 10


class SshChannel:
    """Implements ``Channel`` over an asyncssh process."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process

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
            name = "SIG" + str(self._process.exit_signal[0])
            return 128 + getattr(signal, name, signal.SIGKILL).value
        status = self._process.exit_status
        # A connection that broke reports neither: as ssh(1) does
        return 255 if status is None or status < 0 else status

    async def signal(self, name: str) -> None:
        """Send a signal, by its name without SIG, to the process that was started."""
        with contextlib.suppress(OSError):
            self._process.send_signal(name)

    async def close(self) -> None:
        # dropbear leaves the process behind a closed channel running: tell it first
        with contextlib.suppress(OSError):
            self._process.send_signal("HUP")
        self._process.close()
