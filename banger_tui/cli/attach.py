"""This terminal as the guest's: raw bytes both ways until one side has enough."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from banger_tui.cli import streams
from banger_tui.cli.context import Context
from banger_tui.cli.window import window
from banger_tui.engine.errors import InvalidInput

LEAVE = b"\x1d"  # ctrl+]
_ALTERNATE = b"\x1b[?1049"
# What a guest may have switched on that must not stay on: mouse, focus and paste reports,
# application keys, a hidden cursor, colours.
_RESET = b"".join(b"\x1b[?%dl" % mode for mode in (1000, 1002, 1003, 1004, 1006, 2004, 1))
_RESET += b"\x1b>\x1b[?25h\x1b[0m"


class Stream(Protocol):
    """The guest's side."""

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None: ...


def no_json(context: Context, what: str) -> None:
    """Raises: InvalidInput when ``--json`` is asked of something that hands over the terminal."""
    if context.out.json:
        raise InvalidInput(
            f"{what} has no JSON form", "It takes over this terminal.", "Leave --json out."
        )


def require_terminal(what: str, hint: str) -> None:
    """Raises: InvalidInput when stdin or stdout is no terminal."""
    if not (os.isatty(streams.STDIN) and os.isatty(streams.STDOUT)):
        raise InvalidInput(
            f"{what} needs a terminal", "stdin or stdout of this command is none.", hint
        )


async def attach(
    stream: Stream,
    *,
    resize: Callable[[int, int], Awaitable[None]] | None = None,
    leave: bytes | None = LEAVE,
    watch: bool = False,
) -> bool:
    """Hand the terminal to the guest.

    Args:
        resize: called with (columns, rows) whenever the window changes.
        leave: the key that ends it; None: every key is the guest's.
        watch: only look on; no key but ``leave`` does anything.

    Returns:
        True when the person left, False when the guest's side ended.
    """
    screen = _Screen()
    with _raw(streams.STDIN), _window_changes(resize):
        incoming = asyncio.create_task(_incoming(stream, screen))
        outgoing = asyncio.create_task(_outgoing(stream, leave, watch=watch))
        try:
            done, _ = await asyncio.wait((incoming, outgoing), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return incoming not in done
        finally:
            for task in (incoming, outgoing):
                task.cancel()
            await asyncio.gather(incoming, outgoing, return_exceptions=True)
            with contextlib.suppress(OSError):
                await streams.write(streams.STDOUT, screen.restore())


class _Screen:
    """Remembers whether the guest is on the alternate screen."""

    def __init__(self) -> None:
        self._alternate = False
        self._tail = b""

    def feed(self, data: bytes) -> None:
        seen = self._tail + data
        at = seen.rfind(_ALTERNATE)
        if at >= 0 and at + len(_ALTERNATE) < len(seen):
            self._alternate = seen[at + len(_ALTERNATE) :][:1] == b"h"
        self._tail = seen[-len(_ALTERNATE) :]

    def restore(self) -> bytes:
        return (b"\x1b[?1049l" if self._alternate else b"") + _RESET


async def _incoming(stream: Stream, screen: _Screen) -> None:
    while data := await stream.read():
        screen.feed(data)
        await streams.write(streams.STDOUT, data)


async def _outgoing(stream: Stream, leave: bytes | None, *, watch: bool) -> None:
    while data := await streams.read(streams.STDIN):
        before, key, _ = data.partition(leave) if leave else (data, b"", b"")
        if before and not watch:
            await stream.write(before)
        if key:
            return


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    before = termios.tcgetattr(fd)
    tty.setraw(fd, termios.TCSADRAIN)
    try:
        yield
    finally:
        # The terminal may have been closed meanwhile.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _window_changes(resize: Callable[[int, int], Awaitable[None]] | None) -> Iterator[None]:
    if resize is None:
        yield
        return
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    async def follow() -> None:
        while True:
            await changed.wait()
            changed.clear()
            await resize(*window(sys.stdout))

    follower = asyncio.create_task(follow())
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        follower.cancel()
