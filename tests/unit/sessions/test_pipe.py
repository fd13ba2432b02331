"""A client of a process without a terminal: what it acknowledges, and how it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from banger_tui.engine.errors import GuestFailure, GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.sessions.guest import Place
from banger_tui.engine.sessions.pipe import PipeAttached
from banger_tui.engine.sessions.stream import stream
from tests.unit.sessions.records import VM

ACCOUNT = b"s job pipe running - 1700000000 - 42 0 - 1 - -\nend\n"


class Script:
    """One run of the guest's script: says its parts, then ends with its code."""

    def __init__(self, code: int, *out: bytes, err: bytes = b"") -> None:
        self.code, self.out, self.err, self.said = code, list(out), [err] if err else [], b""

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return self.out.pop(0) if self.out else b""

    async def read_stderr(self) -> bytes:
        await asyncio.sleep(0)
        return self.err.pop(0) if self.err else b""

    async def write(self, data: bytes) -> None:
        self.said += data

    async def write_eof(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        return self.code

    async def close(self) -> None: ...


class Guest:
    """Implements ``Transport``: the scripts it was given, in turn."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.asked: list[list[str]] = []

    async def open(self, argv: Sequence[str], **_: Any) -> Channel:
        self.asked.append(list(argv)[1:])
        return self.scripts.pop(0)

    async def connect(self) -> None: ...

    async def lost(self) -> str:
        return ""

    async def close(self) -> None: ...


def place(*scripts: Script) -> tuple[Place, Guest]:
    guest = Guest(*scripts)
    return Place(VM, guest, "job"), guest


async def test_only_what_the_caller_is_done_with_is_acknowledged() -> None:
    big = b"x" * (64 << 10)
    script = Script(0, ACCOUNT + b"from 0 0\n", big, big, err=b"e")
    where, _ = place(script)
    attached = await PipeAttached.open(where, "look", 0, 0)
    assert await attached.read() == big
    assert await attached.read_stderr() == b"e"
    assert script.said == b"", "stderr was asked for: that says nothing of stdout"
    assert await attached.read() == big
    assert script.said == b"a 65536 0\n"
    assert await attached.read() == b""
    assert script.said.endswith(b"a 131072 0\n")
    assert attached.offsets == (131072, 1)


async def test_it_goes_on_where_it_was_behind_a_broken_connection() -> None:
    where, guest = place(
        Script(255, ACCOUNT + b"from 0 0\nab", b"c", err=b"E"),
        Script(75, ACCOUNT + b"from 3 0\n", err=b"EF"),
        Script(0, ACCOUNT + b"from 9 2\nxyz"),
    )
    attached = await PipeAttached.open(where, "look", 0, 0)
    assert [await attached.read() for _ in range(3)] == [b"ab", b"c", b"xyz"]
    assert await attached.read() == b""
    assert [words[2:4] for words in guest.asked] == [["0", "0"], ["3", "0"], ["3", "0"]]
    assert attached.offsets == (12, 2), "a gap is told by the offsets"


async def test_a_connection_that_never_holds_is_given_up() -> None:
    where, _ = place(*(Script(255, ACCOUNT + b"from 0 0\n") for _ in range(20)))
    attached = await PipeAttached.open(where, "look", 0, 0)
    with pytest.raises(GuestUnreachable):
        await attached.read()


async def test_chunks_tell_gaps_and_know_no_doubles() -> None:
    where, guest = place(
        Script(75, b"from 0\nab", b"c"), Script(255, b"from 7\nh", b"i"), Script(0, b"from 9\nj")
    )
    chunks = [(chunk.offset, chunk.data) async for chunk in stream(where, follow=True)]
    assert chunks == [(0, b"ab"), (2, b"c"), (7, b"h"), (8, b"i"), (9, b"j")]
    assert [words[3] for words in guest.asked] == ["0", "3", "9"]


@pytest.mark.parametrize("said", [b"from x\n", b"from\n", b"from 1 2 3\n", b"y" * 200_000])
async def test_an_answer_that_makes_no_sense_is_refused(said: bytes) -> None:
    where, _ = place(Script(0, said))
    with pytest.raises(GuestFailure):
        await anext(stream(where))
