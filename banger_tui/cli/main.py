"""One command from argv to exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from banger_tui import startup
from banger_tui.cli.output import Output, debugging, show_traceback
from banger_tui.cli.parser import build, parse, split
from banger_tui.engine.errors import BangerError, InvalidInput, OperationCancelled

if TYPE_CHECKING:
    from banger_tui.cli.context import Command, Handover
    from banger_tui.cli.interrupts import Interrupts
    from banger_tui.engine.api import Engine
    from banger_tui.engine.paths import Paths
    from banger_tui.engine.settings import Settings

_INTERRUPTED = 130
_NO_READER = 128 + signal.SIGPIPE


def main(argv: Sequence[str]) -> int:
    """Do what the arguments ask; never raises for anything a person can meet.

    Returns:
        0 done, 1 failed, 2 the command line makes no sense, 130 interrupted; ``vm run``,
        ``vm exec`` and ``vm ssh`` pass the guest command's own code on.
    """
    head = split(argv)[0]
    out = Output(json="--json" in head, quiet="--quiet" in head or "-q" in head)
    try:
        with _no_reader():
            return _main(argv, out)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return _NO_READER


def no_terminal() -> int:
    """The app was asked for where it can't open."""
    out = Output()
    with contextlib.suppress(BrokenPipeError):
        build().print_help(sys.stderr)
        print(file=sys.stderr)
        out.error(
            InvalidInput(
                "The app needs a terminal",
                "stdin or stdout of this command is none.",
                "Run banger-tui in a terminal, or give it a command: banger-tui vm list",
            )
        )
    return InvalidInput.exit_code


def _main(argv: Sequence[str], out: Output) -> int:
    try:
        args = parse(argv)
        if not args.handler:
            return _incomplete(args, out)
        outcome = _run(args, out)
        return outcome if isinstance(outcome, int) else _become(outcome)
    except SystemExit as end:  # argparse after --help and --version
        return end.code if isinstance(end.code, int) else 0
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001  # a person gets an error, never a traceback
        return told(error, out)


def told(error: Exception, out: Output) -> int:
    """Tell an error of any kind, and return the exit code for it."""
    if debugging():
        show_traceback(error)
    if not isinstance(error, BangerError):
        error = BangerError(
            "Something went wrong inside banger-tui",
            f"{type(error).__name__}: {str(error)[:300]}",
            "BANGER_DEBUG=1 shows where.",
        )
    out.error(error)
    return error.exit_code


def _incomplete(args: Namespace, out: Output) -> int:
    """``banger-tui vm``: say what can follow."""
    if not out.json:
        args.parser.print_help(sys.stderr)
        print(file=sys.stderr)
    raise InvalidInput("A command is missing", "", f"For example: {args.parser.prog} list")


def _run(args: Namespace, out: Output) -> int | Handover:
    import asyncio

    with _quiet_logging():
        return asyncio.run(carry_out(args, out))


async def carry_out(args: Namespace, out: Output) -> int | Handover:
    """The command of a parsed command line, with an engine that is open as long as it takes.

    Raises:
        BangerError: what went wrong; OperationCancelled after ctrl+c.
    """
    import asyncio

    from banger_tui.cli.interrupts import Interrupts

    task = asyncio.current_task()
    assert task is not None
    interrupts = Interrupts(task, out.warn)
    interrupts.install()
    try:
        return await _with_engine(args, out, interrupts)
    except asyncio.CancelledError:
        if not interrupts.asked:
            raise
        raise OperationCancelled("Interrupted") from None
    finally:
        interrupts.remove()


async def _with_engine(args: Namespace, out: Output, interrupts: Interrupts) -> int | Handover:
    import asyncio

    from banger_tui.cli.context import Context
    from banger_tui.engine.paths import Paths
    from banger_tui.settings import load

    module, _, function = args.handler.partition(":")
    command: Command = getattr(importlib.import_module(f"banger_tui.cli.{module}"), function)
    paths = Paths.from_environment()
    loaded = await asyncio.to_thread(load, paths.config_file)
    settings = loaded.engine.with_environment()
    async with open_engine(paths, settings) as engine:
        startup.over()
        for problem in loaded.problems:
            out.warning(problem)
        try:
            return await command(Context(args, out, engine, interrupts, paths, settings))
        finally:
            interrupts.wind_up()  # the engine has to close in peace


def open_engine(paths: Paths, settings: Settings) -> AbstractAsyncContextManager[Engine]:
    """The engine; a function of its own so that tests can give it their driver."""
    from banger_tui.engine.api import Engine

    return Engine(paths, settings)


def _become(handover: Handover) -> int:
    """Replace this process by another program."""
    # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(handover.argv[0], handover.argv)  # noqa: S606  # no shell is wanted here
    except OSError as error:
        raise BangerError(f"Can't start {handover.argv[0]}", error.strerror or "") from error


@contextlib.contextmanager
def _quiet_logging() -> Iterator[None]:
    """Logging would write to stderr, between the lines that are drawn there."""
    import logging

    if debugging():
        logging.basicConfig(level=logging.DEBUG)
        yield
        return
    # Without any handler logging says so itself, also on stderr.
    nowhere = logging.NullHandler()
    logging.getLogger().addHandler(nowhere)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nowhere)


@contextlib.contextmanager
def _no_reader() -> Iterator[None]:
    """When stdout's reader has gone, the interpreter must not stumble over it at its end."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)
        raise
