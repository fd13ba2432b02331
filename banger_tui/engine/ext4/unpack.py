"""A tree as files of the host, for mke2fs to copy: names and contents, and nothing else.

Everything belongs to whoever runs us and can be read by them; owners, modes, times and attributes
are amended in the filesystem. So no right is needed that a user does not have, and no set-user-id
program or device of a stranger's ever lies on the host. Directories are entered one by one, as
paths may be longer than system calls take.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from banger_tui.engine.layers.pieces import data, segments
from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Content, Kind, Node
from banger_tui.engine.threads import Stop, go_on

_CHUNK: Final = 1 << 20
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def unpack(stop: Stop, root: Node, directory: Path, tell: Callable[[int], None]) -> None:
    """Make ``directory``/root of the tree. Blocking.

    Left out are devices, and all names of a symbolic link but its first (``tree.walk``), which
    mke2fs would take for links of their own.

    Args:
        directory: exists, is empty, and nobody else writes there.
        tell: called now and then with the bytes written so far.

    Raises:
        BadContent: a file's source is not what it was.
        OperationCancelled: ``stop`` says so.
        OSError
    """
    with Sources() as sources, _Unpacking(stop, sources, directory, tell) as unpacking:
        unpacking.tree(root)
        sources.check()


class _Unpacking:
    def __init__(
        self, stop: Stop, sources: Sources, directory: Path, tell: Callable[[int], None]
    ) -> None:
        self._stop = stop
        self._sources = sources
        self._tell = tell
        self._bytes = self._told = 0
        self._left: dict[Node, int] = {}
        self._shared: dict[Node, str] = {}
        self._symlinks: set[Node] = set()
        (directory / "root").mkdir(0o700)
        (directory / "shared").mkdir(0o700)
        self._here = os.open(directory / "root", _ENTER)
        self._shelf = os.open(directory / "shared", _ENTER)

    def __enter__(self) -> _Unpacking:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._here)
        os.close(self._shelf)

    def tree(self, root: Node) -> None:
        self._left = {node: names for node, names in Counter(_files(root)).items() if names > 1}
        levels = [iter(sorted(root.children.items()))]
        while levels:
            go_on(self._stop)
            for name, node in levels[-1]:
                if node.kind is Kind.DIRECTORY:
                    os.mkdir(name, 0o700, dir_fd=self._here)
                    self._enter(name)
                    levels.append(iter(sorted(node.children.items())))
                    break
                self._make(name, node)
            else:
                levels.pop()
                self._enter("..")

    def _enter(self, name: bytes | str) -> None:
        inner = os.open(name, _ENTER, dir_fd=self._here)
        os.close(self._here)
        self._here = inner

    def _make(self, name: bytes, node: Node) -> None:
        match node.kind:
            case Kind.SYMLINK:
                if node not in self._symlinks:
                    self._symlinks.add(node)
                    os.symlink(node.target, name, dir_fd=self._here)
            case Kind.FIFO | Kind.FILE if node in self._left:
                self._link(name, node)
            case Kind.FIFO | Kind.FILE:
                self._fill(name, node, self._here)

    def _link(self, name: bytes, node: Node) -> None:
        """Hard links are made of a name on a shelf, as their first one may be out of reach."""
        if node not in self._shared:
            self._shared[node] = str(len(self._shared))
            self._fill(self._shared[node], node, self._shelf)
        self._left[node] -= 1
        put = os.link if self._left[node] else os.rename
        put(self._shared[node], name, src_dir_fd=self._shelf, dst_dir_fd=self._here)

    def _fill(self, name: bytes | str, node: Node, directory: int) -> None:
        if node.kind is Kind.FIFO:
            os.mkfifo(name, 0o600, dir_fd=directory)
            return
        file = os.open(name, _NEW, 0o600, dir_fd=directory)
        try:
            self._write(file, node.content)
        finally:
            os.close(file)

    def _write(self, file: int, content: Content) -> None:
        end = 0
        for segment in segments(content):
            at = segment.position
            for piece in data(content, segment, self._sources, _CHUNK):
                view = memoryview(piece)
                while view:
                    done = os.pwrite(file, view, at)
                    view, at = view[done:], at + done
                self._count(len(piece))
            end = at
        if end < content.size:
            os.ftruncate(file, content.size)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes - self._told >= _CHUNK:
            self._told = self._bytes
            self._tell(self._bytes)
            go_on(self._stop)


def _files(root: Node) -> Iterator[Node]:
    """What may have several names, once for each of them."""
    directories = [root]
    for directory in directories:
        for node in directory.children.values():
            if node.kind is Kind.DIRECTORY:
                directories.append(node)
            elif node.kind in (Kind.FILE, Kind.FIFO):
                yield node
