"""As much of an HTTP/1.1 server as tests need: one that can break off wherever it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

_SIOCOUTQ = 0x5411  # bytes sent and not yet acknowledged (tcp(7))
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by lower-case name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Connection:
    """The server's end of one connection. ``count`` is told of all bytes that went out."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    count: Callable[[int], None] = field(default=lambda _: None)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.count(len(data))

    async def reply(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """A whole answer. ``Content-Length`` is set unless the headers have one."""
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        await self.send(head(status, fields) + body)

    async def reply_json(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        await self.reply(status, {"Content-Type": "application/json"}, body)

    async def reset(self) -> None:
        """End it with a TCP reset, once the peer's kernel has what was sent."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        while struct.unpack("i", fcntl.ioctl(sock.fileno(), _SIOCOUTQ, b"\0" * 4))[0]:
            await asyncio.sleep(0.001)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A status line and headers, with the empty line after them."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Odd"
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    """First line and headers (lower-case names); None at the end of the connection."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines if line)
    return first, {name.strip().lower(): value.strip() for name, _, value in fields}


class HttpServer:
    """A server on a free loopback port, running inside ``async with``; subclasses answer."""

    def __init__(self, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = 0
        self.seen: list[Request] = []
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.address}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer(self, request: Request, connection: Connection) -> bool:
        """Answer one request; False ends the connection."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        writer.transport.set_write_buffer_limits(0)
        connection = Connection(reader, writer)
        try:
            while request := await self._read(reader):
                self.seen.append(request)
                if not await self.answer(request, connection):
                    break
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            writer.transport.abort()  # a client that left, or the end of the test
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Request | None:
        found = await read_head(reader)
        if found is None:
            return None
        method, target, _ = found[0].split(" ")
        body = await reader.readexactly(int(found[1].get("content-length", "0")))
        return Request(method, target, found[1], body)


async def copy(reader: asyncio.StreamReader, length: int | None, connection: Connection) -> None:
    """Pass on ``length`` bytes (None: all there are)."""
    left = length
    while left is None or left:
        chunk = await reader.read(_CHUNK if left is None else min(left, _CHUNK))
        if not chunk:
            return
        await connection.send(chunk)
        left = None if left is None else left - len(chunk)
