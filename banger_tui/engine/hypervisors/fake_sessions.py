"""Sessions in a VM that is none: what the guest kit's ``session`` script answers, from memory."""

from __future__ import annotations

import asyncio
import itertools
import shlex
import signal
import time
from collections.abc import Awaitable, Callable, Sequence

from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.hypervisors.fake_control import FakeControl
from banger_tui.engine.hypervisors.fake_guest import Command, Tape, TapeReader

_PIDS = itertools.count(1000)


class FakeSession(Tape):
    """A process with its output; the tape itself is its stdout, or its screen."""

    def __init__(self, name: str, mode: str, spec: str, argv: Sequence[str], host: str) -> None:
        super().__init__()
        self.name, self.mode, self.spec, self.pid = name, mode, spec, next(_PIDS)
        self.err, self.stdin = Tape(), Tape()
        self.started, self.ended, self.code = time.time(), 0.0, 0
        self.writer: SessionChannel | None = None
        self.viewers: set[SessionChannel] = set()
        self.prompt = f"root@{host}:~# "
        self.is_shell = argv[:1] == ["--shell"]
        if self.is_shell:
            self.write(self.prompt.encode())
            return
        program = argv[0].rpartition("/")[2]
        command = Command([program, *argv[1:]], host, self, self.err, self.stdin)
        self._task = asyncio.create_task(self._wait(command), name=f"fake session {name}")

    async def _wait(self, command: Command) -> None:
        self.end(await command.wait())

    def end(self, code: int) -> None:
        if not self.ended:
            self.ended, self.code = time.time(), code
        for tape in (self, self.err, self.stdin):
            tape.close()

    @property
    def running(self) -> bool:
        if self.is_shell and self.closed:  # "exit" was typed
            self.end(0)
        return not self.ended

    @property
    def line(self) -> bytes:
        state = f"running - {self.started:.0f} -" if self.running else (
            f"exited {self.code} {self.started:.0f} {self.ended:.0f}"
        )  # fmt: skip
        place = f"f /.banger/sessions/{self.name}/"
        return (
            f"s {self.name} {self.mode} {state} {self.pid} {len(self.stdin.data)} - "
            f"{len(self.viewers)} {self.writer.label if self.writer else '-'} {self.spec}\n"
            f"{place}out.{0:015} {len(self.data)}\n{place}err.{0:015} {len(self.err.data)}\n"
        ).encode()


class SessionChannel:
    """One run of the script: what it says, and what is said to it."""

    def __init__(self, work: Callable[[SessionChannel], Awaitable[int]], label: str = "-") -> None:
        self.label = label
        self.out, self.err, self.stdin = Tape(), Tape(), Tape()
        self._read = self._read_err = 0
        self._code = 255
        self._task = asyncio.create_task(self._run(work), name="fake session script")

    async def _run(self, work: Callable[[SessionChannel], Awaitable[int]]) -> None:
        try:
            self._code = await work(self)
        finally:
            self.out.close()
            self.err.close()

    def refuse(self, code: int, words: str) -> int:
        self.err.write(f"session: {words}\n".encode())
        return code

    async def line(self, position: int) -> bytes | None:
        """The line of stdin at ``position``; None at its end."""
        while True:
            data = await self.stdin.read(position)
            if b"\n" in data:
                return data.partition(b"\n")[0]
            if self.stdin.closed:
                return None
            await self.stdin.read(position + len(data))

    def end(self, code: int) -> None:
        """End it from outside, as a signal would."""
        self._task.cancel()
        self._code = code

    async def read(self) -> bytes:
        data = await self.out.read(self._read)
        self._read += len(data)
        return data

    async def read_stderr(self) -> bytes:
        data = await self.err.read(self._read_err)
        self._read_err += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self.stdin.write(data)

    async def write_eof(self) -> None:
        self.stdin.close()

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        await asyncio.wait([self._task])
        return self._code

    async def close(self) -> None:
        self.stdin.close()
        self._task.cancel()
        await asyncio.wait([self._task])


class FakeKeeper:
    """All sessions of one VM; ``kept`` is shared by every connection to it."""

    def __init__(self, kept: dict[str, Tape], host: str) -> None:
        self._kept = kept
        self._host = host

    def open(self, words: Sequence[str]) -> Channel:
        verb, *rest = words
        match verb:
            case "attach":
                return SessionChannel(lambda channel: self._attach(channel, *rest), rest[2])
            case "control":
                return SessionChannel(lambda channel: self._control(channel, *rest), rest[2])
            case "follow":
                return SessionChannel(lambda channel: self._follow(channel, *rest))
            case "write":
                return SessionChannel(lambda channel: self._write(channel, *rest), rest[2])
        return SessionChannel(lambda channel: self._answer(channel, verb, rest))

    def _find(self, name: str) -> FakeSession | None:
        found = self._kept.get(name)
        return found if isinstance(found, FakeSession) else None

    async def _answer(self, channel: SessionChannel, verb: str, rest: Sequence[str]) -> int:
        if verb == "start":
            return await self._start(channel, rest)
        if verb == "list":
            for tape in list(self._kept.values()):
                if isinstance(tape, FakeSession):
                    channel.out.write(tape.line)
            channel.out.write(b"end\n")
            return 0
        session = self._find(rest[0])
        if session is None:
            return channel.refuse(3, f"there is no session {rest[0]}")
        match verb:
            case "read":
                return await self._emit(channel, session, *rest[1:])
            case "send":
                await TapeReader(session, session.prompt).write(await self._all(channel))
                return 0
            case "signal" if not session.running:
                return channel.refuse(4, "it has ended")
            case "signal":
                if (number := getattr(signal, f"SIG{rest[2]}", None)) is None:
                    return channel.refuse(2, f"can't send {rest[2]}")
                session.end(128 + number)
                return 0
            case "remove" if session.running:
                return channel.refuse(4, "it runs")
            case "remove":
                del self._kept[session.name]
                return 0
            case "stop" if session.running:
                session.end(143)
            case "wait":
                while session.running:
                    await session.read(len(session.data))
                    await asyncio.sleep(0)
        channel.out.write(session.line + b"end\n")
        return 0

    async def _all(self, channel: SessionChannel) -> bytes:
        position = 0
        while data := await channel.stdin.read(position):
            position += len(data)
        return bytes(channel.stdin.data)

    async def _start(self, channel: SessionChannel, rest: Sequence[str]) -> int:
        name, _, how, mode = rest[:4]
        spec, _, text = (await self._all(channel)).decode(errors="replace").partition("\n")
        number = 1
        while self._find(name) is not None:
            if how == "own":
                return channel.refuse(17, f"there is a session {name}")
            number += 1
            name = f"{rest[0]}-{number}"
        words = shlex.split(text.rsplit("\n#end", 1)[0])[2:]
        argv = words[words.index("--") + 1 :] or ["--shell"]
        if argv[0] != "--shell" and not Command.known(argv[0]):
            channel.err.write(f"run: {argv[0]}: not found\n".encode())
            return 20
        session = FakeSession(name, mode, spec, argv, self._host)
        self._kept[name] = session
        channel.out.write(session.line + b"end\n")
        return 0

    async def _emit(
        self, channel: SessionChannel, session: FakeSession, stream: str, offset: str, how: str
    ) -> int:
        tape = session.err if stream == "err" else session
        position = min(int(offset), len(tape.data))
        channel.out.write(b"from %d\n" % position)
        if how == "stop":
            channel.out.write(bytes(tape.data[position:]))
        else:
            await _pour(tape, position, channel.out)
        return 0

    def _claim(self, channel: SessionChannel, session: FakeSession, mode: str) -> bool:
        if session.writer is not None and mode == "take":
            session.writer.end(17)
            session.writer = None
        if mode == "look" or session.writer is not None:
            return False
        session.writer = channel
        return True

    def _terminal(self, channel: SessionChannel, name: str) -> FakeSession | int:
        """The one of that name, or the code it is refused with."""
        session = self._find(name)
        if session is None:
            return channel.refuse(3, f"there is no session {name}")
        if session.mode != "pty":
            return channel.refuse(6, "it has no terminal")
        return session if session.running else channel.refuse(4, "it has ended")

    async def _attach(
        self, channel: SessionChannel, name: str, mode: str, label: str, *_: str
    ) -> int:
        session = self._terminal(channel, name)
        if isinstance(session, int):
            return session
        mine = self._claim(channel, session, mode)
        session.viewers.add(channel)
        channel.out.write(session.line + b"end\n" + (b"write -\n" if mine else b"look -\n"))
        keys = asyncio.create_task(self._type(channel, session) if mine else asyncio.sleep(0))
        try:
            await _pour(session, 0, channel.out)
            return 0
        finally:
            keys.cancel()
            _leave(channel, session)

    async def _control(
        self, channel: SessionChannel, name: str, mode: str, label: str, *_: str
    ) -> int:
        session = self._terminal(channel, name)
        if isinstance(session, int):
            return session
        mine = self._claim(channel, session, mode)
        channel.out.write(session.line + b"end\n" + (b"write -\n" if mine else b"look -\n"))
        if not mine:
            return 0
        session.viewers.add(channel)
        reader = TapeReader(session, session.prompt)
        client = FakeControl(session, reader, channel.line, channel.out)
        try:
            await client.run()
            return 0
        finally:
            _leave(channel, session)

    async def _type(self, channel: SessionChannel, session: FakeSession) -> None:
        reader, position = TapeReader(session, session.prompt), 0
        while data := await channel.stdin.read(position):
            position += len(data)
            await reader.write(data)

    async def _follow(
        self, channel: SessionChannel, name: str, out: str, err: str, label: str
    ) -> int:
        session = self._find(name)
        if session is None:
            return channel.refuse(3, f"there is no session {name}")
        if session.mode != "pipe":
            return channel.refuse(7, "it is a terminal")
        session.viewers.add(channel)
        start = min(int(out), len(session.data)), min(int(err), len(session.err.data))
        channel.out.write(session.line + b"end\nfrom %d %d\n" % start)
        try:
            await asyncio.gather(
                _pour(session, start[0], channel.out), _pour(session.err, start[1], channel.err)
            )
            return 0
        finally:
            _leave(channel, session)

    async def _write(self, channel: SessionChannel, name: str, mode: str, *_: str) -> int:
        session = self._find(name)
        if session is None:
            return channel.refuse(3, f"there is no session {name}")
        mine = self._claim(channel, session, mode)
        given = len(session.stdin.data)
        channel.out.write(b"%s - %d\n" % (b"write" if mine else b"look", given))
        if not mine:
            return 16
        position = 0
        try:
            while (line := await channel.line(position)) is not None:
                position += len(line) + 1
                word, size = (*line.split(b" "), b"0")[:2]
                if word == b"e":
                    session.stdin.close()
                elif not session.running or session.stdin.closed:
                    return channel.refuse(4, "nobody reads it any more")
                else:
                    frame = await self._frame(channel, position, int(size))
                    position += len(frame)
                    session.stdin.write(frame)
                channel.out.write(b"%d\n" % len(session.stdin.data))
            return 0
        finally:
            _leave(channel, session)

    async def _frame(self, channel: SessionChannel, position: int, size: int) -> bytes:
        while len(data := await channel.stdin.read(position)) < size and not channel.stdin.closed:
            await channel.stdin.read(position + len(data))
        return data[:size]


async def _pour(tape: Tape, position: int, into: Tape) -> None:
    while data := await tape.read(position):
        position += len(data)
        into.write(data)


def _leave(channel: SessionChannel, session: FakeSession) -> None:
    session.viewers.discard(channel)
    if session.writer is channel:
        session.writer = None
