"""The console over its log: every viewer sees all, the socket is borrowed only to type."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from banger_tui.engine.errors import GuestFailure, GuestUnreachable
from banger_tui.engine.hypervisors.fake import FakeVmm
from banger_tui.engine.hypervisors.logged_console import LoggedConsole
from tests.engine_fixtures.gates import PATIENCE


async def read(console: LoggedConsole, wanted: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while wanted not in seen:
            data = await console.read()
            assert data, f"it ended: {seen!r}"
            seen += data
    return seen


async def test_what_was_said_before_then_what_comes_then_the_end(tmp_path: Path) -> None:
    log, vmm = tmp_path / "console.log", FakeVmm(1)
    log.write_bytes(b"early\n")
    console = LoggedConsole(log, tmp_path / "s", vmm)
    assert await read(console, b"early") == b"early\n"
    reading = asyncio.create_task(console.read())
    await asyncio.sleep(0)
    with log.open("ab") as file:
        file.write(b"later\n")
    assert await asyncio.wait_for(reading, PATIENCE) == b"later\n"
    with log.open("ab") as file:
        file.write(b"last words\n")
    vmm.crash()
    assert await read(console, b"last words") == b"last words\n"
    assert await console.read() == b""


async def test_two_viewers_see_the_same(tmp_path: Path) -> None:
    log, vmm = tmp_path / "console.log", FakeVmm(1)
    log.write_bytes(b"x" * 100_000 + b"end")
    one, other = (LoggedConsole(log, tmp_path / "s", vmm) for _ in range(2))
    assert await read(one, b"end") == await read(other, b"end") == log.read_bytes()


async def test_of_a_long_log_the_end_is_shown_from_a_new_line_on(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    lines = b"".join(b"line %07d\n" % number for number in range(200_000))
    log.write_bytes(lines)
    seen = await read(LoggedConsole(log, tmp_path / "s", FakeVmm(1)), b"line 0199999\n")
    assert lines.endswith(b"\n" + seen)
    assert 0 <= (1 << 20) - len(seen) < 13


async def test_a_log_started_anew_is_read_from_its_begin(tmp_path: Path) -> None:
    log, vmm = tmp_path / "console.log", FakeVmm(1)
    log.write_bytes(b"first life, rather long\n")
    console = LoggedConsole(log, tmp_path / "s", vmm)
    await read(console, b"long")
    log.write_bytes(b"second\n")
    assert await read(console, b"second") == b"second\n"


async def test_of_a_vm_that_never_ran_there_is_nothing(tmp_path: Path) -> None:
    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", None)
    assert await console.read() == b""
    await console.write(b"x")
    await console.close()


async def test_typing_borrows_the_socket_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.hypervisors.logged_console._LEND", 0.1)
    typed: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # it is left with output unread
            while data := await reader.read(100):
                writer.write(b"output nobody reads here" * 1000)
                typed.put_nowait(data)
        typed.put_nowait(b"given back")
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", FakeVmm(1))
    async with asyncio.timeout(PATIENCE):
        for _ in range(2):  # it can be borrowed again
            await console.write(b"ls\r")
            assert await typed.get() == b"ls\r"
            assert await typed.get() == b"given back"
        await console.write(b"x")
        assert await typed.get() == b"x"
        await console.close()
        assert await typed.get() == b"given back"
    server.close()


async def test_closing_ends_a_read_that_waits(tmp_path: Path) -> None:
    (tmp_path / "console.log").touch()
    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", FakeVmm(1))
    reading = asyncio.create_task(console.read())
    await asyncio.sleep(0)
    await console.close()
    assert await asyncio.wait_for(reading, PATIENCE) == b""


async def test_the_guest_is_told_the_last_size_until_it_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.hypervisors.logged_console._SIZE_PAUSE", 0.001)
    tried: list[tuple[int, int]] = []
    heard = asyncio.Event()
    booting = asyncio.Event()

    async def tell(columns: int, rows: int) -> None:
        tried.append((columns, rows))
        if len(tried) < 4:
            booting.set()
            raise GuestUnreachable("The guest does not answer")
        heard.set()

    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", FakeVmm(1), tell)
    await console.resize(80, 24)
    await asyncio.wait_for(booting.wait(), PATIENCE)
    await console.resize(120, 36)
    await asyncio.wait_for(heard.wait(), PATIENCE)
    assert tried[0] == (80, 24)
    assert tried[-1] == (120, 36)
    await console.close()
    await console.resize(1, 1)
    assert (1, 1) not in tried


async def test_a_guest_that_never_hears_is_left_in_peace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.hypervisors.logged_console._SIZE_PAUSE", 0.001)
    tried: list[int] = []

    async def tell(columns: int, rows: int) -> None:
        tried.append(columns)
        raise GuestFailure("The guest refuses 'resize'", "unknown request")

    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", FakeVmm(1), tell)
    await console.resize(80, 24)
    assert console._telling is not None
    await asyncio.wait_for(console._telling, PATIENCE)
    assert len(tried) == 6
    await console.close()


def test_what_is_typed_where_no_size_can_be_told(tmp_path: Path) -> None:
    console = LoggedConsole(tmp_path / "console.log", tmp_path / "s", None)
    assert console.fit_command(120, 36) == b"stty cols 120 rows 36\r"
