"""How much extended attributes of a file may come to."""

from __future__ import annotations

from typing import Final

from banger_tui.engine.errors import LimitExceeded
from banger_tui.engine.ext4.size import BLOCK
from banger_tui.engine.layers.refusal import shown
from banger_tui.engine.layers.tree import Node, walk

ROOM: Final = BLOCK - 36
"""They share one block with its header (32 bytes) and an end (4); see
docs.kernel.org/filesystems/ext4/attributes.html."""
_ENTRY: Final = 16
_PREFIXES: Final = (b"user.", b"trusted.", b"security.", b"system.posix_acl_access",
                    b"system.posix_acl_default")  # fmt: skip


def room_for(xattrs: dict[bytes, bytes]) -> int:
    """Bytes they take in a block."""
    return sum(_ENTRY + _words(_stored(name)) + _words(value) for name, value in xattrs.items())


def check_attributes(root: Node) -> None:
    """Blocking.

    Raises:
        LimitExceeded: a file has more than ext4 keeps.
    """
    for path, node in [(b"", root), *walk(root)]:
        if node.xattrs and (size := room_for(node.xattrs)) > ROOM:
            raise LimitExceeded(
                "A file has too many extended attributes",
                f"Those of {shown(b'/' + path)} take {size:,} bytes; ext4 keeps {ROOM:,} a file.",
                "The image can't be kept on ext4: take another one.",
            )


def _stored(name: bytes) -> bytes:
    """A name without what ext4 keeps as a number."""
    return next((name[len(p) :] for p in _PREFIXES if name.startswith(p)), name)


def _words(data: bytes) -> int:
    return len(data) + 3 & ~3
