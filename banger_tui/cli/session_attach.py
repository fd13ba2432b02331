"""``session attach``: a session in this terminal, or on this command's stdin, stdout and stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

from banger_tui.cli import streams
from banger_tui.cli.attach import attach as hand_over
from banger_tui.cli.attach import no_json, require_terminal
from banger_tui.cli.context import Context
from banger_tui.cli.execute import pump, sink
from banger_tui.cli.session_name import full_name, session_name
from banger_tui.cli.text import printable
from banger_tui.cli.window import window
from banger_tui.engine.errors import BangerError, IllegalMove, InvalidInput
from banger_tui.engine.model import SessionMode, SessionState, SessionView

if TYPE_CHECKING:
    from banger_tui.engine.sessions.attach import Attached

_LEFT = 128 + signal.SIGINT


async def attach(context: Context) -> int:
    args = context.args
    if args.read_only and args.take:
        raise InvalidInput(
            "--read-only and --take exclude each other", "Who only looks on takes nothing.", ""
        )
    if args.offset < 0:
        raise InvalidInput("--from counts from 0", "", "For example: --from 0")
    session = await context.engine.sessions.show(*session_name(args.session))
    return await attached(
        context, session, read_only=args.read_only, take=args.take, offset=args.offset
    )


async def attached(
    context: Context,
    session: SessionView,
    *,
    read_only: bool = False,
    take: bool = False,
    offset: int = 0,
) -> int:
    """Attach until the person leaves or the session ends; its exit code then.

    Raises:
        BangerError
    """
    name = full_name(session)
    sessions = context.engine.sessions
    if session.mode is SessionMode.PIPE:
        channel = await sessions.attach(
            session.vm_id, session.name, read_only=read_only, take=take, out=offset
        )
        return await _piped(context, channel, name, read_only=read_only)
    if session.state is not SessionState.RUNNING:
        how = "" if session.exit_code is None else f"Its exit code was {session.exit_code}."
        raise IllegalMove(
            f"Session {name} has ended", how, f"See what it said: banger-tui session logs {name}"
        )
    no_json(context, "A session with a terminal")
    require_terminal("A session with a terminal", f"For scripts: banger-tui session logs {name}")
    size = window(sys.stdout)
    channel = await sessions.attach(
        session.vm_id, session.name, (size.columns, size.lines), read_only=read_only, take=take
    )
    left, code = await in_session(context, channel, name, read_only=read_only)
    if left:
        context.out.note(f"Left. It goes on: banger-tui session attach {name}")
    return code


async def in_session(
    context: Context, channel: Attached, name: str, *, read_only: bool = False
) -> tuple[bool, int]:
    """A session with a terminal in this one: (whether the person left it, its exit code).

    Raises:
        BangerError: it was lost, taken over, or the connection broke.
    """
    try:
        if not channel.writer:
            _say_who_types(context, channel, name, read_only=read_only)
        left = await hand_over(
            channel, resize=channel.resize if channel.writer else None, watch=not channel.writer
        )
        return left, 0 if left else await channel.wait()
    finally:
        await channel.close()


def _say_who_types(context: Context, channel: Attached, name: str, *, read_only: bool) -> None:
    writer = printable(channel.session.writer) or "Somebody else"
    words = f"{name}: you look on. ctrl+] leaves."
    if not read_only:
        words = f"{name}: {writer} types, you look on. ctrl+] leaves; --take takes over."
    context.out.note(context.out.err.paint(words, "dim"))


async def _piped(context: Context, channel: Attached, name: str, *, read_only: bool) -> int:
    if not read_only and not channel.writer:
        context.out.note(f"{name}: somebody else writes to it; --take takes over.")
    feeder = asyncio.create_task(_feed(channel) if channel.writer else asyncio.sleep(0))
    pumps = asyncio.gather(
        pump(channel.read, sink(context.out, "stdout", streams.STDOUT)),
        pump(channel.read_stderr, sink(context.out, "stderr", streams.STDERR)),
    )
    leave = asyncio.Event()
    left = asyncio.create_task(leave.wait())
    try:
        with context.interrupts.instead(leave.set):
            await asyncio.wait((pumps, left), return_when=asyncio.FIRST_COMPLETED)
        if not pumps.done():
            context.out.note(f"Left. It goes on: banger-tui session attach {name}")
            return _LEFT
        pumps.result()
        code = await channel.wait()
    finally:
        for task in (feeder, pumps, left):
            task.cancel()
        await asyncio.gather(feeder, pumps, left, return_exceptions=True)
        await channel.close()
    if context.out.json:
        await context.out.event("result", ok=True, exit_code=code)
    return code


async def _feed(channel: Attached) -> None:
    """stdin goes to the session. Its end too, but not that of an empty one: a script without stdin
    must not end the session's."""
    came = os.isatty(streams.STDIN)
    with contextlib.suppress(OSError, BangerError):
        while data := await streams.read(streams.STDIN):
            came = True
            await channel.write(data)
        if came:
            await channel.write_eof()
