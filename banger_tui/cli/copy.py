"""``vm cp``: files into a VM, out of it, or from one to another."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from banger_tui.cli import streams
from banger_tui.cli.attach import no_json
from banger_tui.cli.context import Context
from banger_tui.cli.execute import execute
from banger_tui.cli.follow import perform
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.sessions.copy import Copied, Place, place

_MODE = 0o644  # of a file that had none, as a shell's redirection would make it


async def copy(context: Context) -> int:
    args = context.args
    if args.target == "-":
        return await _printed(context)
    target = _here(place(args.target))
    if args.source == "-":
        return await _spooled(context, target)
    return await _copied(context, _here(place(args.source)), target)


async def _copied(context: Context, source: Place, target: Place) -> int:
    copied = await perform(
        context, context.engine.vms.copy(source, target), lambda copied: {"copied": copied}
    )
    _tell(context, copied)
    return 0


def _tell(context: Context, copied: Copied) -> None:
    if copied.left_out:
        kinds = "1 socket, pipe or device" if copied.left_out == 1 else (
            f"{copied.left_out} sockets, pipes and devices"
        )  # fmt: skip
        context.out.warning(f"Left out: {kinds}")


def _here(side: Place) -> Place:
    """Paths of this host are those of this command, wherever the engine works. A slash or dot at
    the end means something, and stays."""
    return side if side.vm else Place("", os.path.join(Path.cwd(), side.path))


async def _printed(context: Context) -> int:
    no_json(context, "What goes to stdout")
    source = place(context.args.source)
    if not source.vm:
        raise InvalidInput("Neither side is in a VM", "", "For example: web:/etc/hostname -")
    channel = await context.engine.vms.read(source)
    return await execute(channel, context.out, context.interrupts)


async def _spooled(context: Context, target: Place) -> int:
    """stdin by way of a file without a name: how long it is has to be known first."""
    if not target.vm or target.path.endswith("/"):
        raise InvalidInput(
            "What comes from stdin needs a name", "", "For example: vm cp - web:/root/data.tar"
        )
    with tempfile.TemporaryFile(dir=context.paths.cache, buffering=0) as spool:
        os.fchmod(spool.fileno(), _MODE)
        while data := await streams.read(streams.STDIN):
            await streams.write(spool.fileno(), data)
        return await _copied(context, Place("", f"/proc/self/fd/{spool.fileno()}", "stdin"), target)
