"""What makes the same filesystem of the same tree: nothing in it is drawn by lot or of today."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Final

from banger_tui.engine.layers.tree import Node, walk

ENVIRONMENT: Final[Mapping[str, str]] = {"E2FSPROGS_FAKE_TIME": "1"}
"""For each program of e2fsprogs that writes: the second in which it says it does so (0 is now)."""

_TREES: Final = uuid.UUID("5d9b1f0e-3c57-4b8a-9a44-0f6f4f1b7a21")


def identity(root: Node) -> uuid.UUID:
    """A tree's own number: of its names and metadata, as contents are long. Blocking."""
    sums = hashlib.sha256(_line(b"", root))
    for path, node in walk(root):
        sums.update(_line(path, node))
    return uuid.uuid5(_TREES, sums.hexdigest())


def _line(path: bytes, node: Node) -> bytes:
    return b"%b\0%d %d %d %d %d %b\0" % (
        path, node.mode, node.uid, node.gid, node.mtime_ns, node.content.size, node.target,
    )  # fmt: skip
