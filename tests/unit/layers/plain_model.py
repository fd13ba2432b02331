"""The merge of layers once more, as plainly as can be: a dictionary of paths, searched in whole.

It shares nothing with the engine but the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[bytes, ...]


class Refused(Exception):
    """The layers make no tree."""


@dataclass(frozen=True)
class Change:
    """``kind``: file, directory, symlink, link, whiteout or opaque; ``text``: data or target."""

    kind: str
    path: Path
    text: bytes = b""
    mode: int = 0o644


@dataclass(eq=False)
class Inode:
    kind: str
    text: bytes = b""
    mode: int = 0o644


IMPLIED = 0o755


def parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in (b"", b".")]


class Model:
    def __init__(self) -> None:
        self.tree: dict[Path, Inode] = {(): Inode("directory", mode=IMPLIED)}

    def add(self, changes: Sequence[Change]) -> None:
        self.own: set[Path] = set()
        self.waiting: list[tuple[Path | None, Path]] = []
        """Links to what is not there yet; no place if the directory they were in has gone."""
        removed = {change.path for change in changes if change.kind == "whiteout"}
        cleared = {change.path for change in changes if change.kind == "opaque"}
        for change in changes:
            if change.kind not in ("whiteout", "opaque"):
                self._uncover(change.path, removed, cleared)
                self._enter(change)
        self._settle()
        self._hide(removed, cleared)

    def real(self, path: Path, make: bool) -> Path | None:
        """The directory ``path`` leads to, by the names it has without symbolic links."""
        here: Path = ()
        todo = list(path)
        followed = 0
        while todo:
            name = todo.pop(0)
            if name == b"..":
                here = here[:-1]
                continue
            there = (*here, name)
            inode = self.tree.get(there)
            if inode is None:
                if not make:
                    return None
                inode = Inode("directory", mode=IMPLIED)
                self._put(there, inode)
            if inode.kind == "directory":
                here = there
            elif inode.kind == "symlink":
                followed += 1
                if followed > 40:
                    raise Refused
                if inode.text.startswith(b"/"):
                    here = ()
                todo = parts(inode.text) + todo
            elif make:
                raise Refused
            else:
                return None
        return here

    def _drop(self, path: Path) -> None:
        for other in list(self.tree):
            if other[: len(path)] == path:
                del self.tree[other]
                self.own.discard(other)
        self.waiting = [
            (None if link and link != path and link[: len(path)] == path else link, target)
            for link, target in self.waiting
        ]

    def _put(self, path: Path, inode: Inode) -> None:
        self._drop(path)
        self.tree[path] = inode
        self.own.add(path)
        self.waiting = [pair for pair in self.waiting if pair[0] != path]

    def _uncover(self, path: Path, removed: set[Path], cleared: set[Path]) -> None:
        for depth in range(1, len(path)):
            prefix = path[:depth]
            hidden = any(prefix[:n] in removed for n in range(1, depth + 1)) or any(
                prefix[:n] in cleared for n in range(depth)
            )
            directory = self.real(prefix[:-1], make=False) if hidden else None
            if directory is None:
                continue
            there = (*directory, prefix[-1])
            inode = self.tree.get(there)
            if inode is not None and inode.kind != "directory" and there not in self.own:
                self._drop(there)

    def _enter(self, change: Change) -> None:
        directory = self.real(change.path[:-1], make=True)
        assert directory is not None
        there = (*directory, change.path[-1])
        if change.kind == "link":
            target = self._target(tuple(parts(change.text)))
            if target is None:
                self._drop(there)
                self.waiting = [pair for pair in self.waiting if pair[0] != there]
                self.waiting.append((there, tuple(parts(change.text))))
            else:
                self._put(there, target)
            return
        old = self.tree.get(there)
        if old is not None and old.kind == change.kind == "directory":
            old.mode = change.mode
            self.own.add(there)
        else:
            self._put(there, Inode(change.kind, change.text, change.mode))

    def _target(self, path: Path) -> Inode | None:
        directory = self.real(path[:-1], make=False)
        if directory is None:
            return None
        inode = self.tree.get((*directory, path[-1]))
        if inode is not None and inode.kind == "directory":
            raise Refused
        return inode

    def _settle(self) -> None:
        settled = True
        while settled:
            settled = False
            for there, target in list(self.waiting):
                inode = self._target(target)
                if inode is not None:
                    if there is not None:
                        self._put(there, inode)
                    else:
                        self.waiting.remove((there, target))
                    settled = True
        if self.waiting:
            raise Refused

    def _hide(self, removed: set[Path], cleared: set[Path]) -> None:
        at_or_below: set[Path] = set()
        below: set[Path] = set()
        for path in removed:
            directory = self.real(path[:-1], make=False)
            if directory is not None:
                at_or_below.add((*directory, path[-1]))
        for path in cleared:
            directory = self.real(path, make=False)
            if directory is not None:
                below.add(directory)
        for path in list(self.tree):
            prefixes = {path[:depth] for depth in range(len(path) + 1)}
            is_hidden = prefixes & at_or_below or (prefixes - {path}) & below
            if not is_hidden or path in self.own:
                continue
            if any(own[: len(path)] == path for own in self.own):
                self.tree[path].mode = IMPLIED
            else:
                del self.tree[path]
