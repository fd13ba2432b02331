"""One layer's changes made to a tree: its entries first, then what it hides of the layers below."""

from __future__ import annotations

from typing import Final

from banger_tui.engine.layers.changeset import Changeset
from banger_tui.engine.layers.lookup import Lookup, check_length
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.refusal import Unsound, broken, shown
from banger_tui.engine.layers.tree import Kind, Node, new_root

_ROUNDS: Final = 40
"""Hard links to hard links to names that come later, settled in turns; archives of tar need 1."""


class Application:
    """Makes ``changes`` to the tree at ``root``, which holds the layers below."""

    def __init__(self, root: Node, changes: Changeset, meter: Meter) -> None:
        self._root = root
        self._changes = changes
        self._meter = meter
        self._lookup = Lookup(root, meter)
        self._hides = bool(changes.removed or changes.cleared)
        self._own: dict[Node, set[bytes]] = {}
        """Names that this layer set, by directory; kept only if it hides something."""
        self._uncovered: set[bytes] = set()
        self._waiting: dict[tuple[Node, bytes], tuple[bytes, bytes]] = {}
        """Hard links to what has not come yet: (path, target) by place."""
        self._swept: set[Node] = set()
        self._links = 0

    def apply(self) -> int:
        """Returns how many hard links were made.

        Raises:
            BadContent, LimitExceeded, OperationCancelled
        """
        for parent, name, what in self._changes.entries:
            path = parent + b"/" + name if parent else name
            try:
                self._enter(path, parent, name, what)
            except Unsound as error:
                raise broken(str(error), path or b"/") from None
        self._settle()
        if self._hides:
            self._hide()
        return self._links

    def _enter(self, path: bytes, parent: bytes, name: bytes, what: Node | bytes) -> None:
        if not name:
            if isinstance(what, bytes) or what.kind is not Kind.DIRECTORY:
                raise Unsound("the root can only be a directory")
            _take_metadata(self._root, what)
            return
        if self._hides and parent not in self._uncovered:
            self._uncover(parent)
        made: list[tuple[Node, bytes]] = []
        directory, length = self._lookup.made(parent, made)
        for place in made:
            self._mark_own(*place)
        check_length(length + len(name), self._meter)
        if isinstance(what, bytes):
            self._link(path, directory, name, what)
            return
        old = directory.children.get(name)
        if old is not None and old.kind is what.kind is Kind.DIRECTORY:
            _take_metadata(old, what)
            self._mark_own(directory, name)
        else:
            self._place(directory, name, what)

    def _place(self, directory: Node, name: bytes, node: Node) -> None:
        self._remove(directory, name)
        directory.children[name] = node
        self._mark_own(directory, name)

    def _remove(self, directory: Node, name: bytes) -> None:
        old = directory.children.pop(name, None)
        if old is not None and old.kind in (Kind.DIRECTORY, Kind.SYMLINK):
            self._lookup.forget()

    def _mark_own(self, directory: Node, name: bytes) -> None:
        if self._hides:
            self._own.setdefault(directory, set()).add(name)
        if self._waiting:
            self._waiting.pop((directory, name), None)

    def _is_own(self, directory: Node, name: bytes) -> bool:
        return name in self._own.get(directory, ())

    def _link(self, path: bytes, directory: Node, name: bytes, target: bytes) -> None:
        if (node := self._linked(target)) is not None:
            self._place(directory, name, node)
            self._links += 1
            return
        # What the name was before is gone, as with any other entry.
        self._remove(directory, name)
        self._waiting[directory, name] = path, target

    def _linked(self, target: bytes) -> Node | None:
        node = self._changes.aside.get(target) or self._lookup.node(target)
        if node is not None and node.kind is Kind.DIRECTORY:
            raise Unsound("it is a hard link to a directory")
        return node

    def _settle(self) -> None:
        """Make the links whose target came after them."""
        for _ in range(_ROUNDS):
            # Turning round each time settles long chains, whichever way they were laid.
            for (directory, name), (path, target) in reversed(list(self._waiting.items())):
                self._meter.go_on()
                try:
                    node = self._linked(target)
                except Unsound as error:
                    raise broken(str(error), path) from None
                if node is not None:
                    self._place(directory, name, node)
                    self._links += 1
            if not self._waiting:
                return
            self._waiting = dict(reversed(self._waiting.items()))
        path, target = next(iter(self._waiting.values()))
        raise broken(f"it is a hard link to {shown(target)}, which is not there", path)

    def _uncover(self, parent: bytes) -> None:
        """Take what this layer hides out of the way of ``parent``, if it is no directory: a layer
        may replace a file by a directory that it names only in the names below."""
        self._uncovered.add(parent)
        hidden = b"" in self._changes.cleared
        path = b""
        for name in parent.split(b"/") if parent else ():
            directory = self._lookup.directory(path)
            path = path + b"/" + name if path else name
            hidden = hidden or path in self._changes.removed
            if hidden and directory is not None and not self._is_own(directory, name):
                node = directory.children.get(name)
                if node is not None and node.kind is not Kind.DIRECTORY:
                    self._remove(directory, name)
            hidden = hidden or path in self._changes.cleared

    def _hide(self) -> None:
        """Second pass. All paths are looked up before anything goes, so their order is nothing."""
        removed: list[tuple[Node, bytes]] = []
        cleared: list[Node] = []
        for paths in (self._changes.removed, self._changes.cleared):
            for path in paths:
                clears = paths is self._changes.cleared
                parent, _, name = path.rpartition(b"/")
                try:
                    directory = self._lookup.directory(path if clears else parent)
                except Unsound as error:
                    raise broken(str(error), path) from None
                if directory is None:
                    continue
                if clears:
                    cleared.append(directory)
                else:
                    removed.append((directory, name))
        for directory, name in removed:
            self._take_away(directory, name)
        for directory in cleared:
            self._sweep(directory)

    def _take_away(self, directory: Node, name: bytes) -> None:
        node = directory.children.get(name)
        if node is None:
            return
        if node.kind is Kind.DIRECTORY:
            self._sweep(node)
        if not self._is_own(directory, name):
            self._give_up(directory, name, node)

    def _sweep(self, top: Node) -> None:
        """Take all that is not this layer's out of a directory, down to the bottom."""
        directories = [top]
        for directory in directories:
            self._meter.go_on()
            directories += [
                node
                for node in directory.children.values()
                if node.kind is Kind.DIRECTORY and node not in self._swept
            ]
        self._swept.update(directories)
        for directory in reversed(directories):
            own = self._own.get(directory, ())
            for name, node in list(directory.children.items()):
                if name not in own:
                    self._give_up(directory, name, node)

    def _give_up(self, directory: Node, name: bytes, node: Node) -> None:
        """Remove what a lower layer set; but a directory with names of this layer in it stays, and
        is one that nothing but those names speaks of."""
        if node.kind is Kind.DIRECTORY and node.children:
            _take_metadata(node, new_root())
        else:
            del directory.children[name]


def _take_metadata(directory: Node, other: Node) -> None:
    directory.mode = other.mode
    directory.uid = other.uid
    directory.gid = other.gid
    directory.mtime_ns = other.mtime_ns
    directory.xattrs = other.xattrs
