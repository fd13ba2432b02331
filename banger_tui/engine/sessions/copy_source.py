"""What a copy takes from this host: a file, or a directory with all that is in it. Blocking."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from banger_tui.engine.errors import BangerError, Conflict, NotFound
from banger_tui.engine.sessions.copy_tar import Entry, Kind, Parts

_CHUNK: Final = 256 << 10


def walk(source: Path) -> Iterator[Entry | bytes]:
    """What is at ``source`` (a link there is followed) and below it: entries, the bytes of each
    file after it. Sockets, devices and pipes come as ``OTHER``.

    Raises:
        BangerError: something can't be read, or changes meanwhile.
    """
    try:
        yield from _walk(os.fsencode(source), (), follow=True)
    except OSError as error:
        raise unreadable(error) from error


def _walk(path: bytes, parts: Parts, *, follow: bool = False) -> Iterator[Entry | bytes]:
    status = os.stat(path, follow_symlinks=follow)
    entry = _entry(path, parts, status)
    if entry.kind is Kind.FILE:
        yield from _file(path, parts, follow=follow)
        return
    yield entry
    if entry.kind is Kind.DIRECTORY:
        for name in sorted(os.listdir(path)):
            yield from _walk(os.path.join(path, name), (*parts, name))


def _entry(path: bytes, parts: Parts, status: os.stat_result) -> Entry:
    mode, mtime = stat.S_IMODE(status.st_mode) & 0o777, int(status.st_mtime)
    if stat.S_ISDIR(status.st_mode):
        return Entry(parts, Kind.DIRECTORY, mode, mtime)
    if stat.S_ISLNK(status.st_mode):
        return Entry(parts, Kind.SYMLINK, mode, mtime, target=os.readlink(path))
    if stat.S_ISREG(status.st_mode):
        return Entry(parts, Kind.FILE, mode, mtime, status.st_size)
    return Entry(parts, Kind.OTHER)


def _file(path: bytes, parts: Parts, *, follow: bool) -> Iterator[Entry | bytes]:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    with open(os.open(path, flags), "rb", buffering=0) as file:
        entry = _entry(path, parts, os.fstat(file.fileno()))
        if entry.kind is not Kind.FILE:
            raise _changed(path)
        yield entry
        left = entry.size
        while left:
            data = file.read(min(_CHUNK, left))
            if not data:
                raise _changed(path)
            left -= len(data)
            yield data


def measure(source: Path) -> int:
    """Bytes of all files that ``walk`` will send, as they are now."""
    total = 0
    with contextlib.suppress(OSError):
        status = source.stat()
        if not stat.S_ISDIR(status.st_mode):
            return status.st_size
        for directory, _, names in os.walk(source):
            for name in names:
                with contextlib.suppress(OSError):
                    found = os.lstat(os.path.join(directory, name))
                    total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def unreadable(error: OSError) -> BangerError:
    """An error of this host's files, for people."""
    name = os.fsdecode(error.filename) if error.filename else "a file"
    if isinstance(error, FileNotFoundError):
        return NotFound(f"There is no {name}", error.strerror or "", "")
    return BangerError(f"Can't read {name}", error.strerror or str(error), "")


def _changed(path: bytes) -> Conflict:
    return Conflict(
        f"{os.fsdecode(path)} changed while it was read", "It is shorter than it was.", "Try again."
    )
