"""A new file written once, from beginning to end: hashed on the way, with holes for zeros."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Final

from banger_tui.engine.errors import BangerError, NotEnoughDisk, StorageFailure

_BLOCK: Final = 64 << 10
"""Zeros in whole blocks of this size are not written."""
_ZEROS: Final = bytes(_BLOCK)


class HashedFile:
    """A context manager; the file is gone again if the block raises.

    Args:
        path: must not exist.

    Raises:
        NotEnoughDisk, StorageFailure: from the constructor and every method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sums = hashlib.sha256()
        self.size = 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _for_people(error, path) from error

    def __enter__(self) -> HashedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        if error is not None:
            self._path.unlink(missing_ok=True)

    @property
    def digest(self) -> str:
        return f"sha256:{self._sums.hexdigest()}"

    def write(self, data: bytes) -> None:
        self._sums.update(data)
        begin = 0
        try:
            for at in range(0, len(data) - _BLOCK + 1, _BLOCK):
                if data.startswith(_ZEROS, at):
                    self._write(data, begin, at)
                    begin = at + _BLOCK
            self._write(data, begin, len(data))
        except OSError as error:
            raise _for_people(error, self._path) from error
        self.size += len(data)

    def _write(self, data: bytes, begin: int, end: int) -> None:
        view = memoryview(data)
        while begin < end:
            begin += os.pwrite(self._file, view[begin:end], self.size + begin)

    def finish(self) -> None:
        """After the last write: holes at the end count, too."""
        try:
            os.ftruncate(self._file, self.size)
        except OSError as error:
            raise _for_people(error, self._path) from error


def _for_people(error: OSError, path: Path) -> BangerError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughDisk(
            "There is no room to unpack a layer",
            f"The disk of {path.parent} is full.",
            "Free some room there (banger-tui image prune), then try again.",
        )
    return StorageFailure(
        "A layer can't be unpacked to disk", f"{path}: {error.strerror or error}."
    )
