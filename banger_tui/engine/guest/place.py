"""Things put into a tree, whatever stands in their way.

Paths are looked up as the image's own programs would: links are followed, and stay inside the root.
What is in the way of a thing that the guest can't do without is replaced: a file where a directory
must be, links that lead nowhere or in a circle.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable

from banger_tui.engine.kernels.cpio import Entry
from banger_tui.engine.layers.names import components
from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Kind, Node, literal

_LINKS = 40
"""Symbolic links followed on one path (Linux: MAXSYMLINKS)."""

_STAY = frozenset((b".banger", b"dev", b"etc", b"proc", b"run", b"sys"))
"""Names in the root whose directories nothing else takes."""

Way = list[tuple[bytes, Node]]
"""Directories from the root (whose name is empty) down, each with its name in the one before."""


def find(root: Node, path: bytes) -> Node | None:
    """What a path leads to, all links followed; None when it leads nowhere."""
    way = _follow([(b"", root)], path)
    return way[-1][1] if way else None


def read(root: Node, path: bytes, most: int) -> bytes | None:
    """The content of the file a path leads to; None when it is no file, or larger than ``most``.
    Blocking.

    Raises:
        BadContent: the layer it lies in has changed.
    """
    node = find(root, path)
    if node is None or node.kind is not Kind.FILE or node.content.size > most:
        return None
    content = bytearray(node.content.size)
    with Sources() as sources:
        for extent in node.content.extents:
            end = extent.position + extent.length
            content[extent.position : end] = sources.read(
                node.content.source, extent.offset, extent.length
            )
    return bytes(content)


def directory(root: Node, path: bytes, mode: int = 0o755) -> Node:
    """The directory at a path. What is missing is made; ``mode`` is the last one's when made."""
    return _made(root, path, mode)[-1][1]


def put(root: Node, path: bytes, node: Node) -> None:
    """Set what a path names; the path's own last part is not followed."""
    parent, _, name = path.rpartition(b"/")
    directory(root, parent).children[name] = node


def entries(root: Node, wanted: Iterable[Entry]) -> None:
    """Put them all, parents before what is in them. A directory that is there stays as it is."""
    for entry in wanted:
        path = entry.name.encode()
        if stat.S_ISDIR(entry.mode):
            directory(root, path, stat.S_IMODE(entry.mode))
        else:
            put(root, path, _node(entry))


def own(root: Node, name: bytes, mode: int = 0o755) -> None:
    """Make ``name`` a directory in the root itself, no link: where it was a link to a directory,
    the two change places.

    Before the root is the root (the first init has it at another place), an absolute link leads
    elsewhere.
    """
    node = root.children.get(name)
    if node is not None and node.is_directory:
        return
    way = _follow([(b"", root)], name) if node is not None else None
    if way is None or not way[-1][1].is_directory or len(way) == 1 or way[1][0] in _STAY:
        root.children[name] = Node(Kind.DIRECTORY, mode)
        return
    old, found = way[-1]
    way[-2][1].children[old] = Node(Kind.SYMLINK, 0o777, target=b"/" + name)
    root.children[name] = found


def _node(entry: Entry) -> Node:
    mode = stat.S_IMODE(entry.mode)
    if stat.S_ISLNK(entry.mode):
        return Node(Kind.SYMLINK, mode, target=entry.data)
    return Node(Kind.FILE, mode, content=literal(entry.data))


def _made(root: Node, path: bytes, mode: int) -> Way:
    way: Way = [(b"", root)]
    parts: list[bytes] = []
    for part in components(path):
        parts = parts[:-1] if part == b".." else [*parts, part]
    for number, name in enumerate(parts, 1):
        found = _follow(way, name)
        if found is None or not found[-1][1].is_directory:
            made = Node(Kind.DIRECTORY, mode if number == len(parts) else 0o755)
            way[-1][1].children[name] = made
            found = [*way, (name, made)]
        way = found
    return way


def _follow(way: Way, path: bytes) -> Way | None:
    """The way to where a path leads from the end of another; None: nowhere."""
    way = list(way)
    todo = components(path)[::-1]
    links = 0
    while todo:
        name = todo.pop()
        if name == b"..":
            del way[max(1, len(way) - 1) :]
            continue
        node = way[-1][1].children.get(name)
        if node is None:
            return None
        if node.kind is not Kind.SYMLINK:
            way.append((name, node))
            continue
        links += 1
        if links > _LINKS:
            return None
        if node.target.startswith(b"/"):
            del way[1:]
        todo += components(node.target)[::-1]
    return way
