"""``operation list|show|cancel|prune``."""

from __future__ import annotations

import asyncio
import re
import time

from banger_tui.cli.context import Context
from banger_tui.cli.stage_lines import operation_lines
from banger_tui.cli.table import Cell, render
from banger_tui.cli.text import ago, clock, duration, printable
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import OperationState, OperationView

_STATES: dict[OperationState, tuple[str, str]] = {
    OperationState.RUNNING: ("◐", "yellow"),
    OperationState.DONE: ("✓", "green"),
    OperationState.FAILED: ("✗", "red"),
    OperationState.CANCELLED: ("✗", "dim"),
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_POLL = 0.25  # seconds; another process's operation is only seen in the database


async def list_all(context: Context) -> int:
    if context.args.limit < 1:
        raise InvalidInput("--limit must be at least 1", "", "For example: --limit 10")
    views = await context.engine.operations.list(context.args.limit)
    out = context.out
    if out.json:
        out.document(views)
        return 0
    if not views:
        out.line("No operations yet. They begin with: banger-tui vm run")
        return 0
    now = time.time()
    headers = ("ID", "STATE", "OPERATION", ">TOOK", "BEGAN", "WHY")
    out.lines(render(headers, [_row(view, now) for view in views], out.out, out.width))
    return 0


def _row(view: OperationView, now: float) -> list[Cell | str]:
    glyph, colour = _STATES[view.state]
    return [
        view.id,
        Cell(f"{glyph} {view.state.value}", (colour,)),
        Cell(view.title, ("bold",)),
        duration(view.elapsed(now)),
        ago(view.started, now),
        _why(view),
    ]


def _why(view: OperationView) -> str:
    if view.state is OperationState.FAILED and view.failure is not None:
        return view.failure.title
    if view.state is OperationState.RUNNING and view.current is not None:
        return view.current.name
    return ""


async def show(context: Context) -> int:
    view = await context.engine.operations.status(context.args.id)
    out = context.out
    if out.json:
        out.document(view)
        return 0
    now = time.time()
    out.lines(operation_lines(view, now, out.out, out.width, whole=True))
    out.line()
    out.line(f"  id {view.id}, began {clock(view.started)}, {ago(view.started, now)}")
    if view.failure is not None:
        for text in (view.failure.title, view.failure.detail, view.failure.hint):
            out.lines(f"  {printable(line)}" for line in text.splitlines())
    log = context.paths.operation_log(view.id)
    if await asyncio.to_thread(log.exists):
        out.line(f"  log {log}")
    return 0


async def cancel(context: Context) -> int:
    view = await context.engine.operations.cancel(context.args.id)
    asked = not view.state.over
    if asked:
        context.out.note(f"Cancelling {printable(view.title)} …")
    while not view.state.over:
        await asyncio.sleep(_POLL)
        view = await context.engine.operations.status(view.id)
    if context.out.json:
        await context.out.event("result", ok=True, operation=view)
    elif not asked:
        context.out.note(f"It is over: {printable(view.title)} {view.state.value}.")
    elif view.state is OperationState.CANCELLED:
        context.out.note("Cancelled; nothing of it is left.")
    else:
        context.out.note(f"Too late: {printable(view.title)} {view.state.value}.")
    return 0


async def prune(context: Context) -> int:
    count = await context.engine.operations.prune(parse_age(context.args.older_than))
    if context.out.json:
        await context.out.event("result", ok=True, pruned=count)
    else:
        context.out.line(f"Forgot {count} operation{'' if count == 1 else 's'}.")
    return 0


def parse_age(text: str) -> float:
    """Seconds of ``90m``, ``12h``, ``7d``; ``0`` is everything.

    Raises:
        InvalidInput
    """
    if text == "0":
        return 0.0
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhdw])", text.strip().lower())
    if match is None:
        raise InvalidInput(
            f"{text!r} is no span of time",
            "It is a number with s, m, h, d or w.",
            "For example: --older-than 12h",
        )
    return float(match[1]) * _SECONDS[match[2]]
