"""A VM's serial line, for any number of viewers.

QEMU serves one client a socket, but writes all output to the console log whoever is connected. So
every viewer *reads the log*, from the first byte of boot on, and borrows the socket only while it
types: two viewers see the same and can both type.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

from banger_tui.engine.hypervisors.base import Vmm

_BACKLOG = 256 << 10  # bytes of earlier output shown on attach
_CHUNK = 64 << 10
_QUICK, _IDLE = 0.01, 0.1  # seconds between looks at the log, after output and in a lull
_LEND = 1.5  # seconds without a key until the socket is given back


class LoggedConsole:
    """Implements ``Console`` over a log file and a unix socket."""

    def __init__(self, log: Path, socket: Path, vmm: Vmm | None) -> None:
        self._log = log
        self._socket = socket
        self._vmm = vmm
        self._offset = -1
        self._pause = _QUICK
        self._writer: asyncio.StreamWriter | None = None
        self._drain: asyncio.Task[None] | None = None
        self._give_back: asyncio.TimerHandle | None = None
        self._closed = False

    async def read(self) -> bytes:
        while not self._closed:
            # Asked before reading: what was written before the end is then still read.
            ended = self._vmm is None or not self._vmm.alive
            data = await asyncio.to_thread(self._read_log)
            if data:
                self._pause = _QUICK
                return data
            if ended:
                break
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 1.2, _IDLE)
        return b""

    def _read_log(self) -> bytes:
        try:
            descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            size = os.fstat(descriptor).st_size
            if self._offset < 0:
                self._offset = max(0, size - _BACKLOG)
            elif size < self._offset:  # started anew
                self._offset = 0
            data = os.pread(descriptor, _CHUNK, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(data)
        return data

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

    async def close(self) -> None:
        self._closed = True
        if self._give_back is not None:
            self._give_back.cancel()
        self._hang_up()
