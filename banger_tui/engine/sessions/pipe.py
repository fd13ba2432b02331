"""Being a client of a process without a terminal: three streams, none lost, none doubled."""

from __future__ import annotations

import asyncio

from banger_tui.engine.errors import GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.model import SessionView
from banger_tui.engine.sessions.attach import outcome, read_only
from banger_tui.engine.sessions.guest import LABEL, Place
from banger_tui.engine.sessions.input import Input
from banger_tui.engine.sessions.lifecycle import only
from banger_tui.engine.sessions.registry import parse
from banger_tui.engine.sessions.stream import ASK_AGAIN, BROKEN, header

_ACK_EVERY = 64 << 10
_ATTEMPTS = 5


class PipeAttached:
    """Implements ``Attached``. stdout and stderr are to be read side by side: they share what the
    connection holds."""

    session: SessionView

    def __init__(self, place: Place, out: int, err: int) -> None:
        self._place = place
        self._offsets = [out, err]
        # Of each stream: what the caller is done with, and what the guest was told of that.
        self._done = [out, err]
        self._acked = [out, err]
        self._channel: Channel | None = None
        self._ahead = b""
        self._input: Input | None = None
        self._turn = asyncio.Lock()
        self._failures = 0
        self._over = False

    @classmethod
    async def open(cls, place: Place, mode: str, out: int, err: int) -> PipeAttached:
        """``mode``: look, write or take. Raises: IsTerminal, and others of ``BangerError``"""
        made = cls(place, out, err)
        try:
            await made._reopen(None)
            if mode != "look":
                made._input = await Input.open(place, mode)
        except BaseException:  # a cancel, too, leaves no client in the guest
            await made.close()
            raise
        return made

    @property
    def writer(self) -> bool:
        return self._input is not None and self._input.mine

    @property
    def offsets(self) -> tuple[int, int]:
        """Where the next bytes of (stdout, stderr) begin: attach there again to go on."""
        return self._offsets[0], self._offsets[1]

    async def read(self) -> bytes:
        return await self._read(0)

    async def read_stderr(self) -> bytes:
        return await self._read(1)

    async def _read(self, which: int) -> bytes:
        while not self._over:
            channel = self._channel
            assert channel is not None
            # Who asks for more is done with what came before, of this stream alone.
            self._done[which] = self._offsets[which]
            await self._acknowledge(channel)
            data = b""
            if which == 0 and self._ahead:
                data, self._ahead = self._ahead, b""
            else:
                data = await (channel.read_stderr() if which else channel.read())
            if channel is not self._channel:
                continue  # it was made anew meanwhile, and tells this once more
            if data:
                self._offsets[which] += len(data)
                self._failures = 0
                return data
            if not await self._reopen(channel):
                return b""
        return b""

    async def _acknowledge(self, channel: Channel, least: int = _ACK_EVERY) -> None:
        if sum(self._done) - sum(self._acked) >= least:
            self._acked = list(self._done)
            await channel.write("a {} {}\n".format(*self._acked).encode())

    async def _reopen(self, ended: Channel | None) -> bool:
        """Go on behind a channel that has ended; False when that was all."""
        async with self._turn:
            if self._over or (ended is not None and ended is not self._channel):
                return not self._over
            while True:
                if ended is not None:
                    code = await ended.wait()
                    if code == 0:
                        return False
                    said = await ended.read_stderr() if code not in (ASK_AGAIN, BROKEN) else b""
                    await ended.close()
                    self._failures += 1
                    if code not in (ASK_AGAIN, BROKEN) or self._failures > _ATTEMPTS:
                        raise self._place.refusal(code, said)
                channel = await self._place.open("follow", *self._offsets, LABEL)
                try:
                    head = await header(channel, self._place)
                except GuestUnreachable:
                    if ended is None or self._failures > _ATTEMPTS:
                        raise
                    ended = channel
                    continue
                self._channel = channel
                found, self._ahead = head.numbers(self._place, 2), head.rest
                if ended is None:
                    self.session = only(parse(head.before, self._place.vm), self._place)
                self._offsets = found
                self._acked = [min(*pair) for pair in zip(self._acked, found, strict=True)]
                return True

    async def write(self, data: bytes) -> None:
        if self._input is None or not self._input.mine:
            raise read_only(self.session)
        await self._input.write(data)

    async def write_eof(self) -> None:
        if self._input is None or not self._input.mine:
            raise read_only(self.session)
        await self._input.write_eof()

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        channel = await self._place.open("wait")
        try:
            while await channel.read():
                pass
            broke = await channel.wait() == BROKEN
        finally:
            await channel.close()
        return await outcome(self._place, broke=broke)

    async def close(self) -> None:
        self._over = True
        channel, self._channel = self._channel, None
        try:
            if channel is not None:
                try:
                    await self._acknowledge(channel, 1)
                finally:
                    await channel.close()
        finally:
            if self._input is not None:
                await self._input.close()
