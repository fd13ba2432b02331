"""A ``Node`` tree as the plain dictionary that cases expect."""

from __future__ import annotations

import os

from banger_tui.engine.layers.tree import Content, Kind, Node, walk
from tests.layer_cases.case import Entry


def content_bytes(content: Content) -> bytes:
    """All bytes of a file, holes as zeros."""
    data = bytearray(content.size)
    for extent in content.extents:
        if isinstance(content.source, bytes):
            piece = content.source[extent.offset : extent.offset + extent.length]
        else:
            with content.source.open("rb") as file:
                piece = os.pread(file.fileno(), extent.length, extent.offset)
        assert len(piece) == extent.length
        data[extent.position : extent.position + extent.length] = piece
    assert len(data) == content.size
    return bytes(data)


def entry_of(node: Node, same_as: bytes | None = None) -> Entry:
    return Entry(
        node.kind,
        node.mode,
        node.uid,
        node.gid,
        node.mtime_ns,
        content_bytes(node.content) if node.kind is Kind.FILE else b"",
        node.target,
        node.device,
        dict(node.xattrs),
        same_as,
    )


def snapshot(root: Node) -> dict[bytes, Entry]:
    """Every path of the tree with its entry; ``b""`` is the root."""
    entries = {b"": entry_of(root)}
    first: dict[Node, bytes] = {}
    for path, node in walk(root):
        entries[path] = entry_of(node, first.get(node))
        first.setdefault(node, path)
    return entries
