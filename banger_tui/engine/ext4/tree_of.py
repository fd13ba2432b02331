"""A whole ext4 filesystem in a file as a tree, whose contents are extents of that file.

So what a machine wrote, or a person brings, goes through the same works as what comes in layers.
The file is hostile: each block is believed once, and whatever leads in a circle, out of the file or
past the limits is refused.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from banger_tui.engine.errors import BadContent
from banger_tui.engine.ext4.inode import (
    EXTENTS,
    INLINE,
    Inode,
    damaged,
    decode,
    inner_attributes,
    outer_attributes,
)
from banger_tui.engine.ext4.reader import ROOT, Reader
from banger_tui.engine.layers.lookup import check_length
from banger_tui.engine.layers.meter import Meter, never
from banger_tui.engine.layers.refusal import Unsound, exceeded
from banger_tui.engine.layers.tree import Content, Extent, Kind, Node, literal
from banger_tui.engine.layers.xattrs import kept
from banger_tui.engine.limits import Limits

_KINDS: Final = {
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFREG: Kind.FILE,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFIFO: Kind.FIFO,
}
# s_feature_incompat: filetype, extents, 64bit, mmp, flex_bg, csum_seed, largedir, inline_data,
# casefold. What is missing there changes where things are.
_KNOWN: Final = 0x2 | 0x40 | 0x80 | 0x100 | 0x200 | 0x2000 | 0x4000 | 0x8000 | 0x20000
_UNCLEAN: Final = 0x4
_EXTENT_MAGIC: Final = 0xF30A
_UNWRITTEN: Final = 32768
_DEEPEST: Final = 5
_FAST_LINK: Final = 60
_EXTENT_MEMORY: Final = 80  # bytes of one in memory
_DATA: Final = b"system.data"
_LOST: Final = b"lost+found"

Piece = tuple[int, int, int]
"""(first block of the file, first block on disk, how many)"""


def is_ext4(image: Path) -> bool:
    """Whether a file begins as ext2, 3 and 4 do. Blocking.

    Raises:
        OSError
    """
    with image.open("rb") as file:
        file.seek(1024 + 0x38)
        return file.read(2) == b"\x53\xef"


def tree_of(image: Path, limits: Limits, *, stop: Callable[[], bool] = never) -> Node:
    """Everything in the filesystem but sockets, which mean nothing without their process, and an
    empty lost+found. Blocking.

    Args:
        image: must stay as it is until the tree has been written.
        stop: asked now and then, by this thread; True ends the work.

    Raises:
        BadContent: not ext4, damaged, or not unmounted cleanly; LimitExceeded.
        OperationCancelled: ``stop`` says so.
    """
    try:
        with image.open("rb") as file:
            return _Filesystem(file, image, Meter(limits, stop)).root()
    except OSError as error:
        raise damaged(error.strerror or "the disk does not give it back") from error


class _Filesystem(Reader):
    """A filesystem of anybody's making."""

    def __init__(self, file: BinaryIO, path: Path, meter: Meter) -> None:
        super().__init__(file)
        self._path = path
        self._meter = meter
        self._seen: set[int] = set()
        self._claimed = 0
        self._length = file.seek(0, 2)
        superblock = self._read(1024, 1024)
        self._inodes, low = struct.unpack_from("<II", superblock)
        features: int = struct.unpack_from("<I", superblock, 0x60)[0]
        high: int = struct.unpack_from("<I", superblock, 0x150)[0] if features & 0x80 else 0
        self._blocks = low | high << 32
        if features & _UNCLEAN:
            raise BadContent(
                "The filesystem was not unmounted cleanly",
                "What was written last is in its journal.",
                f"Have it repaired: e2fsck -fp {path}",
            )
        if unknown := features & ~_KNOWN:
            raise damaged(f"it has features that are not understood (0x{unknown:x})")
        if not 0 < self._blocks * self.block <= self._length:
            raise damaged("it is cut short")

    # -- the tree

    def root(self) -> Node:
        """The whole tree."""
        top = self._decoded(ROOT)
        root = self._node(top)
        nodes: dict[int, Node | None] = {ROOT: root}
        waiting = [(root, ROOT, 0)]
        if not root.is_directory:
            raise damaged("its root is no directory")
        while waiting:
            directory, number, length = waiting.pop()
            for name, child, _ in self.entries(number):
                self._meter.entry()
                self._meter.memory(len(name))
                check_length(length + len(name), self._meter)
                if not name or b"/" in name or b"\0" in name or name in directory.children:
                    raise damaged(f"a directory has an entry {name!r}, which can't be")
                if child not in nodes:
                    inode = self._decoded(child)
                    is_socket = inode.type == stat.S_IFSOCK
                    nodes[child] = None if is_socket else self._node(inode)
                    if (node := nodes[child]) is not None and node.is_directory:
                        waiting.append((node, child, length + len(name) + 1))
                elif (node := nodes[child]) is not None and node.is_directory:
                    raise damaged("a directory has two names")
                if (node := nodes[child]) is not None:
                    directory.children[name] = node
        lost = root.children.get(_LOST)
        if lost is not None and lost.is_directory and not lost.children:
            del root.children[_LOST]
        return root

    def _decoded(self, number: int) -> Inode:
        inode = decode(self.inode(number))
        if not inode.links:
            raise damaged(f"a name leads to the deleted inode {number}")
        return inode

    def _node(self, inode: Inode) -> Node:
        kind = _KINDS.get(inode.type)
        if kind is None:
            raise damaged(f"a file has the unknown type 0{inode.type:o}")
        inner = inner_attributes(inode.attributes)
        rest = inner.pop(_DATA, b"")
        node = Node(
            kind, inode.mode, inode.uid, inode.gid, inode.mtime_ns,
            xattrs=self._attributes(inode, inner, kind),
        )  # fmt: skip
        match kind:
            case Kind.FILE:
                node.content = self._content(inode, rest)
            case Kind.SYMLINK:
                node.target = self._target(inode, rest)
            case Kind.CHARACTER | Kind.BLOCK:
                node.device = inode.device
        return node

    def _attributes(
        self, inode: Inode, inner: dict[bytes, bytes], kind: Kind
    ) -> dict[bytes, bytes]:
        found = inner
        if inode.attributes_block:
            block = self._block(inode.attributes_block)
            found = {**outer_attributes(block), **inner}
        size = sum(map(len, found)) + sum(map(len, found.values()))
        self._meter.memory(size)
        most = self._meter.limits.max_xattr_bytes
        if size > most:
            raise exceeded("max_xattr_bytes", most, "A file's extended attributes are larger")
        try:
            return kept(found, kind)
        except Unsound as error:
            raise damaged(str(error)) from error

    # -- content

    def _content(self, inode: Inode, rest: bytes) -> Content:
        self._meter.content(inode.size)
        if inode.flags & INLINE:
            data = (inode.map + rest)[: inode.size]
            if len(data) != inode.size:
                raise damaged("a file within its inode is cut short")
            self._meter.memory(len(data))
            return literal(data)
        extents: list[Extent] = []
        for first, start, count in self._pieces(inode):
            position, offset = first * self.block, start * self.block
            length = min(count * self.block, inode.size - position)
            if length <= 0:  # kept for what the file may grow to
                break
            last = extents[-1] if extents else Extent(0, -1, 0)
            if (last.position + last.length, last.offset + last.length) == (position, offset):
                extents[-1] = Extent(last.position, last.offset, last.length + length)
            else:
                self._meter.memory(_EXTENT_MEMORY)
                extents.append(Extent(position, offset, length))
        return Content(inode.size, self._path, tuple(extents))

    def _target(self, inode: Inode, rest: bytes) -> bytes:
        check_length(inode.size, self._meter)
        if inode.flags & INLINE or inode.size < _FAST_LINK:
            target = (inode.map + rest)[: inode.size]
        else:
            content = self._content(inode, rest)
            target = b"".join(self._read(e.offset, e.length) for e in content.extents)
        if not target or len(target) != inode.size or b"\0" in target:
            raise damaged("a symbolic link is damaged")
        self._meter.memory(len(target))
        return target

    # -- what the reader of our own filesystems leaves out

    def inode(self, number: int) -> bytes:
        if not 1 <= number <= self._inodes:
            raise damaged(f"there is no inode {number}")
        return super().inode(number)

    def blocks(self, inode: bytes) -> Iterator[Piece]:
        return self._pieces(decode(inode))

    def entries(self, directory: int) -> Iterator[tuple[bytes, int, bool]]:
        inode = decode(self.inode(directory))
        if not inode.flags & INLINE:
            yield from super().entries(directory)
            return
        # The first four bytes are the parent's number; what does not fit is an attribute.
        yield from self._in_block(inode.map[4:])
        yield from self._in_block(inner_attributes(inode.attributes).get(_DATA, b""))

    def _read(self, offset: int, length: int) -> bytes:
        if not 0 <= offset <= self._length - length:
            raise damaged("something in it lies outside of it")
        return super()._read(offset, length)

    def _block(self, number: int) -> bytes:
        if not 0 < number < self._blocks:
            raise damaged("a block lies outside of it")
        return self._read(number * self.block, self.block)

    def _map_block(self, number: int) -> bytes:
        """A block that says where others are: believed once, so that none leads to itself."""
        if number in self._seen:
            raise damaged("a map of blocks leads in a circle")
        self._seen.add(number)
        self._meter.go_on()
        return self._block(number)

    def _pieces(self, inode: Inode) -> Iterator[Piece]:
        """Where an inode's content is: in order, apart, within the filesystem, and of no more
        blocks than there are."""
        pieces = self._leaves(inode.map, None) if inode.flags & EXTENTS else self._listed(inode.map)
        end = 0
        for first, start, count in pieces:
            self._claimed += count
            if first < end or not 0 < start <= self._blocks - count:
                raise damaged("a map of blocks is damaged")
            if self._claimed > self._blocks:
                raise damaged("blocks belong to more than one file")
            end = first + count
            yield first, start, count

    def _leaves(self, node: bytes, wanted: int | None) -> Iterator[Piece]:
        """Of a tree of extents; ``wanted``: how far above its leaves the node must be."""
        magic, count, _, depth = struct.unpack_from("<HHHH", node)
        if magic != _EXTENT_MAGIC or 12 + count * 12 > len(node):
            raise damaged("a map of extents is damaged")
        if depth > _DEEPEST or (wanted is not None and depth != wanted):
            raise damaged("a map of extents is damaged")
        for at in range(12, 12 + count * 12, 12):
            if depth:
                _, low, high = struct.unpack_from("<IIH", node, at)
                yield from self._leaves(self._map_block(low | high << 32), depth - 1)
            else:
                first, length, high, low = struct.unpack_from("<IHHI", node, at)
                if length <= _UNWRITTEN:  # what is longer was never written, and reads as zeros
                    yield first, low | high << 32, length

    def _listed(self, pointers: bytes) -> Iterator[Piece]:
        """Of a map as ext2 and ext3 have it: 12 blocks, then blocks of such, twice and thrice."""
        yield from self._pointed(pointers[:48], 0, 0)
        position = 12
        for level, (pointer,) in enumerate(struct.iter_unpack("<I", pointers[48:60]), 1):
            if pointer:
                yield from self._pointed(self._map_block(pointer), position, level - 1)
            position += (self.block // 4) ** level

    def _pointed(self, pointers: bytes, position: int, level: int) -> Iterator[Piece]:
        for (pointer,) in struct.iter_unpack("<I", pointers):
            if pointer and level:
                yield from self._pointed(self._map_block(pointer), position, level - 1)
            elif pointer:
                yield position, pointer, 1
            position += (self.block // 4) ** level
