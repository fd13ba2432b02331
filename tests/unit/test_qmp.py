"""The QMP client against a server that says what we want it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.errors import HypervisorFailure
from banger_tui.engine.hypervisors.qmp import Qmp, QmpRefused

GREETING: dict[str, Any] = {"QMP": {"version": {}, "capabilities": []}}
Answer = Callable[[dict[str, Any]], list[object]]


def usual(request: dict[str, Any]) -> list[object]:
    return [{"return": {"did": request["execute"]}, "id": request["id"]}]


@asynccontextmanager
async def qemu(path: Path, answer: Answer, greeting: object = GREETING) -> AsyncIterator[Path]:
    """A QEMU that answers each request with these messages; None closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is not None:
            writer.write(json.dumps(greeting).encode() + b"\r\n")
        while line := await reader.readline():
            for message in answer(json.loads(line)):
                if message is None:
                    writer.close()
                    return
                raw = message if isinstance(message, bytes) else json.dumps(message).encode()
                writer.write(raw + b"\r\n")
        writer.close()

    server = await asyncio.start_unix_server(serve, path / "qmp.sock")
    try:
        yield path / "qmp.sock"
    finally:
        server.close()


async def test_it_negotiates_and_matches_answers_by_id(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(request: dict[str, Any]) -> list[object]:
        seen.append(request["execute"])
        event = {"event": "RESUME", "timestamp": {}}
        stale = {"return": "old", "id": 999}
        return [event, stale, *usual(request)]

    async with qemu(tmp_path, answer) as socket, Qmp.connect(socket) as qmp:
        assert await qmp.execute("query-status") == {"did": "query-status"}
        assert await qmp.execute("quit") == {"did": "quit"}
    assert seen == ["qmp_capabilities", "query-status", "quit"]


async def test_a_refusal_is_told_with_its_reason(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> list[object]:
        if request["execute"] == "stop":
            return [{"error": {"class": "GenericError", "desc": "not now"}, "id": request["id"]}]
        return usual(request)

    async with qemu(tmp_path, answer) as socket, Qmp.connect(socket) as qmp:
        with pytest.raises(QmpRefused, match="not now"):
            await qmp.execute("stop")
        assert await qmp.execute("cont") == {"did": "cont"}, "it is of no use after a refusal"


async def test_a_long_answer_arrives_whole(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> list[object]:
        return [{"return": "x" * (1 << 20), "id": request["id"]}]

    async with qemu(tmp_path, answer) as socket, Qmp.connect(socket) as qmp:
        assert len(await qmp.execute("query-qmp-schema")) == 1 << 20


async def test_monitor_gives_the_text(tmp_path: Path) -> None:
    def answer(request: dict[str, Any]) -> list[object]:
        if request["execute"] == "human-monitor-command":
            line = request["arguments"]["command-line"]
            return [{"return": f"could not {line}\r\n", "id": request["id"]}]
        return usual(request)

    async with qemu(tmp_path, answer) as socket, Qmp.connect(socket) as qmp:
        assert await qmp.monitor("hostfwd_add") == "could not hostfwd_add"


@pytest.mark.parametrize(
    "messages", [[None], [b"no json"], [b"[1, 2]"]], ids=["closes", "text", "list"]
)
async def test_a_broken_qemu_is_one_clear_error(tmp_path: Path, messages: list[object]) -> None:
    def answer(request: dict[str, Any]) -> list[object]:
        return usual(request) if request["execute"] == "qmp_capabilities" else messages

    async with qemu(tmp_path, answer) as socket, Qmp.connect(socket) as qmp:
        with pytest.raises(HypervisorFailure):
            await qmp.execute("query-status", timeout=30)


async def test_silence_is_given_up(tmp_path: Path) -> None:
    async def connect(socket: Path) -> None:
        async with Qmp.connect(socket, timeout=0.1):
            pytest.fail("connected")

    async with qemu(tmp_path, usual, greeting=None) as socket:
        with pytest.raises(HypervisorFailure):
            await connect(socket)
    with pytest.raises(HypervisorFailure):
        await connect(tmp_path / "nobody.sock")
