"""A proxy in front of a registry that does what networks do on a bad day."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.host.registry.http import Connection, HttpServer, Request, copy, head, read_head

_SKIPPED = {"connection", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset after ``after`` bytes of the body."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Truncate:
    """A plain end after ``after`` bytes of the body."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more after ``after`` bytes of the body; the connection stays open."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """As ``Stall``, but ``reached`` tells when, and it goes on when ``gate`` is set."""

    gate: asyncio.Event
    reached: asyncio.Event
    after: int = 0


@dataclass(frozen=True, slots=True)
class Corrupt:
    """One byte of the body is another one."""

    at: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the proxy's own; the registry is not asked."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Redirect:
    """307 to the same path below another base ("http://127.0.0.1:4711")."""

    base: str


@dataclass(frozen=True, slots=True)
class IgnoreRange:
    """The whole body with 200, whatever range was asked for."""


@dataclass(frozen=True, slots=True)
class LieAboutRange:
    """206 whose Content-Range is off by ``shift``; with 0 it is right, but the bytes are those from
    the blob's beginning."""

    shift: int = 0


Fault = (
    Reset | Truncate | Stall | Hold | Corrupt | Reply | Redirect | IgnoreRange | LieAboutRange
)  # fmt: skip


@dataclass(slots=True)
class _Rule:
    pattern: re.Pattern[str]
    fault: Fault
    times: int


@dataclass(slots=True)
class Passed:
    """A request and what became of it: the status, and how much of a body was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    status: int = 0
    body_bytes: int = 0

    def count(self, sent: int) -> None:
        self.body_bytes += sent


class FaultProxy(HttpServer):
    """``async with FaultProxy(host, port) as proxy: proxy.on("GET .*/blobs/", Reset(after=100))``

    Lives on the loop of its ``async with``. ``passed`` lists every request in its order.
    """

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls=tls)
        self._upstream = (host, port)
        self._rules: list[_Rule] = []
        self.passed: list[Passed] = []

    def on(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """Do ``fault`` to the next ``times`` requests whose "METHOD /path" has the pattern in it.
        Of several rules that fit, the one given first is used up first."""
        self._rules.append(_Rule(re.compile(pattern), fault, times))

    def matching(self, pattern: str) -> list[Passed]:
        return [p for p in self.passed if re.search(pattern, f"{p.method} {p.target}")]

    def moved(self, pattern: str = "/blobs/") -> int:
        """Bytes of bodies sent in answer to requests with the pattern in their "METHOD /path"."""
        return sum(p.body_bytes for p in self.matching(pattern))

    def _fault(self, request: Request) -> Fault | None:
        for rule in self._rules:
            if rule.times and rule.pattern.search(f"{request.method} {request.target}"):
                rule.times -= 1
                return rule.fault
        return None

    async def answer(self, request: Request, connection: Connection) -> bool:
        passed = Passed(request.method, request.target, request.headers)
        self.passed.append(passed)
        fault = self._fault(request)
        if isinstance(fault, Redirect):
            fault = Reply(307, {"Location": fault.base + request.target})
        if isinstance(fault, Reply):
            passed.status = fault.status
            await connection.reply(fault.status, fault.headers, fault.body)
            passed.body_bytes = len(fault.body)
            return True
        reader, writer = await asyncio.open_connection(*self._upstream, limit=1 << 20)
        try:
            return await self._forward(request, connection, reader, writer, passed, fault)
        finally:
            writer.transport.abort()

    async def _forward(
        self,
        request: Request,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passed: Passed,
        fault: Fault | None,
    ) -> bool:
        headers = {k: v for k, v in request.headers.items() if k not in _SKIPPED}
        if isinstance(fault, IgnoreRange | LieAboutRange):
            headers.pop("range", None)
        first = f"{request.method} {request.target} HTTP/1.1\r\n"
        fields = "".join(f"{k}: {v}\r\n" for k, v in {**headers, "connection": "close"}.items())
        writer.write(f"{first}{fields}\r\n".encode("latin-1") + request.body)
        answer = await read_head(reader)
        if answer is None:
            return False
        status = int(answer[0].split(" ")[1])
        chunked = "transfer-encoding" in answer[1]
        length = None if chunked else int(answer[1].get("content-length", "0"))
        if request.method == "HEAD" or status in (204, 304):
            length = 0
        given = {k: v for k, v in answer[1].items() if k != "connection"}
        if isinstance(fault, LieAboutRange) and length is not None:
            status, length = _lie(fault, request, length, given)
        passed.status = status
        await connection.send(head(status, given))
        counting = Connection(connection.reader, connection.writer, passed.count)
        await self._body(reader, length, counting, fault)
        whole = length is not None and passed.body_bytes == length
        return whole and not isinstance(fault, Reset | Truncate)

    async def _body(
        self,
        reader: asyncio.StreamReader,
        length: int | None,
        connection: Connection,
        fault: Fault | None,
    ) -> None:
        match fault:
            case Reset(after):
                await copy(reader, after, connection)
                await connection.reset()
            case Truncate(after):
                await copy(reader, after, connection)
            case Stall(after):
                await copy(reader, after, connection)
                await connection.reader.read()  # until the client leaves
            case Hold(gate, reached, after):
                await copy(reader, after, connection)
                reached.set()
                await gate.wait()
                await copy(reader, None if length is None else length - after, connection)
            case Corrupt(at):
                await copy(reader, at, connection)
                await connection.send(bytes([(await reader.readexactly(1))[0] ^ 0xFF]))
                await copy(reader, None if length is None else length - at - 1, connection)
            case _:
                await copy(reader, length, connection)


def _lie(
    fault: LieAboutRange, request: Request, length: int, given: dict[str, str]
) -> tuple[int, int]:
    """Turn the headers of a whole body into those of a range that it is not."""
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    start = int(asked[1]) if asked else 0
    given["content-range"] = f"bytes {start + fault.shift}-{length - 1}/{length}"
    claimed = min(length - start - fault.shift, length)
    given["content-length"] = str(claimed)
    return 206, claimed
