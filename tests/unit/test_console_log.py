"""The console's log: holes at its front, a keeper that makes them, rotation at a start."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from banger_tui.engine.hypervisors import console_log
from banger_tui.engine.hypervisors.console_log import EARLIER, LOG, LogReader, begin_anew, last
from banger_tui.engine.hypervisors.logged_console import LoggedConsole
from banger_tui.engine.process import ProcessId, spawn_daemon
from tests.engine_fixtures.gates import PATIENCE

MIB = 1 << 20


def punch(log: Path, size: int) -> None:
    subprocess.run(["fallocate", "-p", "-o", "0", "-l", str(size), str(log)], check=True)


def numbered(first: int, end: int) -> bytes:
    """Lines of 16 bytes."""
    return b"".join(b"line %010d\n" % number for number in range(first, end))


def read_all(reader: LogReader) -> bytes:
    data = b""
    while piece := reader.read():
        data += piece
    return data


def on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512


async def until(true: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(true):
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never: {what}")


# ------------------------------------------------------------------------------------ reading


def test_what_is_behind_a_hole_is_read_from_a_whole_line_on(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(b"x" + numbered(0, 200_000))
    punch(log, 2 * MIB)
    seen = read_all(LogReader(log, 64 * MIB))
    assert seen == numbered(200_000 - len(seen) // 16, 200_000)
    assert len(seen) == 200_000 * 16 - 2 * MIB  # the torn line is 15 bytes, x was one more


def test_a_reader_left_behind_goes_on_behind_the_hole(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(numbered(0, 10))
    reader = LogReader(log, MIB)
    assert read_all(reader) == numbered(0, 10)
    with log.open("ab") as file:
        file.write(numbered(10, 200_000))
    punch(log, 2 * MIB)
    assert read_all(reader) == numbered(2 * MIB // 16 + 1, 200_000)
    with log.open("ab") as file:
        file.write(b"more\n")
    assert reader.read() == b"more\n"


def test_a_log_of_nothing_but_a_hole(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(b"")
    os.truncate(log, 3 * MIB)
    reader = LogReader(log, 8 * MIB)
    assert reader.read() == b""
    with log.open("ab") as file:
        file.write(b"\nfirst\n")
    assert reader.read() == b"first\n"


def test_zeros_that_a_guest_writes_are_no_hole(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(bytes(10_000) + b"\n")
    assert read_all(LogReader(log, MIB)) == bytes(10_000) + b"\n"


def test_the_last_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / LOG
    assert last(log, MIB) == b""
    log.write_bytes(numbered(0, 100))
    assert last(log, MIB) == numbered(0, 100)
    assert last(log, 40) == numbered(98, 100)


def test_a_closed_reader_reads_nothing(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(b"x\n")
    reader = LogReader(log, MIB)
    reader.close()
    assert reader.read() == b""


async def test_two_viewers_of_a_log_with_a_hole(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(numbered(0, 200_000))
    punch(log, 3 * MIB)
    one, other = (LoggedConsole(log, tmp_path / "s", None) for _ in range(2))

    async def seen(console: LoggedConsole) -> bytes:
        data = b""
        while piece := await console.read():
            data += piece
        return data

    assert await seen(one) == await seen(other) == numbered(3 * MIB // 16 + 1, 200_000)


# ----------------------------------------------------------------------------------- rotation


def test_a_start_keeps_what_the_boot_before_said(tmp_path: Path) -> None:
    log, earlier = tmp_path / LOG, tmp_path / EARLIER
    begin_anew(tmp_path)
    assert log.read_bytes() == b""
    assert log.stat().st_mode & 0o077 == 0
    assert not earlier.exists()
    log.write_bytes(b"first boot\n")
    begin_anew(tmp_path)
    log.write_bytes(b"second boot\n")
    begin_anew(tmp_path)
    assert (log.read_bytes(), earlier.read_bytes()) == (b"", b"second boot\n")
    begin_anew(tmp_path)  # a boot without a word is none
    assert earlier.read_bytes() == b"second boot\n"


async def test_a_viewer_stays_with_the_boot_it_looks_at(tmp_path: Path) -> None:
    log = tmp_path / LOG
    log.write_bytes(b"first boot\n")
    console = LoggedConsole(log, tmp_path / "s", None)
    assert await console.read() == b"first boot\n"
    begin_anew(tmp_path)
    log.write_bytes(b"the second boot says more\n")
    assert await console.read() == b""


# --------------------------------------------------------------------------------- the keeper


@pytest.fixture
async def vmm(tmp_path: Path) -> AsyncIterator[ProcessId]:
    """A process whose life a keeper goes by."""
    begin_anew(tmp_path)
    process = await spawn_daemon(["sleep", "1000"], log=tmp_path / "sleep.log")
    yield process
    process.signal(signal.SIGKILL)
    await until(lambda: not console_log._kept(tmp_path), "the keeper's end")


async def kept(directory: Path) -> None:
    await until(lambda: console_log._kept(directory), "a keeper")


def flood(log: Path, first: int, end: int) -> None:
    """As QEMU writes: appended, piece by piece."""
    with log.open("ab", buffering=0) as file:
        for number in range(first, end, 4096):
            file.write(numbered(number, min(number + 4096, end)))


async def test_a_keeper_bounds_the_log_and_ends_with_the_vmm(
    tmp_path: Path, vmm: ProcessId
) -> None:
    log = tmp_path / LOG
    await console_log.keep_bounded(tmp_path, vmm, keep=2 * MIB)
    await kept(tmp_path)
    await asyncio.to_thread(flood, log, 0, 1_000_000)
    await until(lambda: on_disk(log) <= 3 * MIB, "the file is as small as it should be")
    assert log.stat().st_size == 16_000_000
    seen = last(log, 16 * MIB)
    assert len(seen) >= 2 * MIB
    assert seen == numbered(1_000_000 - len(seen) // 16, 1_000_000)
    vmm.signal(signal.SIGKILL)
    await until(lambda: not console_log._kept(tmp_path), "the keeper's end")


async def test_a_log_has_one_keeper_and_gets_another_when_it_is_lost(
    tmp_path: Path, vmm: ProcessId
) -> None:
    log = tmp_path / LOG
    await asyncio.to_thread(flood, log, 0, 500_000)  # while nobody kept it
    await asyncio.gather(*(console_log.keep_bounded(tmp_path, vmm, MIB) for _ in range(3)))
    await kept(tmp_path)
    await until(lambda: on_disk(log) <= 3 * MIB, "what was there is bounded, too")
    await console_log.keep_bounded(tmp_path, vmm, MIB)
    await asyncio.to_thread(flood, log, 500_000, 1_000_000)
    await until(lambda: on_disk(log) <= 3 * MIB, "and what came")
    seen = last(log, 16 * MIB)
    assert seen == numbered(1_000_000 - len(seen) // 16, 1_000_000)


async def test_the_keeper_of_the_boot_before_leaves_the_new_log_alone(
    tmp_path: Path, vmm: ProcessId
) -> None:
    await console_log.keep_bounded(tmp_path, vmm, MIB)
    await kept(tmp_path)
    old = (tmp_path / LOG).open("ab", buffering=0)
    old.write(numbered(0, 100))
    begin_anew(tmp_path)
    assert not console_log._kept(tmp_path)  # the new one has none yet
    await asyncio.to_thread(flood, tmp_path / LOG, 0, 500_000)
    for first in range(100, 500_000, 4096):
        await asyncio.to_thread(old.write, numbered(first, first + 4096))
    await until(lambda: on_disk(tmp_path / EARLIER) <= 3 * MIB, "the old one is bounded still")
    assert last(tmp_path / LOG, 16 * MIB) == numbered(0, 500_000)
    old.close()
    vmm.signal(signal.SIGKILL)

    def no_keeper() -> bool:
        old_directory = tmp_path / "old"
        old_directory.mkdir(exist_ok=True)
        (old_directory / LOG).unlink(missing_ok=True)
        (old_directory / LOG).hardlink_to(tmp_path / EARLIER)
        return not console_log._kept(old_directory)

    await until(no_keeper, "the old keeper's end")


async def test_where_no_holes_can_be_punched_the_log_begins_anew(
    tmp_path: Path, vmm: ProcessId, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "fallocate").write_text("#!/bin/sh\nexit 1\n")
    (programs / "fallocate").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    log, earlier = tmp_path / LOG, tmp_path / EARLIER
    await console_log.keep_bounded(tmp_path, vmm, keep=MIB)
    await kept(tmp_path)
    console = LoggedConsole(log, tmp_path / "s", vmm)
    for first in range(0, 500_000, 50_000):
        await asyncio.to_thread(flood, log, first, first + 50_000)
        await until(lambda: log.stat().st_size <= 2 * MIB, "it is begun anew")
    assert earlier.stat().st_size <= 4 * MIB
    with log.open("ab") as file:
        file.write(b"the end\n")
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while b"the end\n" not in seen:
            seen += await console.read()
    await console.close()
