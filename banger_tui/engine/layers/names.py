"""Names as archives have them, made into paths below the root."""

from __future__ import annotations

from banger_tui.engine.layers.refusal import Unsound

NAME_MAX = 255
"""Bytes of one name in a directory (Linux, ext4)."""


def components(name: bytes) -> list[bytes]:
    """The parts of a path; ``.`` and doubled slashes are left out.

    Leading slashes count for nothing, as with Docker and GNU tar: an absolute name is one below the
    image's own root.
    """
    return [part for part in name.split(b"/") if part and part != b"."]


def inside(name: bytes, what: str = "name") -> bytes:
    """``name`` as a path below the root, without needless parts; empty for the root itself.

    Raises:
        Unsound: it has ``..`` in it, or a part that no filesystem can hold. (No archive of an
            image has a use for ``..``; what it would mean depends on symbolic links.)
    """
    parts = components(name)
    if b".." in parts:
        raise Unsound(f"its {what} leads upwards with '..'")
    if len(name) > NAME_MAX and any(len(part) > NAME_MAX for part in parts):
        raise Unsound(f"a part of its {what} is longer than {NAME_MAX} bytes")
    return b"/".join(parts)
