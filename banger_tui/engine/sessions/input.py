"""stdin of a session without a terminal: every byte once, however often the connection breaks.

A frame is given to the process whole or not at all, and the guest counts what it gave: whoever
comes back sees by the count whether the last frame arrived.
"""

from __future__ import annotations

import asyncio

from banger_tui.engine.errors import BangerError, Conflict, GuestFailure, GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.sessions.guest import LABEL, Place, gone, token
from banger_tui.engine.sessions.stream import BROKEN, header

FRAME = 32 << 10
_TAKEN = 17
_ATTEMPTS = 5


class Input:
    """The place of the only writer, when ``mine`` says so."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # One for all connections: what is left of a broken one makes way for the next.
        self._token = token()
        self._channel: Channel | None = None
        self._rest = b""
        self._given = 0
        self._turn = asyncio.Lock()
        self.mine = False

    @classmethod
    async def open(cls, place: Place, mode: str) -> Input:
        """``mode``: write or take; check ``mine`` afterwards. Raises: BangerError"""
        made = cls(place)
        await made._connect(mode)
        return made

    async def _connect(self, mode: str) -> None:
        channel = await self._place.open("write", mode, LABEL, self._token)
        head = await header(channel, self._place)
        self._rest = head.rest
        try:
            [self._given] = head.numbers(self._place, 1)
        except BaseException:  # a cancel, too, leaves no client in the guest
            await channel.close()
            raise
        self.mine = head.words[0] == "write"
        if self.mine:
            self._channel = channel
        else:
            await channel.close()

    async def write(self, data: bytes) -> None:
        """Raises as ``Attached.write``."""
        async with self._turn:
            for begin in range(0, len(data), FRAME):
                frame = data[begin : begin + FRAME]
                await self._say(b"d %d\n%b" % (len(frame), frame), len(frame))

    async def write_eof(self) -> None:
        """Raises as ``Attached.write``."""
        async with self._turn:
            await self._say(b"e\n", 0)

    async def _say(self, message: bytes, size: int) -> None:
        before, failures = self._given, 0
        while True:
            channel = self._channel
            if channel is None:
                raise self._lost()
            await channel.write(message)
            if await self._answered(channel):
                if self._given != before + size:
                    raise GuestFailure(f"{self._place.vm.name} counts what it reads in its own way")
                return
            said = await channel.read_stderr()
            code = await channel.wait()
            await channel.close()
            self._channel, self.mine = None, False
            if code == _TAKEN:
                raise self._lost()
            failures += 1
            if code != BROKEN or failures > _ATTEMPTS:
                raise self._place.refusal(code or 1, said)
            try:
                await self._connect("write")
            except GuestUnreachable:
                if failures >= _ATTEMPTS:
                    raise
                continue
            if self._given == before + size and size:
                return
            if self._given != before:
                raise self._lost()

    async def _answered(self, channel: Channel) -> bool:
        while b"\n" not in self._rest:
            data = await channel.read()
            if not data or len(self._rest) > FRAME:
                return False
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        if not line.isdigit() or len(line) > 15:
            return False
        self._given = int(line)
        return True

    def _lost(self) -> BangerError:
        self.mine = False
        return Conflict(
            f"Somebody else types in {self._place.name} now", "",
            "Attach again to take it back.",
        )  # fmt: skip

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        self.mine = False
        if channel is not None:
            try:
                await channel.write_eof()
                await gone(channel)
            finally:
                await channel.close()
