"""Names and inode numbers of an ext4 filesystem, read from its file without mounting it.

Only what our own filesystems have is understood: extents, directories linear or hashed, 64-bit
group descriptors. Layout: https://docs.kernel.org/filesystems/ext4/ (super, group_descr, inodes,
ifork, directory).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from banger_tui.engine.errors import BadContent

ROOT = 2
_MAGIC = 0xEF53
_EXTENT_MAGIC = 0xF30A
_EXTENTS_FLAG = 0x80000
_INCOMPAT_64BIT = 0x80
_DIRECTORY = 2  # a directory entry's file type
_UNWRITTEN = 32768
_DEEPEST = 5


class Reader:
    """An open filesystem. Blocking."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(1024)
        superblock = file.read(1024)
        if len(superblock) < 1024 or struct.unpack_from("<H", superblock, 0x38)[0] != _MAGIC:
            raise _broken("it has no superblock")
        first, self._block_log = struct.unpack_from("<II", superblock, 0x14)
        if self._block_log > 6:
            raise _broken("its blocks are too large")
        self.block = 1024 << self._block_log
        self._inodes_per_group: int = struct.unpack_from("<I", superblock, 0x28)[0]
        self._inode_size: int = struct.unpack_from("<H", superblock, 0x58)[0]
        incompatible: int = struct.unpack_from("<I", superblock, 0x60)[0]
        size: int = struct.unpack_from("<H", superblock, 0xFE)[0]
        self._descriptor = size if incompatible & _INCOMPAT_64BIT else 32
        self._descriptors = (first + 1) * self.block
        if not self._inodes_per_group or self._inode_size < 128 or self._descriptor < 32:
            raise _broken("its superblock makes no sense")

    def inode(self, number: int) -> bytes:
        """The raw inode."""
        group, index = divmod(number - 1, self._inodes_per_group)
        descriptor = self._read(self._descriptors + group * self._descriptor, self._descriptor)
        table: int = struct.unpack_from("<I", descriptor, 8)[0]
        if self._descriptor >= 64:
            table |= struct.unpack_from("<I", descriptor, 0x28)[0] << 32
        return self._read(table * self.block + index * self._inode_size, self._inode_size)

    def blocks(self, inode: bytes) -> Iterator[tuple[int, int, int]]:
        """(first block of the file, first block on disk, how many); holes are left out."""
        if not struct.unpack_from("<I", inode, 0x20)[0] & _EXTENTS_FLAG:
            raise _broken("a file is not laid out in extents")
        yield from self._extents(inode[0x28 : 0x28 + 60], _DEEPEST)

    def entries(self, directory: int) -> Iterator[tuple[bytes, int, bool]]:
        """(name, inode, whether it is a directory) of each entry but . and .."""
        for _, start, count in self.blocks(self.inode(directory)):
            for number in range(count):
                yield from self._in_block(self._read((start + number) * self.block, self.block))

    def walk(self) -> Iterator[tuple[bytes, int]]:
        """(path without a leading slash, inode) of every name below the root."""
        waiting = [(b"", ROOT)]
        seen = {ROOT}
        while waiting:
            prefix, directory = waiting.pop()
            for name, inode, is_directory in self.entries(directory):
                yield prefix + name, inode
                if is_directory and inode not in seen:
                    seen.add(inode)
                    waiting.append((prefix + name + b"/", inode))

    def _in_block(self, block: bytes) -> Iterator[tuple[bytes, int, bool]]:
        position = 0
        while position + 8 <= len(block):
            inode, length, name_length, kind = struct.unpack_from("<IHBB", block, position)
            if length < 8 or position + length > len(block):
                raise _broken("a directory is damaged")
            name = block[position + 8 : position + 8 + name_length]
            if inode and name not in (b".", b".."):
                yield name, inode, kind == _DIRECTORY
            position += length

    def _extents(self, node: bytes, depth_left: int) -> Iterator[tuple[int, int, int]]:
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != _EXTENT_MAGIC or 12 + count * 12 > len(node) or depth_left == 0:
            raise _broken("a map of extents is damaged")
        for number in range(count):
            at = 12 + number * 12
            if depth:
                _, low, high = struct.unpack_from("<IIH", node, at)
                child = self._read((low | high << 32) * self.block, self.block)
                yield from self._extents(child, depth_left - 1)
            else:
                position, length, high, low = struct.unpack_from("<IHHI", node, at)
                if length <= _UNWRITTEN:
                    yield position, low | high << 32, length

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        data = self._file.read(length)
        if len(data) != length:
            raise _broken("it is cut short")
        return data


def inodes(path: Path) -> dict[bytes, int]:
    """The inode of every path. Blocking.

    Raises:
        BadContent: not an ext4 filesystem, or a damaged one.
    """
    with path.open("rb") as file:
        return dict(Reader(file).walk())


def _broken(reason: str) -> BadContent:
    return BadContent("The filesystem can't be read", f"{reason[0].upper()}{reason[1:]}.")
