"""Where a copy arrives on this host. Blocking, all of it.

What is written goes into a directory beside its place that nobody else knows of, and is renamed
when it is whole. Names may be a guest's: every step goes by the descriptor of a directory we made,
and follows no link.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from banger_tui.engine.errors import BangerError, Conflict, NotEnoughDisk, NotFound
from banger_tui.engine.model import MIB
from banger_tui.engine.sessions import copy_staging
from banger_tui.engine.sessions.copy_tar import Entry, Kind, Parts, unsafe

_RESERVE: Final = 256 * MIB
"""Of the disk, what a guest that never ends does not get."""
_CHECK_EVERY: Final = 32 * MIB
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalSink:
    """Takes entries and their bytes; ``publish`` puts the whole in place, ``discard`` undoes it."""

    def __init__(self, place: str, name: bytes) -> None:
        """
        Args:
            place: where to: a directory to put it into, or its new name.
            name: what it is called in the directory; b"": its contents go there, not it.
        """
        self._place = place
        self._name = name
        self._final = self._beside = Path(place)
        self._root: int | None = None
        self._here: tuple[Parts, int] | None = None
        self._file: int | None = None
        self._entry: Entry | None = None
        self._unchecked = _CHECK_EVERY
        self._made: list[tuple[Entry, tuple[int, int]]] = []

    def prepare(self) -> None:
        """Find the place and make the directory beside it. Raises: NotFound, BangerError"""
        target = Path(self._place)
        inside = target.is_dir()
        if not inside and self._place.endswith("/"):
            raise NotFound(f"There is no directory {target}", "", f"Make it first: mkdir {target}")
        self._final = target / os.fsdecode(self._name) if inside and self._name else target
        # The contents of a directory go into one that is there: beside its place may be no room.
        parent = self._final if inside and not self._name else self._final.parent
        try:
            self._beside, self._root = copy_staging.make(parent)
        except FileNotFoundError as error:
            raise NotFound(
                f"There is no directory {parent}", "", f"Make it first: mkdir -p {parent}"
            ) from error
        except OSError as error:
            raise _unwritable(error) from error

    def put(self, entry: Entry) -> None:
        """The next entry; ``data`` follows for a file. Raises: BadContent, BangerError"""
        self._end_file()
        try:
            self._put(entry)
        except FileExistsError as error:
            raise unsafe(f"It sends one name twice: {entry.parts[-1:]!r}") from error
        except (NotADirectoryError, FileNotFoundError) as error:
            raise unsafe(f"A directory is none: {entry.parts!r}"[:200]) from error
        except OSError as error:
            raise _unwritable(error) from error

    def _put(self, entry: Entry) -> None:
        # What is copied itself is called "data" in the directory beside its place.
        parent, name = self._parent(entry.parts), (entry.parts or (b"data",))[-1]
        match entry.kind:
            case Kind.DIRECTORY:
                os.mkdir(name, 0o700, dir_fd=parent)
                made = os.stat(name, dir_fd=parent, follow_symlinks=False)
                self._made.append((entry, (made.st_dev, made.st_ino)))
            case Kind.FILE:
                self._file = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
                self._entry = entry
            case Kind.SYMLINK:
                os.symlink(entry.target, name, dir_fd=parent)
            case Kind.LINK:
                self._link(entry, parent, name)
            case Kind.OTHER:
                raise AssertionError("left out before")

    def _link(self, entry: Entry, parent: int, name: bytes) -> None:
        there = self._open_directory(entry.linked[:-1])
        try:
            found = os.stat(entry.linked[-1], dir_fd=there, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise unsafe(f"A hard link leads to no file: {name!r}")
            os.link(
                entry.linked[-1], name, src_dir_fd=there, dst_dir_fd=parent, follow_symlinks=False
            )
        finally:
            os.close(there)

    def data(self, data: bytes) -> None:
        """Bytes of the last file. Raises: NotEnoughDisk, BangerError"""
        assert self._file is not None
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            self._unchecked -= len(data)
            if self._unchecked < 0:
                self._unchecked = _CHECK_EVERY
                self._check_room()
        except OSError as error:
            raise _unwritable(error) from error

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._beside).free
        if free < _RESERVE:
            raise NotEnoughDisk(
                "The disk is nearly full",
                f"{free // MIB} MiB are left; the copy was stopped and removed.",
                "Free some room, then try again.",
            )

    def publish(self) -> None:
        """Put it in place. Raises: Conflict, BangerError"""
        self._end_file()
        try:
            self._move(self._beside / "data", self._final)
            for entry, identity in reversed(self._made):
                self._dress(entry, identity)
        except OSError as error:
            raise _unwritable(error) from error

    def _move(self, source: Path, target: Path) -> None:
        """Rename; where both are directories, what is in them, name by name."""
        ours = stat.S_ISDIR(source.lstat().st_mode)
        try:
            theirs = target.lstat()
        except FileNotFoundError:
            source.rename(target)
            return
        # The person may name a link to a directory as the place; below it none is followed.
        into = target.is_dir() if target == self._final else stat.S_ISDIR(theirs.st_mode)
        if ours != into:
            kind = "a directory" if into else "no directory"
            raise Conflict(f"{target} is {kind}", "What is copied is not of that kind.", "")
        if not ours:
            source.replace(target)
            return
        for name in sorted(os.listdir(source)):
            self._move(source / name, target / name)

    def _dress(self, entry: Entry, identity: tuple[int, int]) -> None:
        """Mode and time of a directory that we made, when all is in it."""
        path = self._final.joinpath(*(os.fsdecode(part) for part in entry.parts))
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = path.lstat()
            if (found.st_dev, found.st_ino) == identity:
                descriptor = os.open(path, _DIRECTORY)
                try:
                    os.utime(descriptor, (entry.mtime, entry.mtime))
                    os.fchmod(descriptor, entry.mode)
                finally:
                    os.close(descriptor)

    def discard(self) -> None:
        """Remove what is not in its place, and let go of everything."""
        if self._root is not None:
            shutil.rmtree(self._beside, ignore_errors=True)
        for descriptor in (self._file, self._here[1] if self._here else None, self._root):
            if descriptor is not None:
                os.close(descriptor)
        self._file = self._here = self._root = None

    def _end_file(self) -> None:
        descriptor, entry = self._file, self._entry
        self._file = self._entry = None
        if descriptor is not None and entry is not None:
            try:
                os.fchmod(descriptor, entry.mode)
                os.utime(descriptor, (entry.mtime, entry.mtime))
            finally:
                os.close(descriptor)

    def _parent(self, parts: Parts) -> int:
        """The descriptor of the directory that an entry lies in; the last one is kept open."""
        assert self._root is not None
        if not parts:
            return self._root
        directory = parts[:-1]
        if self._here is None or self._here[0] != directory:
            opened = self._open_directory(directory)
            if self._here is not None:
                os.close(self._here[1])
            self._here = (directory, opened)
        return self._here[1]

    def _open_directory(self, parts: Parts) -> int:
        current = os.open(b"data", _DIRECTORY, dir_fd=self._root)
        for part in parts:
            before = current
            try:
                current = os.open(part, _DIRECTORY, dir_fd=before)
            finally:
                os.close(before)
        return current


def _unwritable(error: OSError) -> BangerError:
    name = os.fsdecode(error.filename) if error.filename else "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughDisk("The disk is full", error.strerror or "", "Free some room.")
    return BangerError(f"Can't write {name}", error.strerror or str(error), "")
