"""Which blobs are in use, so that no process removes what another one's pull stands on.

A lease is a file with digests that its owner holds a lock on (flock(2)): the kernel drops it with
the process, however that ends. All are written and read under one gate.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from banger_tui.engine.locks import Lock, Locks
from banger_tui.engine.oci.part import disk_failure

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Lease:
    """Digests that are in use. More may be added."""

    def __init__(self, gate: Lock, descriptor: int, digests: Iterable[str]) -> None:
        self._gate = gate
        self._descriptor = descriptor
        self._digests = set(digests)
        self._write()

    async def add(self, *digests: str) -> None:
        async with self._gate.hold("lease"):
            self._digests.update(digests)
            self._write()

    def _write(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, "\n".join(sorted(self._digests)).encode(), 0)


class Leases:
    """All leases of one cache."""

    def __init__(self, directory: Path, locks: Locks) -> None:
        self._directory = directory
        self.gate = locks.leaf("leases")

    @asynccontextmanager
    async def hold(self, digests: Iterable[str]) -> AsyncIterator[Lease]:
        """These digests are in use inside the block."""
        path = self._directory / secrets.token_hex(8)
        with contextlib.ExitStack() as cleanup:
            async with self.gate.hold("lease"):
                try:
                    descriptor = os.open(path, _NEW_FILE, 0o600)
                    cleanup.callback(os.close, descriptor)
                    cleanup.callback(path.unlink, missing_ok=True)
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    lease = Lease(self.gate, descriptor, digests)
                except OSError as error:
                    raise disk_failure(error, path) from error
            yield lease

    def leased(self) -> set[str]:
        """The digests in use anywhere; leases of dead processes are removed. Blocking; to be called
        with the gate held."""
        found: set[str] = set()
        for path in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if self._is_dead(path):
                    path.unlink()
                else:
                    found.update(path.read_text().split())
        return found

    @staticmethod
    def _is_dead(path: Path) -> bool:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True
