"""A script's output, whatever it is: kept within bounds, told without its escapes."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.provision import script
from banger_tui.engine.provision.script import connection_lost, run_script
from tests.host.registry.stage import RecordedStage
from tests.live.ways import Says

MIB = 1 << 20
ESCAPES = b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b5m\r\n"


class Chunks:
    """The same chunk many times over, made when it is read."""

    def __init__(self, chunk: bytes, count: int) -> None:
        self._chunk, self._count = chunk, count

    def __iter__(self) -> Iterator[bytes]:
        return (self._chunk for _ in range(self._count))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: object) -> bytes:
        raise NotImplementedError


class LoggedStage(RecordedStage):
    def __init__(self, log: Path) -> None:
        super().__init__("run script")
        self._log = log

    @property
    def log(self) -> Path:
        return self._log


async def run(says: Says, tmp_path: Path, on_line: object = None) -> LoggedStage:
    stage = LoggedStage(tmp_path / "operation.log")
    await run_script(says, b"#!/bin/sh\n", "setup.sh", stage, on_line)  # type: ignore[arg-type]
    assert says.closed
    return stage


async def test_lines_are_told_and_kept_in_their_order(tmp_path: Path) -> None:
    lines: list[str] = []
    says = Says([b"on", b"e\ntw\xc3", b"\xb6\r\n\nlast"])
    stage = await run(says, tmp_path, lines.append)
    assert lines == ["one", "twö", "", "last"]
    assert stage.log.read_text() == "one\ntwö\n\nlast\n"
    assert says.stdin == b"#!/bin/sh\n"


async def test_terminal_escapes_reach_no_error_and_no_note(tmp_path: Path) -> None:
    stage = LoggedStage(tmp_path / "operation.log")
    with pytest.raises(ToolFailed) as caught:
        await run_script(Says([ESCAPES], 3), b"", "setup.sh", stage)
    error = caught.value
    assert "exit code 3" in error.title
    assert "red" in error.detail
    assert error.detail.isprintable()
    assert all(note.isprintable() for note in stage.notes)


@pytest.mark.parametrize(
    ("chunk", "count"),
    [
        pytest.param(b"x" * 65536, 16 * 50, id="no newline"),
        pytest.param(b"y\n" * 32768, 16 * 4, id="many short lines"),
        pytest.param(bytes(range(256)) * 256, 16 * 50, id="binary"),
    ],
)
async def test_a_flood_takes_no_memory(chunk: bytes, count: int, tmp_path: Path) -> None:
    longest = 0

    def look(line: str) -> None:
        nonlocal longest
        longest = max(longest, len(line))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await run(Says(Chunks(chunk, count)), tmp_path, look)  # type: ignore[arg-type]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert 0 < longest <= 4096
    assert grown < 30 << 10, f"{grown} KiB more were needed"


async def test_the_log_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "_MOST_LOG", 1 * MIB)
    stage = await run(Says(Chunks(b"0123456789abcde\n" * 4096, 100)), tmp_path)  # type: ignore[arg-type]
    text = stage.log.read_text()
    assert MIB < len(text) < 1.2 * MIB
    assert text.splitlines()[-1] == "(what it printed after this is not kept)"
    assert text.count("not kept") == 1


async def test_a_lost_connection_is_told_apart(tmp_path: Path) -> None:
    stage = LoggedStage(tmp_path / "operation.log")
    for code, lost in ((255, True), (1, False)):
        with pytest.raises(ToolFailed) as caught:
            await run_script(Says([], code), b"", "setup.sh", stage)
        assert connection_lost(caught.value) is lost
