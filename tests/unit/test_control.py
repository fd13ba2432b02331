"""The control port against guests that behave and guests that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.errors import GuestFailure, GuestUnreachable
from banger_tui.engine.hypervisors.control import ControlPort

Reply = Callable[[list[str]], bytes | None]


@asynccontextmanager
async def guest(path: Path, reply: Reply) -> AsyncIterator[Path]:
    """A guest that answers each line (its words) with these bytes; None closes the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if (said := reply(line.decode().split())) is None:
                break
            writer.write(said)
        writer.close()

    server = await asyncio.start_unix_server(serve, path / "control.sock")
    try:
        yield path / "control.sock"
    finally:
        server.close()


def ok(words: list[str]) -> bytes:
    return f"{words[0]} ok {' '.join(words[1:])}\n".encode() if words else b""


async def test_a_line_of_our_own_comes_first(tmp_path: Path) -> None:
    lines: list[list[str]] = []

    def reply(words: list[str]) -> bytes:
        lines.append(words)
        return ok(words)

    async with guest(tmp_path, reply) as socket, ControlPort.connect(socket) as port:
        assert await port.ask("ping a b", 30) == "ping a b"
    assert lines[0] == [], "what another left half-said is taken for a part of our request"


async def test_ready_comes_after_hello_among_other_lines(tmp_path: Path) -> None:
    def reply(words: list[str]) -> bytes:
        return b"\xff\xfe\nold ok\n\nready 1.25\n" if words == ["hello"] else b""

    async with guest(tmp_path, reply) as socket, ControlPort.connect(socket) as port:
        await asyncio.wait_for(port.ready(), 30)


async def test_answers_to_others_and_ready_lines_are_skipped(tmp_path: Path) -> None:
    def reply(words: list[str]) -> bytes:
        return b"ready 2\nother ok no\n" + ok(words) if words else b""

    async with guest(tmp_path, reply) as socket, ControlPort.connect(socket) as port:
        assert await port.ask("uptime", 30) == "uptime"


async def test_a_refusal_is_told_and_cut(tmp_path: Path) -> None:
    def reply(words: list[str]) -> bytes:
        return f"{words[0]} err bad tty {'x' * 1000}\n".encode() if words else b""

    async with guest(tmp_path, reply) as socket, ControlPort.connect(socket) as port:
        with pytest.raises(GuestFailure, match="resize") as caught:
            await port.ask("resize ttyS0 24 80", 30)
        assert not isinstance(caught.value, GuestUnreachable)
        assert caught.value.detail.startswith("bad tty")
        assert len(caught.value.detail) <= 200


async def test_an_endless_line_does_no_harm(tmp_path: Path) -> None:
    def reply(words: list[str]) -> bytes:
        return b"x" * 100_000 + b"\n" + ok(words) if words else b""

    async with guest(tmp_path, reply) as socket, ControlPort.connect(socket) as port:
        assert await port.ask("ping", 30) == "ping"


async def test_a_silent_guest_is_given_up_and_a_closed_port_told(tmp_path: Path) -> None:
    async with guest(tmp_path, lambda _: b"") as socket, ControlPort.connect(socket) as port:
        with pytest.raises(GuestUnreachable, match="does not answer"):
            await port.ask("ping", 0.05)
    async with guest(tmp_path, lambda _: None) as socket:
        async with ControlPort.connect(socket) as port:
            with pytest.raises(GuestUnreachable):
                await port.ask("ping", 30)
        async with ControlPort.connect(socket) as port:
            with pytest.raises(GuestUnreachable, match="closed"):
                await asyncio.wait_for(port.ready(), 30)


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(GuestUnreachable):
        async with ControlPort.connect(tmp_path / "control.sock"):
            pytest.fail("connected")
