"""The one client that types into a terminal: what it is shown, and when it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from banger_tui.engine.errors import BangerError, Conflict
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.sessions import screen
from banger_tui.engine.sessions.guest import Place
from banger_tui.engine.sessions.screen import ScreenAttached
from tests.unit.sessions.records import VM

ACCOUNT = b"s shell pty running - 1700000000 - 42 0 - 1 - -\nend\n"
PATIENCE = 10.0


class Says:
    """A channel that says what it is given, and hears nothing."""

    def __init__(self, *out: bytes, code: int = 0) -> None:
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._code = code
        self.closed = False
        self.say(*out)

    def say(self, *out: bytes) -> None:
        for data in out:
            self._out.put_nowait(data)

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        return await self._out.get()

    async def read_stderr(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None: ...

    async def write_eof(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None:
        self.closed = True
        self.say(b"")


class Tmux(Says):
    """tmux in control mode: answers every command; ``echo`` comes before the answer to a key."""

    def __init__(self, before: bytes = b"", echo: bytes = b"", account: bytes = ACCOUNT) -> None:
        super().__init__(account + b"write -\n")
        self._before, self._echo = before, echo
        self.heard: list[bytes] = []

    async def write(self, data: bytes) -> None:
        for command in data.strip().split(b" ; "):
            self.heard.append(command)
            answer = b""
            if b"cursor_x" in command:
                self.say(self._before or b"\n")
                answer = b"0,3,0,1" + b"," * 18 + b"title\n"
            elif b"pane_width" in command:
                answer = b"80x24\n"
            elif command.endswith(b"-p -e -N"):
                answer = b"$ \n"
            elif command.startswith(b"send-keys"):
                self.say(self._echo or b"\n")
            self.say(b"%%begin 1 1 1\n%b%%end 1 1 1\n" % answer)


class Guest:
    """Implements ``Transport``: one terminal, and no output of earlier times."""

    def __init__(self, tmux: Says, now: bytes = ACCOUNT) -> None:
        self._tmux = tmux
        self._now = now

    async def open(self, argv: Sequence[str], **_: Any) -> Channel:
        match argv[1]:
            case "control":
                return self._tmux
            case "show":
                return Says(self._now, b"")
        return Says(b"from 0\n", b"")

    async def connect(self) -> None: ...

    async def lost(self) -> str:
        return ""

    async def close(self) -> None: ...


async def opened(tmux: Says, now: bytes = ACCOUNT) -> ScreenAttached:
    place = Place(VM, Guest(tmux, now), "shell")
    attached = await ScreenAttached.open(place, (80, 24), "write", 0)
    assert attached is not None
    return attached


async def test_what_came_before_the_account_stands_in_it() -> None:
    tmux = Tmux(before=b"%output %0 seen-before\n")
    attached = await opened(tmux)
    tmux.say(b"%output %0 new\n")
    first = await attached.read()
    assert b"$ " in first
    assert b"seen-before" not in first
    assert await attached.read() == b"new"


async def test_who_writes_and_never_reads_is_not_stuck() -> None:
    tmux = Tmux(echo=b"%output %0 x\n")
    attached = await opened(tmux)
    async with asyncio.timeout(PATIENCE):
        for _ in range(1000):
            await attached.write(b"k")
        assert sum(command.startswith(b"send-keys") for command in tmux.heard) == 1000
        await attached.read()
        got = b""
        while len(got) < 900:
            got += await attached.read()
    assert set(got) == {ord("x")}


async def test_one_reads_while_another_writes() -> None:
    tmux = Tmux(echo=b"%output %0 x\n")
    attached = await opened(tmux)
    await attached.read()

    async def read() -> int:
        count = 0
        while count < 1000:
            count += len(await attached.read())
        return count

    async with asyncio.timeout(PATIENCE):
        reading = asyncio.create_task(read())
        await asyncio.gather(*(attached.write(b"k") for _ in range(1000)))
        assert await reading == 1000


async def test_too_much_unread_holds_the_writer_until_somebody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen, "_MOST_UNREAD", 10_000)
    tmux = Tmux(echo=b"%output %0 " + b"x" * 1000 + b"\n")
    attached = await opened(tmux)

    async def write() -> None:
        for _ in range(500):
            await attached.write(b"k")

    writing = asyncio.create_task(write())
    heard = -1
    while heard != len(tmux.heard):
        heard = len(tmux.heard)
        for _ in range(100):
            await asyncio.sleep(0)
    assert not writing.done()
    assert attached._unread <= 12_000
    async with asyncio.timeout(PATIENCE):
        while not writing.done():
            await attached.read()
        await writing


async def test_an_end_is_told_with_its_code_even_if_nobody_reads() -> None:
    ended = b"s shell pty exited 3 1700000000 1700000009 42 0 - 0 - -\nend\n"
    tmux = Tmux()
    attached = await opened(tmux, ended)
    tmux.say(b"%output %0 last words\n", b"%exit\n")
    async with asyncio.timeout(PATIENCE):
        assert await attached.wait() == 3
        await attached.write(b"into nothing")
        assert b"$ " in await attached.read()
        assert await attached.read() == b"last words"
        assert await attached.read() == b""


async def test_another_one_took_its_place() -> None:
    taken = ACCOUNT.replace(b" - -\nend", b" other:7 -\nend")
    tmux = Tmux()
    attached = await opened(tmux, taken)
    tmux.say(b"%exit\n")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Conflict, match="taken over"):
            await attached.wait()


async def test_closing_wakes_who_reads_and_who_waits() -> None:
    tmux = Tmux()
    attached = await opened(tmux)
    await attached.read()
    reading = asyncio.create_task(attached.read())
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await attached.close()
        assert await reading == b""
    assert tmux.closed
    assert tmux.heard[-1] == b"detach-client"


async def test_an_account_without_sense_leaves_nothing_open() -> None:
    tmux = Tmux(account=b"end\n")
    with pytest.raises(BangerError):
        await opened(tmux)
    assert tmux.closed


async def test_a_cancel_at_any_moment_leaves_nothing_open() -> None:
    steps = 0
    while True:
        tmux = Tmux()
        opening = asyncio.create_task(opened(tmux))
        for _ in range(steps):
            await asyncio.sleep(0)
        if opening.done():
            break
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        assert tmux.closed or steps < 2, f"cancelled after {steps} steps"
        steps += 1
    assert steps > 5
