"""A command in a guest with separate streams: what it says and how it ends are passed through."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from banger_tui.cli import streams
from banger_tui.cli.output import Output
from banger_tui.engine.errors import BangerError

if TYPE_CHECKING:
    from banger_tui.engine.hypervisors.base import Channel

Sink = Callable[[bytes], Awaitable[None]]


async def execute(channel: Channel, out: Output) -> int:
    """Pump the channel's streams until its process is over.

    stdin is passed on when it is no terminal. With ``--json`` the output comes as ``output``
    events.

    Returns:
        The process's exit code.
    """
    feeder = asyncio.create_task(_feed(channel))
    pumps = asyncio.gather(
        _pump(channel.read, _sink(out, "stdout", streams.STDOUT)),
        _pump(channel.read_stderr, _sink(out, "stderr", streams.STDERR)),
    )
    try:
        await pumps
        return await channel.wait()
    finally:
        feeder.cancel()
        pumps.cancel()
        await asyncio.gather(feeder, pumps, return_exceptions=True)
        await channel.close()


async def _pump(read: Callable[[], Awaitable[bytes]], sink: Sink) -> None:
    while data := await read():
        await sink(data)
    await sink(b"")


async def _feed(channel: Channel) -> None:
    # The command may end without having read all: that is no failure of ours.
    with contextlib.suppress(OSError, BangerError):
        if not os.isatty(streams.STDIN):
            while data := await streams.read(streams.STDIN):
                await channel.write(data)
        await channel.write_eof()


def _sink(out: Output, name: str, fd: int) -> Sink:
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
