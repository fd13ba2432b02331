"""The newc cpio format, which the kernel unpacks as its first root.

See Documentation/driver-api/early-userspace/buffer-format.rst. Archives may follow each other in
one initrd; later files replace earlier ones.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

_TRAILER = "TRAILER!!!"
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or symlink (``data``: its target). ``mode``: type and permissions."""

    name: str
    mode: int
    data: bytes = b""


def directory(name: str, mode: int = 0o755) -> Entry:
    return Entry(name, stat.S_IFDIR | mode)


def file(name: str, data: bytes, mode: int = 0o644) -> Entry:
    return Entry(name, stat.S_IFREG | mode, data)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def archive(entries: Iterable[Entry]) -> bytes:
    """The entries as one archive, a whole number of 512-byte blocks.

    The same entries give the same bytes: sorted by name (so that a directory stands before what is
    in it), owned by root, time 0.

    Raises:
        ValueError: two entries have one name, or a name is absolute or empty.
    """
    parts: list[bytes] = []
    previous = ""
    for number, entry in enumerate(sorted(entries, key=lambda entry: entry.name), 1):
        if not entry.name or entry.name.startswith("/") or entry.name == previous:
            raise ValueError(f"bad or repeated name in archive: {entry.name!r}")
        previous = entry.name
        parts.append(_record(number, entry))
    parts.append(_record(0, Entry(_TRAILER, 0)))
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % _BLOCK)


def _record(inode: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    header += bytes(-len(header) % 4)
    return header + entry.data + bytes(-len(entry.data) % 4)
