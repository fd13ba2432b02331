"""A script of the host's, run in a guest."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.hypervisors.base import Channel, Transport
from banger_tui.engine.progress import Stage

# /run is in memory: nothing of the script is on the disk that becomes an image. What it wrote is
# synced by its own shell: it may have removed all that could do so later.
_START = (
    "(umask 077; cat >/run/banger-script && chmod 700 /run/banger-script) || exit 125\n"
    "[ -r /.banger/image/env ] && . /.banger/image/env\n"
    "cd /root 2>/dev/null || cd /\n"
    "/run/banger-script </dev/null 2>&1\n"
    "code=$?; sync; exit $code\n"
)
_TAIL_LINES = 20
_LONGEST_LINE = 4096
_MOST_LOG = 64 << 20  # bytes, about
_NO_CONNECTION = 255  # as ssh(1) has it


async def run_script(
    transport: Transport,
    script: bytes,
    name: str,
    stage: Stage,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run it as root, to its end; its output goes to the operation's log, the first 64 MiB of it.

    Args:
        on_line: called with each line, which may hold anything.

    Raises:
        ToolFailed: it ended with a code other than 0; ``connection_lost`` tells one of them apart.
        GuestUnreachable
    """
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    count = 0
    try:
        channel = await transport.open(["/.banger/bin/sh", "-c", _START])
        try:
            await channel.write(script)
            await channel.write_eof()
            log = await asyncio.to_thread(stage.log.open, "a")
            try:
                async for lines in _lines(channel):
                    tail.extend(lines)
                    count += len(lines)
                    stage.note(_printable(lines[-1]))
                    stage.progress(count, None, "lines")
                    await asyncio.to_thread(_keep, log, lines)
                    if on_line is not None:
                        for line in lines:
                            on_line(line)
            finally:
                await asyncio.to_thread(log.close)
            code = await channel.wait()
        finally:
            await channel.close()
    finally:
        await transport.close()
    if code:
        last = next((line for line in reversed(tail) if line.strip()), "It said nothing.")
        raise ToolFailed(
            f"The script {name} failed with exit code {code}",
            _printable(last)[:300],
            f"Its output is in {stage.log}",
            code=code,
            tail="\n".join(tail),
        )


def connection_lost(error: ToolFailed) -> bool:
    """Whether nobody knows how the script ended: most likely the VM ended first."""
    return error.code == _NO_CONNECTION


def _keep(log: TextIO, lines: list[str]) -> None:
    """Blocking."""
    if log.tell() > _MOST_LOG:
        return
    log.writelines(f"{line}\n" for line in lines)
    if log.tell() > _MOST_LOG:
        log.write("(what it printed after this is not kept)\n")


def _printable(line: str) -> str:
    return line if line.isprintable() else repr(line)[1:-1]


async def _lines(channel: Channel) -> AsyncIterator[list[str]]:
    """Lines as they come, some at a time and never none; what has no end is cut, never hoarded."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while data := await channel.read():
        *lines, rest = (rest + decoder.decode(data)).split("\n")
        found = [line.rstrip("\r")[:_LONGEST_LINE] for line in lines]
        if len(rest) > _LONGEST_LINE:
            found.append(rest[:_LONGEST_LINE])
            rest = ""
        if found:
            yield found
    if rest:
        yield [rest]
