"""A VM's serial line, for any number of viewers.

QEMU serves one client a socket, but writes all output to the console log whoever is connected. So
every viewer *reads the log*, from the first byte of boot on, and borrows the socket only while it
types: two viewers see the same and can both type. The window's size has no way over a serial line:
it goes over the control port, where the guest's agent answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from banger_tui.engine.errors import GuestFailure
from banger_tui.engine.hypervisors.base import Vmm
from banger_tui.engine.hypervisors.console_log import LogReader

_BACKLOG = 1 << 20  # bytes of earlier output shown on attach
_CHUNK = 64 << 10
_QUICK, _IDLE = 0.01, 0.1  # seconds between looks at the log, after output and in a lull
_LEND = 0.4  # seconds without a key until the socket is given back
_SIZE_TRIES, _SIZE_PAUSE = 6, 1.0  # a guest that boots answers later; seconds, doubled each time


class LoggedConsole:
    """Implements ``Console`` over a log file and a unix socket."""

    def __init__(
        self,
        log: Path,
        socket: Path,
        vmm: Vmm | None,
        tell_size: Callable[[int, int], Awaitable[object]] | None = None,
    ) -> None:
        """
        Args:
            tell_size: tells the guest columns and rows; raises GuestFailure when it can't.
        """
        self._reader = LogReader(log, _BACKLOG)
        self._socket = socket
        self._vmm = vmm
        self._tell_size = tell_size
        self._telling: asyncio.Task[None] | None = None
        self._pause = _QUICK
        self._writer: asyncio.StreamWriter | None = None
        self._drain: asyncio.Task[None] | None = None
        self._give_back: asyncio.TimerHandle | None = None
        self._closed = False

    async def read(self) -> bytes:
        while not self._closed:
            # Asked before reading: what was written before the end is then still read.
            ended = self._vmm is None or not self._vmm.alive
            data = await asyncio.to_thread(self._reader.read)
            if data:
                self._pause = _QUICK
                return data
            if ended:
                break
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 1.2, _IDLE)
        return b""

    async def write(self, data: bytes) -> None:
        if self._closed:
            return
        if self._writer is None:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._socket)
            except OSError:
                return  # the VM has ended; read() says so
            self._drain = asyncio.create_task(self._discard(reader))
        self._pause = _QUICK
        with contextlib.suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()
        if self._give_back is not None:
            self._give_back.cancel()
        self._give_back = asyncio.get_running_loop().call_later(_LEND, self._hang_up)

    async def _discard(self, reader: asyncio.StreamReader) -> None:
        """The log has it; unread it would make QEMU hold the guest's output back."""
        with contextlib.suppress(OSError):
            while await reader.read(_CHUNK):
                pass
        self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._drain is not None:
            self._drain.cancel()
            self._drain = None

    async def resize(self, columns: int, rows: int) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if not self._closed and self._tell_size is not None:
            self._telling = asyncio.create_task(self._told(columns, rows), name="console size")

    async def _told(self, columns: int, rows: int) -> None:
        assert self._tell_size is not None
        for attempt in range(_SIZE_TRIES):
            if self._vmm is None or not self._vmm.alive:
                return
            with contextlib.suppress(GuestFailure):
                await self._tell_size(columns, rows)
                return
            await asyncio.sleep(_SIZE_PAUSE * 2**attempt)

    def fit_command(self, columns: int, rows: int) -> bytes:
        return f"stty cols {columns} rows {rows}\r".encode()

    async def close(self) -> None:
        self._closed = True
        if self._telling is not None:
            self._telling.cancel()
        if self._give_back is not None:
            self._give_back.cancel()
        self._hang_up()
        await asyncio.to_thread(self._reader.close)
