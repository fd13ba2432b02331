"""Blocking work that ends soon after it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec, TypeVar

from banger_tui.engine.errors import OperationCancelled
from banger_tui.engine.shield import finish

T = TypeVar("T")
P = ParamSpec("P")

#: Asked now and then by the thread that works; True: end, nobody waits for the result.
Stop = Callable[[], bool]

_PIECE = 1 << 20


async def in_stoppable_thread(
    function: Callable[Concatenate[Stop, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """``function(stop, …)`` in a thread. The thread is over when this returns or raises; a cancel
    makes ``stop`` say True."""
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(function, stop.is_set, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await finish(asyncio.wait([task]))
        task.exception()  # looked at: the cancel is what the caller hears of
        raise


def go_on(stop: Stop) -> None:
    """Raises: OperationCancelled: ``stop`` says so."""
    if stop():
        raise OperationCancelled("Stopped")


def pieces(data: bytes, stop: Stop) -> Iterator[bytes]:
    """The data, a MiB at a time, until ``stop``."""
    for start in range(0, len(data), _PIECE):
        go_on(stop)
        yield data[start : start + _PIECE]
