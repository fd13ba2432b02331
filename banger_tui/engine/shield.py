"""Cleanup that is carried through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def finish(work: Awaitable[T]) -> T:
    """Await ``work`` to its end, however often somebody cancels the waiting task meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


async def whole(work: Awaitable[T]) -> T:
    """Await ``work``; a cancel waits until it is over and is raised then, whatever came of it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await finish(asyncio.wait([task]))
        if not task.cancelled():
            task.exception()  # looked at: the cancel is what the caller hears of
        raise


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """``asyncio.to_thread`` that is over when it returns, also when cancelled.

    A thread can't be stopped: without this, cleanup would run beside the thread that still makes
    what is cleaned up.
    """
    return await whole(asyncio.to_thread(function, *args, **kwargs))
