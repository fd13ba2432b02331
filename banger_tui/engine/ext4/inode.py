"""An ext4 inode decoded from its bytes. Pure.

Layout: https://docs.kernel.org/filesystems/ext4/ (inodes, attributes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from banger_tui.engine.errors import BadContent

INLINE: Final = 0x10000000
EXTENTS: Final = 0x80000
_ENCRYPTED: Final = 0x800

_OLD_INODE: Final = 128
"""Bytes of an inode before the fields that ext4 added."""
_MAGIC: Final = 0xEA020000
_BLOCK_HEADER: Final = 32

_PREFIXES: Final = {
    1: b"user.",
    2: b"system.posix_acl_access",
    3: b"system.posix_acl_default",
    4: b"trusted.",
    6: b"security.",
    7: b"system.",
    8: b"system.richacl",
}
_LISTS: Final = (2, 3)
_NOBODY: Final = 0xFFFFFFFF
_NAMED: Final = (0x02, 0x08)
"""Tags of an access control list's entries that are about one user or one group."""


@dataclass(frozen=True, slots=True)
class Inode:
    """``type`` and ``mode`` as in stat(2); ``map``: the 60 bytes that say where the content is, or
    are it; ``attributes``: what follows the inode's fields; ``attributes_block``: more of them, 0
    for none."""

    type: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime_ns: int
    flags: int
    links: int
    map: bytes
    attributes: bytes
    attributes_block: int

    @property
    def device(self) -> tuple[int, int]:
        """(major, minor), in either of the encodings that Linux has had."""
        old, new = struct.unpack_from("<II", self.map)
        if old:
            return old >> 8 & 0xFF, old & 0xFF
        return new >> 8 & 0xFFF, new & 0xFF | new >> 12 & 0xFFF00


def decode(raw: bytes) -> Inode:
    """An inode from at least 128 bytes.

    Raises:
        BadContent
    """
    mode, uid, size = struct.unpack_from("<HHI", raw)
    seconds: int = struct.unpack_from("<i", raw, 0x10)[0]
    gid, links = struct.unpack_from("<HH", raw, 0x18)
    flags: int = struct.unpack_from("<I", raw, 0x20)[0]
    block, size_high = struct.unpack_from("<II", raw, 0x68)
    block_high, uid_high, gid_high = struct.unpack_from("<HHH", raw, 0x76)
    if flags & _ENCRYPTED:
        raise damaged("it has encrypted files")
    extra: int = struct.unpack_from("<H", raw, _OLD_INODE)[0] if len(raw) > _OLD_INODE else 0
    after = _OLD_INODE + extra
    nanoseconds = 0
    if after >= 0x8C and len(raw) >= 0x8C:
        # Two bits say how often the signed 32 of the seconds went round, the others are below one.
        more: int = struct.unpack_from("<I", raw, 0x88)[0]
        seconds += (more & 3) << 32
        nanoseconds = more >> 2 if more >> 2 < 10**9 else 0
    return Inode(
        type=mode & 0o170000, mode=mode & 0o7777, uid=uid | uid_high << 16,
        gid=gid | gid_high << 16, size=size | size_high << 32,
        mtime_ns=seconds * 10**9 + nanoseconds, flags=flags, links=links, map=raw[0x28:0x64],
        attributes=raw[after:] if extra else b"", attributes_block=block | block_high << 32,
    )  # fmt: skip


def inner_attributes(region: bytes) -> dict[bytes, bytes]:
    """The extended attributes within an inode, ``system.data`` (inline content) among them.

    Raises:
        BadContent
    """
    if len(region) < 8 or struct.unpack_from("<I", region)[0] != _MAGIC:
        return {}
    return dict(_attributes(region, 4, 4))


def outer_attributes(block: bytes) -> dict[bytes, bytes]:
    """The extended attributes in a block of their own.

    Raises:
        BadContent
    """
    if struct.unpack_from("<I", block)[0] != _MAGIC:
        raise damaged("a block of attributes is none")
    return dict(_attributes(block, _BLOCK_HEADER, 0))


def damaged(reason: str) -> BadContent:
    """A filesystem that can't be read, and why."""
    return BadContent("The filesystem can't be read", f"{reason[0].upper()}{reason[1:]}.")


def _attributes(region: bytes, position: int, base: int) -> Iterator[tuple[bytes, bytes]]:
    """(name, value); entries begin at ``position``, their values' offsets count from ``base``."""
    while position + 4 <= len(region) and region[position : position + 4] != bytes(4):
        if position + 16 > len(region):
            raise damaged("an extended attribute is damaged")
        length, index, offset, inode, size = struct.unpack_from("<BBHII", region, position)
        name = region[position + 16 : position + 16 + length]
        value = region[base + offset : base + offset + size] if size else b""
        if len(name) < length or len(value) < size:
            raise damaged("an extended attribute is damaged")
        if inode:
            raise damaged("an extended attribute is kept in a file of its own")
        if index in _LISTS:
            value = _access_list(value)
        if index in _PREFIXES:
            yield _PREFIXES[index] + name, value
        position += 16 + length + 3 & ~3


def _access_list(value: bytes) -> bytes:
    """As system calls have it (linux/posix_acl_xattr.h, version 2); ext4's own version 1 leaves
    away the id of an entry that is about nobody in particular."""
    if value[:4] != b"\x01\0\0\0":
        raise damaged("an access control list is damaged")
    result = [b"\x02\0\0\0"]
    position = 4
    while position + 4 <= len(value):
        tag, rights = struct.unpack_from("<HH", value, position)
        who = _NOBODY
        if tag in _NAMED and position + 8 <= len(value):
            who = struct.unpack_from("<I", value, position + 4)[0]
        result.append(struct.pack("<HHI", tag, rights, who))
        position += 8 if tag in _NAMED else 4
    return b"".join(result)
