"""``session logs|send|signal|stop|delete``."""

from __future__ import annotations

import signal as signals
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from banger_tui.cli import streams
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each
from banger_tui.cli.image import told_deleted
from banger_tui.cli.log import Log
from banger_tui.cli.session_name import full_name, session_name
from banger_tui.cli.text import size
from banger_tui.engine.errors import InvalidInput

if TYPE_CHECKING:
    from banger_tui.engine.sessions.stream import Chunk

_LINE_END = b"\n"


async def logs(context: Context) -> int:
    args = context.args
    if args.offset < 0:
        raise InvalidInput("--offset counts from 0", "", "For example: --offset 1048576")
    vm, name = session_name(args.session)
    stream = "stderr" if args.stderr else "stdout"
    log = Log(context.out, stream, follow=args.follow)
    at = args.offset
    chunks = context.engine.sessions.stream(
        vm, name, err=args.stderr, offset=args.offset, follow=args.follow
    )
    # Closed here, not some time later: who reads us may have gone, and the engine goes next.
    async with aclosing(cast("AsyncGenerator[Chunk, None]", chunks)):
        async for chunk in chunks:
            if chunk.offset > at:
                await _tell_gap(context, stream, chunk.offset - at)
            at = chunk.offset + len(chunk.data)
            await log.write(chunk.data)
    await log.end()
    return 0


async def _tell_gap(context: Context, stream: str, lost: int) -> None:
    if context.out.json and context.args.follow:
        await context.out.event("gap", stream=stream, bytes=lost)
    else:
        context.out.warning(f"{size(lost)} of {stream} are not kept any more")


async def send(context: Context) -> int:
    args = context.args
    if args.text is None and not (args.line or args.eof):
        raise InvalidInput(
            "There is nothing to send", "", f"For example: session send --line {args.session} ls"
        )
    vm, name = session_name(args.session)
    sessions = context.engine.sessions
    if args.text == "-":
        while data := await streams.read(streams.STDIN):
            await sessions.send(vm, name, data)
    elif args.text:
        # Bytes that are no text come in as such, and go out as such.
        await sessions.send(vm, name, args.text.encode(errors="surrogateescape"))
    if args.line:
        await sessions.send(vm, name, _LINE_END)
    if args.eof:
        await sessions.eof(vm, name)
    return await _done(context)


async def signal(context: Context) -> int:
    args = context.args
    word = args.signal.upper().removeprefix("SIG")
    if f"SIG{word}" not in signals.Signals.__members__:
        raise InvalidInput(
            f"There is no signal {args.signal!r}", "", "For example: TERM, INT, HUP, USR1, KILL"
        )
    await context.engine.sessions.signal(*session_name(args.session), word)
    return await _done(context)


async def stop(context: Context) -> int:
    if not 0 <= context.args.grace <= 3600:
        raise InvalidInput("--grace is 0 to 3600 seconds", "", "For example: --grace 30")

    async def one(text: str) -> None:
        session = await context.engine.sessions.stop(*session_name(text), context.args.grace)
        if context.out.json:
            await context.out.event("result", ok=True, session=session)
        else:
            code = "" if session.exit_code is None else f", exit code {session.exit_code}"
            context.out.note(f"Stopped {full_name(session)}{code}.")

    return await each(context, context.args.sessions, one)


async def delete(context: Context) -> int:
    async def one(text: str) -> None:
        await context.engine.sessions.delete(*session_name(text), force=context.args.force)
        await told_deleted(context, "session", text)

    return await each(context, context.args.sessions, one)


async def _done(context: Context) -> int:
    if context.out.json:
        await context.out.event("result", ok=True)
    return 0
