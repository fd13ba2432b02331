"""Typing into a session's terminal: the guest's tmux passes on what the program writes, byte by
byte, after one account of the screen as it stands.

tmux in the guest keeps the screen while nobody looks, and answers the program's questions about its
terminal; what it draws is not used. So every sequence reaches the terminal at this end (links,
cursor shapes, keyboard protocols), and nothing that scrolled by is missing from its scrollback.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from banger_tui.engine.errors import BangerError, GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.model import SessionView
from banger_tui.engine.sessions import lifecycle
from banger_tui.engine.sessions.attach import outcome
from banger_tui.engine.sessions.guest import GOING_SECONDS, LABEL, Place, gone, token
from banger_tui.engine.sessions.registry import parse
from banger_tui.engine.sessions.snapshot import FORMAT, Snapshot
from banger_tui.engine.sessions.stream import Header, header, stream
from banger_tui.engine.sessions.tmux_protocol import (
    Answer,
    Exit,
    Output,
    Parser,
    WithoutQuestions,
    keys,
)

_PATIENCE = 60.0  # seconds for tmux to answer, in a loaded guest
_LOOK_BACK = 64 << 10  # bytes of earlier output in which modes are looked for
_LOOKS, _LOOK_AGAIN = 40, 0.025  # how often, and every how many seconds, its size is asked for
_TOLD = 0.3  # seconds until the program's terminal is resized, too (tmux 3.3: 250 ms)
_ATTEMPTS = 3
_UNANSWERED = 64  # commands on their way at a time
_MOST_UNREAD = 4 << 20  # bytes of output kept for a reader while its writer waits for answers


class ScreenAttached:
    """Implements ``Attached`` for the one client that types."""

    writer = True

    def __init__(self, place: Place, channel: Channel, head: Header) -> None:
        self.session: SessionView = lifecycle.only(parse(head.before, place.vm), place)
        self._place = place
        self._channel = channel
        self._target = f"={place.name}:"
        self._parser = Parser()
        self._ahead = head.rest
        self._output: deque[bytes] = deque()
        self._unread = 0
        self._turn = asyncio.Lock()
        self._taken = asyncio.Event()
        self._plain = WithoutQuestions()
        self._answers: deque[asyncio.Future[Answer]] = deque()
        self._account: asyncio.Future[Answer] | None = None
        self._live = False
        self._over = False

    @classmethod
    async def open(
        cls, place: Place, size: tuple[int, int], mode: str, history: int
    ) -> ScreenAttached | None:
        """``mode``: write or take. None when another client types.

        A client that tmux lets go of before it has told anything is tried again: in a guest with
        fifty of them one was, now and then.

        Raises: NoTerminal, and others of ``BangerError``
        """
        for attempt in range(1, _ATTEMPTS + 1):
            attached = await cls._client(place, mode)
            if attached is None:
                return None
            try:
                await attached._begin(size, history)
            except GuestUnreachable:
                ended = attached._over
                await attached.close()
                if not ended or attempt == _ATTEMPTS:
                    raise
            except BaseException:  # a cancel, too, leaves no client in the guest
                await attached.close()
                raise
            else:
                return attached
        raise AssertionError("the last attempt returns or raises")

    @classmethod
    async def _client(cls, place: Place, mode: str) -> ScreenAttached | None:
        channel = await place.open("control", mode, LABEL, token())
        head = await header(channel, place)
        if head.words[0] != "write":
            await channel.close()
            return None
        try:
            return cls(place, channel, head)
        except BaseException:  # a cancel, too, leaves no client in the guest
            await channel.close()
            raise

    # -- the stream

    async def read(self) -> bytes:
        await self._until(lambda: bool(self._output))
        if not self._output:
            return b""
        data = self._output.popleft()
        self._unread -= len(data)
        self._taken.set()
        return data

    async def read_stderr(self) -> bytes:
        return b""

    async def _until(self, enough: Callable[[], bool]) -> None:
        """Take in what tmux says until that is so, or it says no more.

        Whoever waits for something reads for all: a writer needs nobody who reads beside it.
        """

        def done() -> bool:
            return self._over or enough()

        while not done():
            async with self._turn:
                if done():
                    return
                if self._ahead:
                    data, self._ahead = self._ahead, b""
                else:
                    data = await self._channel.read()
                self._take_in(data)

    async def _until_or_full(self, enough: Callable[[], bool]) -> None:
        """As ``_until``, for who does not read; holds the program up when nobody else does."""
        while not (self._over or enough()):
            if self._unread > _MOST_UNREAD:
                self._taken.clear()
                await self._taken.wait()
            else:
                await self._until(lambda: enough() or self._unread > _MOST_UNREAD)

    def _take_in(self, data: bytes) -> None:
        if not data:
            self._ended()
        merged = bytearray()
        for event in self._parser.feed(data):
            match event:
                case Output(said):
                    merged += self._plain.feed(said)
                case Answer():
                    if self._answers:
                        waiting = self._answers.popleft()
                        if waiting is self._account:
                            # What came before it stands in the account.
                            merged.clear()
                            self._live = True
                        if not waiting.done():
                            waiting.set_result(event)
                case Exit():
                    self._ended()
        if merged and self._live:
            self._output.append(bytes(merged))
            self._unread += len(merged)

    def _ended(self) -> None:
        self._over = True
        self._taken.set()
        for waiting in self._answers:
            waiting.cancel()
        self._answers.clear()

    # -- commands

    async def _command(self, *commands: bytes) -> list[asyncio.Future[Answer]]:
        """Send commands as one line, which tmux obeys without anything between them."""
        await self._until_or_full(lambda: len(self._answers) + len(commands) <= _UNANSWERED)
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[Answer]] = [loop.create_future() for _ in commands]
        if self._over:
            for future in waiting:
                future.cancel()
            return waiting
        self._answers += waiting
        await self._channel.write(b" ; ".join(commands) + b"\n")
        return waiting

    async def _answered(self, waiting: list[asyncio.Future[Answer]]) -> list[Answer]:
        """Read on until they are. Raises: GuestUnreachable"""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._until(lambda: all(future.done() for future in waiting))
        if not all(future.done() and not future.cancelled() for future in waiting):
            raise GuestUnreachable(
                f"Session {self._place.name} in {self._place.vm.name} does not answer",
                "Its terminal said nothing of itself.",
                "Attach again; a look at the console may help.",
            )
        return [future.result() for future in waiting]

    async def _begin(self, size: tuple[int, int], history: int) -> None:
        """Take our size, then the screen as it stands; what comes after it is live."""
        target = self._target.encode()
        written = asyncio.create_task(self._written())
        try:
            await self._fit(size)
            capture = b"capture-pane -t %s -p -e" % target
            waiting = await self._command(
                b"display-message -t %s -p '%s'" % (target, FORMAT.encode()),
                b"%s -J -S -%d -E -1" % (capture, history),
                capture + b" -N",
                capture + b" -N -q -a",
            )
            self._account = waiting[0]
            state, above, screen, behind = await self._answered(waiting)
            snapshot = Snapshot(
                state.lines[0] if state.lines else b"",
                above.lines if history else (),
                screen.lines,
                behind.lines if behind.ok else (),
                await written,
            )
        finally:
            written.cancel()
            await asyncio.gather(written, return_exceptions=True)
        drawn = snapshot.bytes()
        self._output.appendleft(drawn)
        self._unread += len(drawn)

    async def _fit(self, size: tuple[int, int]) -> None:
        """Take our size, and wait until tmux has it: it resizes a moment after it has answered."""
        wanted = b"%dx%d" % _clamped(size)
        await self._answered(await self._command(_resized(self._target, size)))
        question = b"display-message -t %s -p '#{pane_width}x#{pane_height}'"
        for look in range(_LOOKS):
            waiting = await self._command(question % self._target.encode())
            [answer] = await self._answered(waiting)
            if answer.lines[:1] == (wanted,):
                if look:
                    # The program hears of it later still: one that is started in between would
                    # draw for the old size, and not be told.
                    await asyncio.sleep(_TOLD)
                return
            await asyncio.sleep(_LOOK_AGAIN)

    async def _written(self) -> bytes:
        """What the program wrote last, for the modes that tmux does not tell."""
        data = b""
        with contextlib.suppress(BangerError):
            start = max(self.session.kept[0], self.session.out_bytes - _LOOK_BACK)
            async for chunk in stream(self._place, offset=start):
                data = (data + chunk.data)[-_LOOK_BACK:]
        return data

    async def write(self, data: bytes) -> None:
        for command in keys(self._target, data):
            if self._over:
                return
            await self._command(command.rstrip(b"\n"))

    async def write_eof(self) -> None:
        await self.write(b"\x04")

    async def resize(self, columns: int, rows: int) -> None:
        if not self._over:
            await self._command(_resized(self._target, (columns, rows)))

    # -- the end

    async def wait(self) -> int:
        await self._until_or_full(lambda: False)
        broke = await self._channel.wait() == 255
        return await outcome(self._place, broke=broke)

    async def close(self) -> None:
        try:
            if not self._over:
                self._ended()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GOING_SECONDS):
                        await self._channel.write(b"detach-client\n")
                        # Who reads beside us finds that it is over, and leaves the channel to us.
                        async with self._turn:
                            await gone(self._channel)
        finally:
            await self._channel.close()


def _resized(target: str, size: tuple[int, int]) -> bytes:
    # By hand: left to itself tmux does not always take the size of a client in control mode.
    return b"resize-window -t %s -x %d -y %d" % (target.encode(), *_clamped(size))


def _clamped(size: tuple[int, int]) -> tuple[int, int]:
    columns, rows = (min(max(side, 1), 1000) for side in size)
    return columns, rows
