"""Blocking work in a thread that tells how far it is and ends soon when it is told to."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from banger_tui.engine.errors import BangerError, HostLacks, NotEnoughDisk
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish

T = TypeVar("T")

_REPORT_EVERY = 0.05  # seconds


class Stopped(Exception):
    """The work was told to end; nobody but ``run`` sees it."""


class Work:
    """The thread's side. ``report(done)`` is called in the thread, at most every 50 ms; ``touched``
    is when it was last heard of (``time.monotonic()``)."""

    def __init__(self, report: Callable[[int], object] = lambda _: None) -> None:
        self._report = report
        self._stop = threading.Event()
        self._done = 0
        self._next = 0.0
        self.touched = time.monotonic()

    def advance(self, count: int = 0) -> None:
        """``count`` more are done. Call it often.

        Raises:
            Stopped: the work is wanted no more.
        """
        self.at(self._done + count)

    def at(self, done: int) -> None:
        """As ``advance``, said as how many are done in all."""
        if self._stop.is_set():
            raise Stopped
        self._done = done
        self.touched = time.monotonic()
        if self.touched >= self._next:
            self._next = self.touched + _REPORT_EVERY
            self._report(done)

    def pause(self, seconds: float) -> None:
        """Sleep, at most until it is told to end. Raises as ``advance``."""
        self._stop.wait(seconds)
        self.advance()

    def stop(self) -> None:
        """From any thread: the next ``advance`` raises."""
        self._stop.set()

    @property
    def done(self) -> int:
        return self._done


async def run(work_of: Callable[[Work], T], stage: Stage, total: int | None = None) -> T:
    """Run ``work_of(work)`` in a thread; progress in bytes. It is over when this returns or raises,
    also when cancelled: ``advance`` ends it then."""
    loop = asyncio.get_running_loop()

    def report(done: int) -> None:
        loop.call_soon_threadsafe(stage.progress, done, total, "bytes")

    work = Work(report)
    task = asyncio.ensure_future(asyncio.to_thread(work_of, work))
    try:
        result = await asyncio.shield(task)
    except asyncio.CancelledError:
        work.stop()
        await finish(asyncio.wait([task]))
        task.exception()  # looked at: the cancel is what the caller hears of
        raise
    stage.progress(work.done, total, "bytes")
    return result


def told(error: OSError, title: str, path: Path) -> BangerError:
    """An OSError for people; ``title`` says what could not be done."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughDisk(
            "The disk is full",
            f"{title}: {error.strerror}.",
            f"Free some room where {path} is, then try again.",
        )
    return HostLacks(title, f"{error.strerror or error}.")
