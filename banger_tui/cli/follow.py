"""Follow an operation to its end: shown to people, told to programs, ended by ctrl+c."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from banger_tui.cli.context import Context
from banger_tui.cli.output import error_object
from banger_tui.cli.progress import LiveLines, LogLines, Progress, Silence
from banger_tui.engine.errors import BangerError, OperationCancelled

if TYPE_CHECKING:
    from banger_tui.engine.operations import Operation

T = TypeVar("T")

_TICK = 0.1
_LINES_AT_ONCE = 500


async def follow(
    context: Context,
    operation: Operation[T],
    *,
    fold: bool = False,
    silent: bool = False,
    lines: deque[str] | None = None,
) -> T:
    """Wait for the operation's result.

    Args:
        fold: when it went well, only its headline stays on the terminal.
        silent: show it only to programs (``--json``).
        lines: output of what runs in it, taken from here and shown beside the stages.

    Raises:
        BangerError: what it failed with; OperationCancelled after ctrl+c.
    """
    shown = _progress(context, fold=fold, silent=silent)

    def cancel() -> None:
        shown.say("Cancelling …")
        operation.cancel()

    lines = deque() if lines is None else lines
    ticker = asyncio.create_task(_tick(context, shown, lines))
    try:
        with context.interrupts.instead(cancel, None if silent else shown.say):
            async for view in operation.events():
                shown.show(view)
                if context.out.json:
                    await context.out.event("operation", **_fields(view))
            return await operation.result()
    finally:
        ticker.cancel()
        await _print(context, shown, lines)
        shown.close()


async def perform(
    context: Context,
    begin: Awaitable[Operation[T]],
    result: Callable[[T], dict[str, object]],
    *,
    lines: deque[str] | None = None,
) -> T:
    """Begin an operation, follow it, and end with the ``result`` line for programs.

    Raises:
        BangerError
    """
    try:
        operation = await begin
        value = await follow(context, operation, lines=lines)
    except BangerError as error:
        await failed(context, error)
        raise
    if context.out.json:
        await context.out.event("result", ok=True, operation=operation.id, **result(value))
    return value


async def each(
    context: Context, names: Sequence[str], action: Callable[[str], Awaitable[object]]
) -> int:
    """The action for one name after the other; a failed one does not keep the others waiting.

    Returns:
        0, or the exit code of the first that failed.

    Raises:
        OperationCancelled: the others are not begun.
    """
    code = 0
    for name in dict.fromkeys(names):
        try:
            await action(name)
        except OperationCancelled:
            raise
        except BangerError as error:
            context.out.error(error)
            code = code or error.exit_code
        context.interrupts.check()
    return code


async def failed(context: Context, error: BangerError) -> None:
    """The last line for programs when it went wrong."""
    if context.out.json:
        await context.out.event("result", ok=False, error=error_object(error))


def _fields(view: object) -> dict[str, object]:
    from banger_tui.engine.serial import to_json

    fields: dict[str, object] = to_json(view)
    return fields


def _progress(context: Context, *, fold: bool, silent: bool) -> Progress:
    out = context.out
    if out.json or out.quiet or silent:
        return Silence()
    return LiveLines(out.err, fold=fold) if out.err.live else LogLines(out.err, fold=fold)


async def _tick(context: Context, shown: Progress, lines: deque[str]) -> None:
    while True:
        await asyncio.sleep(_TICK)
        await _print(context, shown, lines)
        shown.tick()


async def _print(context: Context, shown: Progress, lines: deque[str]) -> None:
    while lines:
        some = [lines.popleft() for _ in range(min(len(lines), _LINES_AT_ONCE))]
        if context.out.json:
            text = "".join(f"{line}\n" for line in some)
            await context.out.event("output", stream="stdout", text=text)
        shown.output(some)
