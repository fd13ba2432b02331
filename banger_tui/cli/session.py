"""``session start|list|show``."""

from __future__ import annotations

import shlex
import sys
import time
from dataclasses import replace

from banger_tui.cli.attach import no_json, require_terminal
from banger_tui.cli.context import Context
from banger_tui.cli.session_attach import attached
from banger_tui.cli.session_name import full_name, session_name
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, duration, printable, short_size, size, span
from banger_tui.cli.vm_guest import variables
from banger_tui.cli.window import window
from banger_tui.engine.model import SessionMode, SessionSpec, SessionState, SessionView
from banger_tui.engine.vms.spec import parse_size


def spec_of(context: Context) -> SessionSpec:
    """The session that the options ask for.

    Raises:
        InvalidSize
    """
    args = context.args
    spec = SessionSpec(
        tuple(args.command), args.name, SessionMode.PIPE if args.pipe else SessionMode.PTY,
        args.workdir, tuple(variables(args.env)), args.user, drop=args.drop,
    )  # fmt: skip
    return spec if args.keep is None else replace(spec, keep_bytes=parse_size(args.keep))


async def start(context: Context) -> int:
    args = context.args
    if args.attach and not args.pipe:
        no_json(context, "A session with a terminal")
        require_terminal("--attach", "Leave it out: the session goes on by itself.")
    size = window(sys.stdout)
    session = await context.engine.sessions.start(
        args.vm, spec_of(context), (size.columns, size.lines)
    )
    if args.attach:
        return await attached(context, session)
    if context.out.json:
        await context.out.event("result", ok=True, session=session)
        return 0
    context.out.line(full_name(session))
    if context.out.err.live:
        hint = f"Attach to it: banger-tui session attach {full_name(session)}"
        context.out.note(context.out.err.paint(hint, "dim"))
    return 0


async def list_all(context: Context) -> int:
    sessions = await context.engine.sessions.list(context.args.vm)
    out = context.out
    if out.json:
        out.document(sessions)
        return 0
    if not sessions:
        out.line("No sessions. Start one: banger-tui session start VM -- CMD")
        return 0
    now = time.time()
    headers = ("SESSION", "MODE", "STATE", ">FOR", ">SAID", "COMMAND")
    out.lines(render(headers, [_row(session, now) for session in sessions], out.out, out.width))
    return 0


def _row(session: SessionView, now: float) -> list[Cell | str]:
    word, colour = state_word(session)
    return [
        Cell(full_name(session), ("bold",)),
        session.mode.value,
        Cell(word, (colour,)),
        span(max(0.0, (session.ended or now) - session.started)),
        short_size(session.out_bytes + session.err_bytes),
        shlex.join(session.argv) if session.argv else "(shell)",
    ]


def state_word(session: SessionView) -> tuple[str, str]:
    """The state as people read it, and its colour."""
    match session.state:
        case SessionState.RUNNING:
            return ("◐ waits", "yellow") if session.waiting else ("● running", "green")
        case SessionState.LOST:
            return "✗ lost", "red"
        case _:
            good = session.exit_code == 0
            code = "" if session.exit_code is None else f" {session.exit_code}"
            return (f"{'✓' if good else '✗'} exited{code}"), ("dim" if good else "red")


async def show(context: Context) -> int:
    session = await context.engine.sessions.show(*session_name(context.args.session))
    out = context.out
    if out.json:
        out.document(session)
        return 0
    now = time.time()
    word, colour = state_word(session)
    why = "nobody reads what it says, and there is no room for more" if session.waiting else ""
    ended = session.ended
    took = "" if ended is None else f", after {duration(max(0.0, ended - session.started))}"
    values = [
        ("session", out.out.paint(full_name(session), "bold")),
        ("state", out.out.paint(word, colour)),
        ("waits", why),
        ("mode", session.mode.value),
        ("command", printable(shlex.join(session.argv)) if session.argv else "the login shell"),
        ("title", printable(session.title)),
        ("directory", printable(session.cwd)),
        ("user", printable(session.user)),
        ("process", str(session.pid) if session.pid and ended is None else ""),
        ("started", f"{clock(session.started)}, {ago(session.started, now)}"),
        ("ended", "" if ended is None else f"{clock(ended)}, {ago(ended, now)}{took}"),
        ("exit code", "" if session.exit_code is None else str(session.exit_code)),
        ("stdout", _amount(session.out_bytes, session.kept[0])),
        ("stderr", _amount(session.err_bytes, session.kept[1]) if session.err_bytes else ""),
        ("stdin", size(session.in_bytes) if session.in_bytes else ""),
        ("viewers", str(session.viewers) if session.viewers else ""),
        ("writer", printable(session.writer)),
    ]
    out.lines(pairs(values, out.out))
    return 0


def _amount(total: int, kept: int) -> str:
    return size(total) + (f", kept from byte {kept}" if kept else "")
