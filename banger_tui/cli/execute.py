"""A command in a guest with separate streams: what it says and how it ends are passed through."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from banger_tui.cli import streams
from banger_tui.cli.interrupts import Interrupts
from banger_tui.cli.output import Output
from banger_tui.engine.errors import BangerError

if TYPE_CHECKING:
    from banger_tui.engine.hypervisors.base import Channel

Sink = Callable[[bytes], Awaitable[None]]


@runtime_checkable
class Signalled(Protocol):
    """A process elsewhere that can be sent signals."""

    async def signal(self, name: str) -> None:
        """``name``: "TERM", "INT", …"""
        ...


async def execute(
    channel: Channel, out: Output, interrupts: Interrupts, *, typed: bool = False
) -> int:
    """Pump the channel's streams until its process is over; signals to us go to it.

    With ``--json`` the output comes as ``output`` events.

    Args:
        typed: pass stdin on also when it is a terminal.

    Returns:
        The process's exit code.
    """
    feeder = asyncio.create_task(_feed(channel, typed=typed))
    pumps = asyncio.gather(
        pump(channel.read, sink(out, "stdout", streams.STDOUT)),
        pump(channel.read_stderr, sink(out, "stderr", streams.STDERR)),
    )
    passing_on = (
        interrupts.passing_on(channel.signal)
        if isinstance(channel, Signalled)
        else contextlib.nullcontext()
    )
    try:
        with passing_on:
            await pumps
            return await channel.wait()
    finally:
        feeder.cancel()
        pumps.cancel()
        await asyncio.gather(feeder, pumps, return_exceptions=True)
        await channel.close()


async def pump(read: Callable[[], Awaitable[bytes]], to: Sink) -> None:
    """Everything that is read, and b"" when it ends."""
    while data := await read():
        await to(data)
    await to(b"")


async def _feed(channel: Channel, *, typed: bool) -> None:
    # The command may end without having read all: that is no failure of ours.
    with contextlib.suppress(OSError, BangerError):
        if typed or not os.isatty(streams.STDIN):
            while data := await streams.read(streams.STDIN):
                await channel.write(data)
        await channel.write_eof()


def sink(out: Output, name: str, fd: int) -> Sink:
    """Where a stream goes: to a descriptor, or with ``--json`` as events."""
    if not out.json:

        async def raw(data: bytes) -> None:
            if data:
                await streams.write(fd, data)

        return raw

    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def event(data: bytes) -> None:
        if text := decoder.decode(data, final=not data):
            await out.event("output", stream=name, text=text)

    return event
