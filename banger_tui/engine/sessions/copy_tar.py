"""What is copied, entry by entry, and how it travels: as tar, of which little is believed."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from banger_tui.engine.errors import BadContent

BLOCK: Final = tarfile.BLOCKSIZE
PATH_MAX: Final = 4096
NAME_MAX: Final = 255
_ENCODING: Final = ("utf-8", "surrogateescape")
_PERMISSIONS: Final = 0o777
_EARLIEST, _LATEST = -(1 << 31), (1 << 34) - 1
_AFTER_THE_END: Final = 1 << 20
"""Bytes of padding after an archive that are passed over."""

Parts = tuple[bytes, ...]
"""A path below what is copied, name by name; () is that itself."""


class Kind(StrEnum):
    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, a directory or a link. ``mode``: permissions alone; ``mtime``: seconds since the
    epoch; ``size``: bytes of a file, which follow; ``target``: a symbolic link's; ``linked``: what
    a hard link is another name of."""

    parts: Parts
    kind: Kind
    mode: int = 0o644
    mtime: int = 0
    size: int = 0
    target: bytes = b""
    linked: Parts = ()


def unsafe(why: str) -> BadContent:
    """What a guest sent is no archive, or one that must not be unpacked."""
    return BadContent(
        "What the guest sends can't be unpacked",
        why,
        "Nothing was left behind. Look at that file in the guest, or copy without it.",
    )


def parts_of(name: bytes) -> Parts:
    """A name from an archive as a path that can't leave the place it is unpacked in.

    Raises:
        BadContent
    """
    if name.startswith(b"/"):
        raise unsafe(f"The name is absolute: {name[:80]!r}")
    parts = tuple(part for part in name.split(b"/") if part and part != b".")
    if b".." in parts:
        raise unsafe(f"The name leads upwards: {name[:80]!r}")
    if len(name) > PATH_MAX or any(len(part) > NAME_MAX for part in parts):
        raise unsafe(f"The name is too long: {name[:80]!r}")
    if b"\0" in name:
        raise unsafe("A name has a NUL in it")
    return parts


class TarReader:
    """Entries and their bytes out of a stream of tar as busybox writes it, piece by piece."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._data = 0  # bytes of a file still to come
        self._padding = 0
        self._long: dict[bytes, bytes] = {}
        self._after = 0
        self.ended = False

    def feed(self, data: bytes) -> Iterator[Entry | bytes]:
        """What is complete now: each entry, then the bytes of a file as they come.

        Raises:
            BadContent
        """
        if self.ended:
            self._trailing(data)
            return
        self._buffer += data
        while self._buffer:
            if self._data:
                piece = bytes(self._buffer[: self._data])
                del self._buffer[: len(piece)]
                self._data -= len(piece)
                yield piece
            elif self._padding:
                gone = min(self._padding, len(self._buffer))
                del self._buffer[:gone]
                self._padding -= gone
            else:
                if len(self._buffer) < BLOCK:
                    return
                block = bytes(self._buffer[:BLOCK])
                if not block.strip(b"\0"):
                    self.ended = True
                    self._trailing(bytes(self._buffer))
                    return
                entry = self._next(block)
                if entry is None:
                    return
                if isinstance(entry, Entry):
                    yield entry

    def finish(self) -> None:
        """The stream is over. Raises: BadContent, when the archive isn't."""
        if not self.ended:
            raise unsafe("It breaks off in the middle.")

    def _trailing(self, data: bytes) -> None:
        self._after += len(data)
        if data.strip(b"\0") or self._after > _AFTER_THE_END:
            raise unsafe("Something follows its end.")

    def _next(self, block: bytes) -> Entry | bool | None:
        """The entry that a header begins; True: it only said something of the next one; None: more
        has to come first."""
        try:
            info = tarfile.TarInfo.frombuf(block, *_ENCODING)
        except (tarfile.HeaderError, ValueError) as error:
            raise unsafe(f"A header is damaged: {error}") from None
        if info.size < 0:
            raise unsafe("A file has less than no bytes.")
        if info.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK):
            return self._long_name(info)
        del self._buffer[:BLOCK]
        return self._entry(info)

    def _long_name(self, info: tarfile.TarInfo) -> bool | None:
        if info.size > PATH_MAX + 1 or info.type in self._long:
            raise unsafe("A name is too long.")
        whole = BLOCK + _padded(info.size)
        if len(self._buffer) < whole:
            return None
        name = bytes(self._buffer[BLOCK : BLOCK + info.size])
        self._long[info.type] = name.partition(b"\0")[0]
        del self._buffer[:whole]
        return True

    def _entry(self, info: tarfile.TarInfo) -> Entry:
        name = self._long.pop(tarfile.GNUTYPE_LONGNAME, None) or info.name.encode(*_ENCODING)
        target = self._long.pop(tarfile.GNUTYPE_LONGLINK, None) or info.linkname.encode(*_ENCODING)
        mode = info.mode & _PERMISSIONS
        mtime = min(max(int(info.mtime), _EARLIEST), _LATEST)
        parts = parts_of(name)
        if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            self._data, self._padding = info.size, _padded(info.size) - info.size
            return Entry(parts, Kind.FILE, mode, mtime, info.size)
        if info.type == tarfile.DIRTYPE:
            return Entry(parts, Kind.DIRECTORY, mode, mtime)
        if info.type == tarfile.SYMTYPE:
            if not target or len(target) >= PATH_MAX:
                raise unsafe(f"A link has no target, or too long a one: {name[:80]!r}")
            return Entry(parts, Kind.SYMLINK, mode, mtime, target=target)
        if info.type == tarfile.LNKTYPE:
            return Entry(parts, Kind.LINK, mode, mtime, linked=parts_of(target))
        if info.type in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            return Entry(parts, Kind.OTHER)
        raise unsafe(f"An entry is of an unknown type: {info.type!r}")


def header(entry: Entry, root: bytes) -> bytes:
    """The blocks that begin an entry in an archive, where ``root`` is what is copied."""
    info = tarfile.TarInfo(_text(b"/".join((root, *entry.parts))))
    info.mode, info.mtime = entry.mode, entry.mtime
    match entry.kind:
        case Kind.FILE:
            info.type, info.size = tarfile.REGTYPE, entry.size
        case Kind.DIRECTORY:
            info.type = tarfile.DIRTYPE
        case Kind.SYMLINK:
            info.type, info.linkname = tarfile.SYMTYPE, _text(entry.target)
        case _:
            info.type, info.linkname = tarfile.LNKTYPE, _text(b"/".join((root, *entry.linked)))
    return info.tobuf(tarfile.GNU_FORMAT, *_ENCODING)


def padding(size: int) -> bytes:
    """What follows the bytes of a file of this size."""
    return bytes(_padded(size) - size)


END: Final = bytes(2 * BLOCK)


def _padded(size: int) -> int:
    return size + -size % BLOCK


def _text(name: bytes) -> str:
    return name.decode(*_ENCODING)
