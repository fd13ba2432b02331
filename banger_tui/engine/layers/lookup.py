"""Paths of an image looked up as its own processes would: symbolic links stay inside the root."""

from __future__ import annotations

from typing import Final

from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.names import components
from banger_tui.engine.layers.refusal import Unsound, exceeded
from banger_tui.engine.layers.tree import Kind, Node

_LINKS_MAX: Final = 40
"""Symbolic links followed on one path (Linux: MAXSYMLINKS)."""

Place = tuple[Node, int]
"""A directory, and the bytes of its path with a slash at the end; 0 for the root."""


class Lookup:
    """Finds directories of a tree; remembers them until told that the tree has changed shape."""

    def __init__(self, root: Node, meter: Meter) -> None:
        self._root = root
        self._meter = meter
        self._found: dict[bytes, Place] = {}

    def forget(self) -> None:
        """A directory or a symbolic link has gone or been replaced."""
        self._found.clear()

    def directory(self, path: bytes) -> Node | None:
        """The directory at ``path``, links followed, or None.

        Raises:
            Unsound: links in a circle.
            LimitExceeded
        """
        place = self._place(path, None)
        return place[0] if place else None

    def node(self, path: bytes) -> Node | None:
        """What ``path`` names, itself not followed, or None.

        Raises:
            Unsound: links in a circle.
            LimitExceeded
        """
        parent, _, name = path.rpartition(b"/")
        if not name:
            return self._root
        directory = self.directory(parent)
        return directory.children.get(name) if directory else None

    def made(self, path: bytes, made: list[tuple[Node, bytes]]) -> Place:
        """The directory at ``path``; it and those above it are made if they are not there.

        Args:
            made: those that were made are added, as directory and name.

        Raises:
            Unsound: links in a circle, or a part of it is no directory.
            LimitExceeded
        """
        place = self._place(path, made)
        assert place is not None
        return place

    def _place(self, path: bytes, made: list[tuple[Node, bytes]] | None) -> Place | None:
        if (found := self._found.get(path)) is not None:
            return found
        way: list[Place] = [(self._root, 0)]
        todo = components(path)
        todo.reverse()
        self._meter.steps(len(todo))
        followed = 0
        while todo:
            name = todo.pop()
            here, length = way[-1]
            if name == b"..":
                if len(way) > 1:
                    way.pop()
                continue
            node = here.children.get(name)
            if node is None:
                if made is None:
                    return None
                node = self._make(here, name, length)
                made.append((here, name))
            if node.kind is Kind.DIRECTORY:
                way.append((node, length + len(name) + 1))
            elif node.kind is Kind.SYMLINK:
                followed += 1
                if followed > _LINKS_MAX:
                    raise Unsound("its directory is a circle of symbolic links")
                if node.target.startswith(b"/"):
                    del way[1:]
                parts = components(node.target)
                self._meter.steps(len(parts))
                todo += reversed(parts)
            elif made is None:
                return None
            else:
                raise Unsound("what it should lie in is no directory")
        self._found[path] = way[-1]
        return way[-1]

    def _make(self, parent: Node, name: bytes, length: int) -> Node:
        self._meter.entry()
        check_length(length + len(name), self._meter)
        node = parent.children[name] = Node(Kind.DIRECTORY, 0o755)
        return node


def check_length(length: int, meter: Meter) -> None:
    """Of a whole path, as it is after links were followed.

    Raises:
        LimitExceeded: ``max_path_bytes``.
    """
    most = meter.limits.max_path_bytes
    if length > most:
        raise exceeded("max_path_bytes", most, f"A path has {length:,} bytes")
