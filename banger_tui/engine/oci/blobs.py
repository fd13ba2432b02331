"""The cache of downloads, shared by all pulls of all processes.

::

    sha256/HEX            a whole blob: its name is the digest of what is in it
    sha256/HEX.part       what there is so far of one that is on its way, or was
    unnamed/RANDOM        one on its way whose digest nobody knows yet
    leases/RANDOM         what a pull is using
    locks/                who downloads what
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Set
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from banger_tui.engine.errors import Busy, NotEnoughDisk
from banger_tui.engine.locks import Locks
from banger_tui.engine.oci.digests import LENGTHS, is_digest, new_hash, split
from banger_tui.engine.oci.leases import Lease, Leases
from banger_tui.engine.oci.part import disk_failure, hash_slice
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import in_thread

_STALE = 86400.0  # seconds after which nobody is expected to go on with a .part
_LOOK = 0.2  # seconds between two looks at how far another one's download is
_UNNAMED = "unnamed"
_RESERVE = 64 << 20  # bytes that a download leaves free


class Blobs:
    """One cache directory, which is made when it is first used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._locks = Locks(directory / "locks")
        self._leases = Leases(directory / "leases", self._locks)
        self._prepared = False

    def path(self, digest: str) -> Path:
        """Where the whole blob is, or would be."""
        algorithm, digits = split(digest)
        return self.directory / algorithm / digits

    def part(self, digest: str) -> Path:
        path = self.path(digest)
        return path.with_name(f"{path.name}.part")

    def unnamed(self) -> Path:
        """A new path for a download whose digest is not known."""
        return self.directory / _UNNAMED / secrets.token_hex(16)

    async def prepare(self) -> None:
        """Raises: StorageFailure, NotEnoughDisk: the directories can't be made."""
        if not self._prepared:
            await asyncio.to_thread(self._prepare)
            self._prepared = True

    async def has(self, digest: str, size: int | None = None) -> bool:
        """Whether the whole blob is here, with ``size`` bytes if given."""
        try:
            status = await asyncio.to_thread(os.stat, self.path(digest))
        except OSError:
            return False
        return size is None or status.st_size == size

    async def begun(self, digest: str) -> int:
        """Bytes that an unfinished download left."""
        try:
            return (await asyncio.to_thread(os.stat, self.part(digest))).st_size
        except OSError:
            return 0

    async def verify(self, digest: str) -> bool:
        """Hash a whole blob again; one that has gone bad on disk is removed."""
        algorithm, _ = split(digest)
        running, offset = new_hash(algorithm), 0
        try:
            descriptor = os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            while got := await in_thread(hash_slice, descriptor, offset, running):
                offset += got
        except OSError as error:
            raise disk_failure(error, self.path(digest)) from error
        finally:
            os.close(descriptor)
        if f"{algorithm}:{running.hexdigest()}" == digest:
            return True
        await in_thread(self.path(digest).unlink, missing_ok=True)
        return False

    @asynccontextmanager
    async def lease(self, digests: Iterable[str]) -> AsyncIterator[Lease]:
        """``prune`` of any process leaves these alone inside the block, here or still to come.
        Never taken with a claim held."""
        await self.prepare()
        async with self._leases.hold(digests) as lease:
            yield lease

    @asynccontextmanager
    async def claim(self, digest: str, size: int | None, stage: Stage) -> AsyncIterator[None]:
        """Be the only one who downloads this blob; another's progress is shown while it lasts."""
        await self.prepare()
        key = _lock_name(digest)
        async with AsyncExitStack() as stack:
            while True:
                lock: AbstractAsyncContextManager[None] = self._locks.leaf(key).hold(
                    "download", _LOOK
                )
                try:
                    await stack.enter_async_context(lock)
                    break
                except Busy:
                    stage.note("another pull downloads it")
                    stage.progress(await self.begun(digest), size, "bytes")
            try:
                yield
            finally:
                self._locks.discard(key)

    async def room_for(self, missing: int) -> None:
        """Raises: NotEnoughDisk: so many bytes more don't fit."""
        await self.prepare()
        status = await asyncio.to_thread(os.statvfs, self.directory)
        free = status.f_bavail * status.f_frsize
        if missing and missing + _RESERVE > free:
            raise NotEnoughDisk(
                "There is not enough room for the download",
                f"{missing:,} bytes are to come, {free:,} are free below {self.directory}.",
                "Make room (banger-tui image prune removes old downloads), then try again.",
            )

    async def prune(self, keep: Set[str], *, dry_run: bool = False) -> tuple[int, int]:
        """Remove blobs that are neither in ``keep`` nor in use, and downloads that nobody went on
        with for a day; returns how many files and bytes. ``dry_run``: only count them."""
        await self.prepare()
        async with self._leases.gate.hold("prune"):
            return await in_thread(self._prune, keep, dry_run)

    def _prepare(self) -> None:
        try:
            for name in (*LENGTHS, _UNNAMED, "leases", "locks"):
                (self.directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise disk_failure(error, self.directory / "locks") from error

    def _prune(self, keep: Set[str], dry_run: bool) -> tuple[int, int]:
        used = keep | self._leases.leased()
        stale = time.time() - _STALE
        files = freed = 0
        for directory in (*LENGTHS, _UNNAMED):
            for entry in os.scandir(self.directory / directory):
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    name = entry.name.removesuffix(".part")
                    digest = f"{directory}:{name}"
                    if is_digest(digest) and name == entry.name:
                        unneeded = digest not in used
                    elif is_digest(digest) or directory == _UNNAMED:
                        unneeded = digest not in used and status.st_mtime < stale
                    else:
                        continue  # not ours
                    if unneeded:
                        if not dry_run:
                            os.unlink(entry.path)
                        files, freed = files + 1, freed + status.st_size
        return files, freed


def _lock_name(digest: str) -> str:
    return digest.replace(":", "-")
