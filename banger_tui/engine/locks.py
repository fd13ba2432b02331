"""Every lock, and the one order in which they may be taken.

::

    rank  lock                    held while
    0     image_pull[name]        one pull of a missing image serves every create that waits for it
    0     kernel_pull[name]       likewise for a kernel
    1     vm[id]                  a VM changes: boot, stop, delete (two VMs: by id)
    2     vm_reservation          milliseconds: name and port are checked and the row is written
    2     image_publish           milliseconds: staging is renamed into place and the row is written
    3     leaf                    a subsystem's own short lock

A task that holds a lock may only take one of a higher rank (or another VM's with a greater id);
the rank-2 locks are siblings and never nest. ``LockOrderError`` says so at once, in every run: the
check costs a tuple look-up, a deadlock costs a person's evening.

Each is an asyncio lock *and* an advisory file lock (flock(2)), as several processes may work on one
state directory. The kernel drops a file lock when its process dies, however it dies. ``LOCK_NB`` is
asked again with growing pauses instead of blocking a thread that could not be cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from banger_tui.engine.errors import Busy, NotFound


class Rank(IntEnum):
    PULL = 0
    VM = 1
    SHORT = 2
    LEAF = 3


class LockOrderError(AssertionError):
    """A programming error: locks were taken against their order."""


@dataclass(frozen=True, slots=True)
class _Held:
    rank: Rank
    key: str


_held: ContextVar[tuple[_Held, ...]] = ContextVar("held_locks", default=())


def held() -> tuple[str, ...]:
    """Keys of the locks that the current task holds, in the order taken."""
    return tuple(entry.key for entry in _held.get())


def _check_order(rank: Rank, key: str) -> None:
    for entry in _held.get():
        same_kind = entry.rank is rank is Rank.VM and entry.key < key
        if entry.rank >= rank and not same_kind:
            raise LockOrderError(f"{key} (rank {rank}) wanted while {entry.key} is held")


class Locks:
    """The lock table of one state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._local: dict[str, asyncio.Lock] = {}

    def image_pull(self, name: str) -> Lock:
        return Lock(self, Rank.PULL, "image_pull", name)

    def kernel_pull(self, name: str) -> Lock:
        return Lock(self, Rank.PULL, "kernel_pull", name)

    def vm(self, vm_id: str) -> Lock:
        return Lock(self, Rank.VM, "vm", vm_id)

    @property
    def vm_reservation(self) -> Lock:
        return Lock(self, Rank.SHORT, "vm_reservation")

    @property
    def image_publish(self) -> Lock:
        return Lock(self, Rank.SHORT, "image_publish")

    def leaf(self, name: str) -> Lock:
        return Lock(self, Rank.LEAF, name)

    def local(self, key: str) -> asyncio.Lock:
        return self._local.setdefault(key, asyncio.Lock())

    def path(self, key: str) -> Path:
        return self._directory / f"{key}.lock"

    def discard(self, key: str) -> None:
        """Forget a thing's lock file; call it while holding the lock, when the thing is gone."""
        self.path(key).unlink(missing_ok=True)


class Lock:
    """One named lock: ``async with lock.hold("why"):``."""

    def __init__(self, table: Locks, rank: Rank, kind: str, name: str = "") -> None:
        from banger_tui.engine.paths import directory_name

        self._table = table
        self.rank = rank
        self.key = f"{kind}.{directory_name(name)}" if name else kind

    @asynccontextmanager
    async def hold(
        self, purpose: str = "", timeout: float | None = None, *, make: bool = True
    ) -> AsyncIterator[None]:
        """Hold the lock inside the block.

        Args:
            purpose: what for; another process that waits in vain reads it in its error.
            timeout: seconds to wait; None waits for ever (cancellation is always honoured).
            make: make the lock's file where there is none; otherwise it was discarded and what it
                guarded is gone.

        Raises:
            Busy: the timeout passed.
            NotFound: there is no such file and ``make`` is false.
            LockOrderError: taken against the order.
        """
        _check_order(self.rank, self.key)
        local = self._table.local(self.key)
        descriptor = -1
        try:
            async with asyncio.timeout(timeout):
                await local.acquire()
                try:
                    descriptor = await self._lock_file(os.O_CREAT if make else 0)
                except BaseException:  # a cancel, too, gives back the half that is held
                    local.release()
                    raise
        except TimeoutError:
            raise Busy(
                f"Something else is at work here ({self.key})",
                _holder(self._table.path(self.key)) or f"It was not free within {timeout:.0f} s.",
                "Wait for it, or see what runs: banger-tui operation list",
            ) from None
        token = _held.set((*_held.get(), _Held(self.rank, self.key)))
        try:
            with contextlib.suppress(OSError):
                os.truncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()} {purpose}"[:400].encode(), 0)
            yield
        finally:
            _held.reset(token)
            os.close(descriptor)
            local.release()

    async def _lock_file(self, make: int) -> int:
        path = self._table.path(self.key)
        pause = 0.002
        while True:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | make, 0o600)
            except FileNotFoundError as error:
                if make:
                    raise
                raise NotFound(f"{self.key} is gone") from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The file may have been discarded between open and flock: then the lock is on
                # an inode nobody else will find.
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                        return descriptor
            except BlockingIOError:
                os.close(descriptor)
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 0.1)
                continue
            except BaseException:  # a cancel, too, closes the file
                os.close(descriptor)
                raise
            os.close(descriptor)


def _holder(path: Path) -> str:
    try:
        pid, _, purpose = path.read_text(errors="replace").partition(" ")
    except OSError:
        return ""
    return f"Process {pid} holds it to {purpose}." if purpose else ""
