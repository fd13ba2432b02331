"""A small asyncio client for the QEMU Machine Protocol.

Protocol: https://www.qemu.org/docs/master/interop/qmp-spec.html. One JSON object a line; commands
are matched to answers by id. QEMU survives its client, and accepts one client at a time, so a
connection is opened for a few commands and closed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from banger_tui.engine.errors import HypervisorFailure

# query-qmp-schema answers with more than asyncio's 64 KiB a line
_LINE_LIMIT = 16 << 20


class QmpRefused(HypervisorFailure):
    """QEMU understood and said no."""


class Qmp:
    """One connection. Events that arrive are dropped: processes are watched by pidfd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def connect(cls, socket: Path, timeout: float = 10.0) -> AsyncIterator[Qmp]:
        """Connect and negotiate; closed at the end of the block.

        Raises:
            HypervisorFailure: nobody listens, or no greeting within ``timeout`` seconds.
        """
        writer: asyncio.StreamWriter | None = None
        try:
            try:
                async with asyncio.timeout(timeout):
                    reader, writer = await asyncio.open_unix_connection(socket, limit=_LINE_LIMIT)
                    client = cls(reader, writer)
                    await client._message()
                    await client.execute("qmp_capabilities", timeout=timeout)
            except (OSError, TimeoutError) as error:
                raise HypervisorFailure(
                    "QEMU does not answer", f"{socket}: {error or 'no answer in time'}"
                ) from error
            yield client
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def execute(
        self, command: str, arguments: dict[str, Any] | None = None, *, timeout: float = 10.0
    ) -> Any:
        """Run a command and return its answer.

        Raises:
            QmpRefused: QEMU answered with an error.
            HypervisorFailure: the connection broke or no answer came in time.
        """
        number = next(self._ids)
        request = {"execute": command, "arguments": arguments or {}, "id": number}
        try:
            self._writer.write(json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(timeout):
                await self._writer.drain()
                while (message := await self._message()).get("id") != number:
                    pass
        except (OSError, TimeoutError, ValueError) as error:
            raise HypervisorFailure(f"QEMU broke off at {command}", str(error)) from error
        if "error" in message:
            raise QmpRefused(f"QEMU refuses {command}", str(message["error"].get("desc", "")))
        return message.get("return")

    async def monitor(self, line: str) -> str:
        """Run a line of the human monitor; its text ("" means it worked)."""
        answer = await self.execute("human-monitor-command", {"command-line": line})
        return str(answer).strip()

    async def _message(self) -> dict[str, Any]:
        line = await self._reader.readline()
        if not line:
            raise ConnectionResetError("QEMU closed the connection")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("no QMP message")
        return message
