"""A root filesystem in memory: names and what they stand for. Bytes of files stay on disk.

Names are bytes, as Linux has them. Hard links are several names with the very same ``Node``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Kind(Enum):
    DIRECTORY = "directory"
    FILE = "file"
    SYMLINK = "symlink"
    CHARACTER = "character device"
    BLOCK = "block device"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Extent:
    """``length`` bytes at ``position`` of a file are the bytes at ``offset`` of its source."""

    position: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes: ``size`` in all, holes where no extent is.

    ``source`` is an uncompressed file on disk (a layer's inflated tar), or the bytes themselves.
    """

    size: int = 0
    source: Path | bytes = b""
    extents: tuple[Extent, ...] = ()


def literal(data: bytes) -> Content:
    """Content that is in memory."""
    return Content(len(data), data, (Extent(0, 0, len(data)),) if data else ())


@dataclass(slots=True, eq=False)
class Node:
    """An inode. ``mode``: permission bits with setuid, setgid, sticky (0o7777); ``mtime_ns`` may be
    negative; ``device``: (major, minor); ``children``: a directory's, by name."""

    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    content: Content = Content()
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    children: dict[bytes, Node] = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        return self.kind is Kind.DIRECTORY


def new_root() -> Node:
    return Node(Kind.DIRECTORY, 0o755)


def walk(root: Node) -> Iterator[tuple[bytes, Node]]:
    """Every name below the root with its node, parents first, siblings by name; the root is not
    among them. Paths have no leading slash."""
    levels = [(b"", iter(sorted(root.children.items())))]
    while levels:
        prefix, siblings = levels[-1]
        for name, node in siblings:
            path = prefix + name
            yield path, node
            if node.children:
                levels.append((path + b"/", iter(sorted(node.children.items()))))
                break
        else:
            levels.pop()


@dataclass(frozen=True, slots=True)
class Totals:
    """``names``: all paths below the root; ``inodes``: what they stand for, and the root itself;
    ``content_bytes``: of files as large as they say, each once; ``data_bytes``: without holes."""

    names: int
    inodes: int
    content_bytes: int
    data_bytes: int


def totals(root: Node) -> Totals:
    """What a tree comes to."""
    names = content = data = 0
    inodes = {root}
    directories = [root]
    for directory in directories:
        names += len(directory.children)
        for node in directory.children.values():
            if node in inodes:
                continue
            inodes.add(node)
            if node.kind is Kind.DIRECTORY:
                directories.append(node)
            elif node.content.size:
                content += node.content.size
                data += sum(extent.length for extent in node.content.extents)
    return Totals(names, len(inodes), content, data)
