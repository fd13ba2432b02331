"""How large a filesystem has to be for a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from banger_tui.engine.errors import InvalidSize
from banger_tui.engine.layers.pieces import segments
from banger_tui.engine.layers.tree import Content, Kind, Node, walk
from banger_tui.engine.model import GIB, MIB

BLOCK: Final = 4096
_INODE: Final = 256
_BYTES_PER_INODE: Final = 16384  # mke2fs.conf(5), its default
_SMALLEST: Final = GIB
_SPARE_INODES: Final = 1024
_JOURNAL: Final = 64 * MIB
_IN_INODE: Final = 60
"""Bytes of a symbolic link that need no block."""
_NAMES: Final = BLOCK - 12 - 264
"""Bytes of names that any block of a directory holds: less its checksum, and a longest name that
no longer fitted."""
_MAPPED: Final = 340
"""Extents in a block of a map."""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of the file, how many inodes the filesystem has, and bytes of content for it."""

    bytes: int
    inodes: int
    data_bytes: int


@dataclass(frozen=True, slots=True)
class Need:
    """What a tree takes: ``data_bytes`` of files without their holes, blocks of all kinds."""

    inodes: int
    data_bytes: int
    blocks: int


def need(root: Node) -> Need:
    """Blocking."""
    seen = {root}
    data, blocks = 0, _blocks(root)
    for _, node in walk(root):
        if node not in seen:
            seen.add(node)
            data += sum(extent.length for extent in node.content.extents)
            blocks += _blocks(node)
    return Need(len(seen), data, blocks)


def size_for(root: Node, wanted: int | None) -> Size:
    """Room for a tree. Blocking.

    Args:
        wanted: bytes; None: the content and a third of it, at least 1 GiB.

    Raises:
        InvalidSize: the tree does not fit into ``wanted``.
    """
    needed = need(root)
    data = needed.blocks * BLOCK
    inodes = needed.inodes * 2 + _SPARE_INODES
    least = data + inodes * _INODE + data // 50 + (_JOURNAL if data > 8 * _JOURNAL else 8 * MIB)
    if wanted is not None and wanted < least:
        raise InvalidSize(
            f"{wanted // MIB} MiB are too small for this image",
            f"Its {needed.inodes:,} files have {needed.data_bytes // MIB} MiB.",
            f"Ask for at least --size {-(-least // MIB)}M, or leave the size out.",
        )
    chosen = wanted or max(_SMALLEST, least, data * 13 // 10)
    chosen = -(-chosen // BLOCK) * BLOCK
    return Size(chosen, max(inodes, chosen // _BYTES_PER_INODE), needed.data_bytes)


def _blocks(node: Node) -> int:
    blocks = 1 if node.xattrs else 0
    match node.kind:
        case Kind.DIRECTORY:
            names = sum(8 + (len(name) + 3 & ~3) for name in node.children)
            blocks += 1 + names // _NAMES
        case Kind.FILE:
            blocks += _content_blocks(node.content)
        case Kind.SYMLINK if len(node.target) >= _IN_INODE:
            blocks += 1
    return blocks


def _content_blocks(content: Content) -> int:
    pieces = segments(content) if content.size else []
    data = sum(-(-piece.end // BLOCK) - piece.position // BLOCK for piece in pieces)
    return data + (2 + len(pieces) // _MAPPED if len(pieces) > 4 else 0)
