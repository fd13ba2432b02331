"""A download on its way to disk: a ``.part`` file and the hash of what is in it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from pathlib import Path
from typing import Self

from banger_tui.engine.errors import BangerError, NotEnoughDisk, StorageFailure
from banger_tui.engine.oci.digests import Hash, new_hash
from banger_tui.engine.shield import finish, in_thread, whole

_BUFFER = 1 << 20
_LONGEST = 0.5  # seconds that a slow download stays in memory, which a kill would lose
_SLICE = 32 << 20  # what is hashed between two looks at whether somebody cancelled
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Part:
    """Open inside ``async with``; what is received may be gone on with by a later process.

    Bytes are written and hashed by a thread, a buffer at a time, while the next is received.

    Raises (all methods):
        NotEnoughDisk: the disk is full; the file is removed, as its room is needed.
        StorageFailure: the cache can't be written.
    """

    def __init__(self, path: Path, algorithm: str) -> None:
        self._path = path
        self._algorithm = algorithm
        self._hash = new_hash(algorithm)
        self._descriptor = -1
        self._size = 0
        self._written = 0  # of these on disk and hashed; the thread's while it flushes
        self._buffer = bytearray()
        self._flushed = time.monotonic()
        self._flushing: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self._size

    async def __aenter__(self) -> Self:
        try:
            self._descriptor = os.open(
                self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError as error:
            raise disk_failure(error, self._path) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await finish(self._keep())
        finally:
            os.close(self._descriptor)

    async def resume(self) -> int:
        """Take in what an earlier download left; returns its bytes."""
        length = os.fstat(self._descriptor).st_size
        self._written = 0
        self._hash = new_hash(self._algorithm)
        while self._written < length:
            try:
                got = await in_thread(hash_slice, self._descriptor, self._written, self._hash)
            except OSError as error:
                raise disk_failure(error, self._path) from error
            if not got:
                break
            self._written += got
        self._size = self._written
        return self._size

    async def write(self, chunk: bytes) -> None:
        self._buffer += chunk
        self._size += len(chunk)
        now = time.monotonic()
        if len(self._buffer) >= _BUFFER or now - self._flushed > _LONGEST:
            self._flushed = now
            await self._start_flush()

    async def flush(self) -> None:
        """Bring down what is in memory."""
        await self._start_flush()
        await self._settle()

    async def restart(self) -> None:
        """Forget what there is."""
        self._buffer.clear()
        await self._settle()
        self._hash = new_hash(self._algorithm)
        self._size = self._written = 0
        await in_thread(os.ftruncate, self._descriptor, 0)

    async def digest(self) -> str:
        await self.flush()
        return f"{self._algorithm}:{self._hash.hexdigest()}"

    async def commit(self, target: Path) -> None:
        """Give it its name. What has that name is whole, even after a power failure."""
        await self.flush()
        await in_thread(self._commit, target)

    async def discard(self) -> None:
        """Remove the file; nothing more is brought down."""
        self._buffer.clear()
        await in_thread(self._path.unlink, missing_ok=True)

    async def _start_flush(self) -> None:
        await self._settle()
        if self._buffer:
            full, self._buffer = self._buffer, bytearray()
            self._flushing = asyncio.create_task(in_thread(self._append, full))

    async def _settle(self) -> None:
        """Wait for the thread.

        A full disk is full for all: a file that can't be finished gives its room back.
        """
        if self._flushing is None:
            return
        try:
            await whole(self._flushing)
        except OSError as error:
            if error.errno in _FULL:
                await in_thread(self._path.unlink, missing_ok=True)
            raise disk_failure(error, self._path) from error
        finally:
            self._flushing = None

    async def _keep(self) -> None:
        """Bring down what came before a cancel. No error: who closes after one has it already."""
        with contextlib.suppress(BangerError):
            await self.flush()

    def _append(self, data: bytearray) -> None:
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += os.pwrite(self._descriptor, view[done:], self._written + done)
        self._hash.update(view)
        self._written += done

    def _commit(self, target: Path) -> None:
        try:
            os.fdatasync(self._descriptor)
            os.rename(self._path, target)
        except OSError as error:
            raise disk_failure(error, self._path) from error


def hash_slice(descriptor: int, offset: int, into: Hash) -> int:
    """Hash the next part of a file; returns its bytes, 0 at the end. Blocking: some 20 ms."""
    done = 0
    while done < _SLICE:
        chunk = os.pread(descriptor, _BUFFER, offset + done)
        if not chunk:
            break
        into.update(chunk)
        done += len(chunk)
    return done


def disk_failure(error: OSError, path: Path) -> BangerError:
    """The error for a file of the cache that can't be written."""
    why = error.strerror or str(error)
    if error.errno in _FULL:
        return NotEnoughDisk(
            "The disk is full",
            f"Writing to {path.parent} failed: {why}.",
            "Make room (banger-tui image prune removes old downloads), then try again.",
        )
    return StorageFailure(f"Can't use {path.parent}", f"{why}.", "Make it writable for you.")
