"""stdin and stdout as bytes, without ever blocking the event loop.

Neither is made non-blocking: that flag belongs to the open file, which the shell that started us
shares. Readiness is asked for instead, and writing happens in a thread.
"""

from __future__ import annotations

import asyncio
import os
import select

STDIN, STDOUT, STDERR = 0, 1, 2
_CHUNK = 1 << 16


async def read(fd: int = STDIN) -> bytes:
    """The next bytes of a file descriptor; b"" at its end (or when it is closed)."""
    try:
        await _readable(fd)
        return os.read(fd, _CHUNK)
    except PermissionError:  # epoll takes no plain files; those never keep us waiting for long
        return await asyncio.to_thread(os.read, fd, _CHUNK)
    except OSError:  # closed (EBADF), or the terminal behind it has gone (EIO)
        return b""


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fd, tell)
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def write(fd: int, data: bytes) -> None:
    """Write all of it, however slow the reader.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    await asyncio.to_thread(_write_all, fd, data)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:  # somebody else made it non-blocking
            select.select([], [fd], [])
