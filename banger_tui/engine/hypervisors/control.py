"""The host's end of the guest's control port: a line protocol over a virtio serial port.

The guest says ``ready UPTIME`` once ssh listens, and again after ``hello``. A request is
``ID VERB ARGS…`` and is answered by ``ID ok [VALUE]`` or ``ID err REASON``. What a guest writes is
hostile: lines are cut at 4 KiB, anything unexpected is skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from banger_tui.engine.errors import GuestFailure, GuestUnreachable

_LINE_LIMIT = 4096


class ControlPort:
    """One connection to a guest's control port; QEMU serves one at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def connect(cls, socket: Path) -> AsyncIterator[ControlPort]:
        """Raises: GuestUnreachable when nothing listens."""
        try:
            reader, writer = await asyncio.open_unix_connection(socket, limit=_LINE_LIMIT)
        except OSError as error:
            raise GuestUnreachable("The guest's control port is closed", str(error)) from error
        try:
            # A line of our own first: whatever a previous client left half-said ends here.
            writer.write(b"\n")
            yield cls(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ready(self) -> None:
        """Wait, without end, until the guest says ``ready``.

        Raises:
            GuestUnreachable: the VMM closed the port.
        """
        self._writer.write(b"hello\n")
        while (words := await self._line()) is not None:
            if words[:1] == ["ready"]:
                return
        raise GuestUnreachable("The guest's control port was closed", "The VM has ended.")

    async def ask(self, request: str, timeout: float) -> str:
        """Send one request and wait for its answer.

        Raises:
            GuestUnreachable: no answer within ``timeout`` seconds, or the port was closed.
            GuestFailure: the guest answered ``err``.
        """
        number = secrets.token_hex(4)
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(f"{number} {request}\n".encode())
                await self._writer.drain()
                while (words := await self._line()) is not None:
                    if words[:1] != [number]:
                        continue
                    if words[1:2] == ["ok"]:
                        return " ".join(words[2:])
                    verb = request.split(" ", 1)[0]
                    raise GuestFailure(f"The guest refuses {verb!r}", " ".join(words[2:])[:200])
        except TimeoutError:
            raise GuestUnreachable(
                "The guest does not answer", f"Nothing came within {timeout:.0f} s."
            ) from None
        except OSError as error:
            raise GuestUnreachable("The guest's control port broke", str(error)) from error
        raise GuestUnreachable("The guest's control port was closed", "The VM has ended.")

    async def _line(self) -> list[str] | None:
        """The words of the next line; None when the port was closed."""
        try:
            raw = await self._reader.readline()
        except ValueError:  # an over-long line: readline has dropped it
            return []
        except ConnectionResetError:
            return None
        if not raw:
            return None
        return raw.decode(errors="replace").split()
