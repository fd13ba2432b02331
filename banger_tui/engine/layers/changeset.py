"""What one layer changes, read in whole before any of it is done.

Names are those of the OCI image specification ("Image Layer Filesystem Changeset"). Names that aufs
made for its own use, ``.wh..wh.plnk`` among them, are no files of the image; but old layers have
hard links to them, as Docker's do, so what they stand for is put aside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from banger_tui.engine.layers.archive import members
from banger_tui.engine.layers.member import Member
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.names import inside
from banger_tui.engine.layers.refusal import Unsound, broken
from banger_tui.engine.layers.tree import Content, Kind, Node

_WHITEOUT: Final = b".wh."
_META: Final = b".wh..wh."
_OPAQUE: Final = b".wh..wh..opq"

_NO_CONTENT: Final = Content()


class _Childless(dict[bytes, Node]):
    """The children of all that is no directory: one for all, so never to be filled."""

    def __setitem__(self, name: bytes, node: Node) -> None:
        raise TypeError("only a directory has children")


_CHILDLESS: Final = _Childless()


@dataclass(slots=True)
class Changeset:
    """``entries``: (directory, name, inode or the path it is a hard link to) in the archive's
    order, the root's name being empty; ``removed``: paths of lower layers; ``cleared``:
    directories; ``aside``: inodes that only hard links reach, by path.

    All paths are below the root, without needless parts, symbolic links not followed.
    """

    entries: list[tuple[bytes, bytes, Node | bytes]] = field(default_factory=list)
    removed: set[bytes] = field(default_factory=set)
    cleared: set[bytes] = field(default_factory=set)
    aside: dict[bytes, Node] = field(default_factory=dict)


def read(archive: BinaryIO, source: Path, meter: Meter) -> Changeset:
    """The changes in an archive, which lies at ``source``. Blocking.

    Raises:
        BadContent, LimitExceeded
    """
    changes = Changeset()
    directories: dict[bytes, bytes] = {}
    for member in members(archive, meter.limits, meter=meter):
        try:
            path = inside(member.name)
            directory, _, name = path.rpartition(b"/")
            directory = directories.setdefault(directory, directory)
            if _WHITEOUT in path and _is_mark(changes, member, path, source):
                continue
            changes.entries.append((directory, name, _what(member, source)))
        except Unsound as error:
            raise broken(str(error), member.name, member.at) from None
    return changes


def _what(member: Member, source: Path) -> Node | bytes:
    if member.kind is None:
        return inside(member.target, "target")
    return _inode(member, source)


def _inode(member: Member, source: Path) -> Node:
    kind = member.kind
    assert kind is not None
    return Node(
        kind,
        member.mode,
        member.uid,
        member.gid,
        member.mtime_ns,
        Content(member.size, source, member.extents) if member.size else _NO_CONTENT,
        member.target,
        member.device,
        member.xattrs,
        {} if kind is Kind.DIRECTORY else _CHILDLESS,
    )


def _is_mark(changes: Changeset, member: Member, path: bytes, source: Path) -> bool:
    """Take down what ``path`` says of lower layers; False if it is an ordinary name after all."""
    parts = path.split(b"/")
    marks = [part for part in parts if part.startswith(_WHITEOUT)]
    if not marks:
        return False
    directory, _, name = path.rpartition(b"/")
    if name == _OPAQUE and len(marks) == 1:
        changes.cleared.add(directory)
    elif marks[0].startswith(_META):
        what = _what(member, source)
        inode = changes.aside.get(what) if isinstance(what, bytes) else what
        if inode is not None:
            changes.aside[path] = inode
    elif name == marks[0] and len(marks) == 1:
        hidden = name[len(_WHITEOUT) :]
        if hidden in (b"", b".", b".."):
            raise Unsound("it hides no file that could be")
        changes.removed.add(directory + b"/" + hidden if directory else hidden)
    else:
        raise Unsound("it lies below a name that hides a file")
    return True
