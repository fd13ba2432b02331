"""Extended attributes in an archive, and which of them an image keeps."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from banger_tui.engine.layers.refusal import Unsound, exceeded, shown
from banger_tui.engine.layers.tree import Kind
from banger_tui.engine.limits import Limits

_PLAIN: Final = b"SCHILY.xattr."
_ENCODED: Final = b"LIBARCHIVE.xattr."

_NAME_MAX: Final = 255
"""Of a whole attribute's name (Linux: XATTR_NAME_MAX)."""

_ACCESS: Final = b"system.posix_acl_access"
_DEFAULT: Final = b"system.posix_acl_default"

_KEPT: Final = (b"user.", b"security.", b"trusted.")
_LABEL: Final = b"security.selinux"
"""Names what the policy of the machine that built the image calls the file; another policy, or
none, has no use for it."""


def read(records: Mapping[bytes, bytes], limits: Limits) -> dict[bytes, bytes]:
    """All attributes that an extended header sets.

    Raises:
        LimitExceeded: ``max_xattr_bytes``.
        Unsound: a name or value that is none.
    """
    found: dict[bytes, bytes] = {}
    for key, value in records.items():
        if key.startswith(_PLAIN):
            found[key[len(_PLAIN) :]] = value
        elif key.startswith(_ENCODED):
            found.setdefault(unquote_to_bytes(key[len(_ENCODED) :]), _decoded(key, value))
    if not found:
        return found
    if sum(map(len, found)) + sum(map(len, found.values())) > limits.max_xattr_bytes:
        raise exceeded(
            "max_xattr_bytes", limits.max_xattr_bytes, "A file's extended attributes are larger"
        )
    for name in found:
        if not name or b"\0" in name or len(name) > _NAME_MAX:
            raise Unsound(f"it has an extended attribute named {shown(name)}")
    return found


def kept(found: dict[bytes, bytes], kind: Kind) -> dict[bytes, bytes]:
    """Those that an image keeps: what Linux filesystems store as they are, and access control
    lists of files and directories.

    Dropped are SELinux labels, and names of other systems, for which ext4 has no place. (Among
    ``system.`` are ext4's own innards, as ``system.data``: never let one in.)

    Raises:
        Unsound: an attribute with nothing after its class, or a list that is none.
    """
    result = {}
    for name, value in found.items():
        if name in (_ACCESS, _DEFAULT):
            if kind is Kind.DIRECTORY or (kind is Kind.FILE and name == _ACCESS):
                _check_list(name, value)
                result[name] = value
        elif name.startswith(_KEPT) and name != _LABEL:
            if name in _KEPT:
                raise Unsound(f"it has an extended attribute named {shown(name)}")
            result[name] = value
    return result


def _decoded(key: bytes, value: bytes) -> bytes:
    """libarchive leaves the padding of base64 away."""
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error as error:
        raise Unsound(f"its extended attribute {shown(key)} is not base64") from error


_TAGS: Final = frozenset((0x01, 0x02, 0x04, 0x08, 0x10, 0x20))


def _check_list(name: bytes, value: bytes) -> None:
    """As system calls have it (linux/posix_acl_xattr.h): version 2, entries of 8 bytes. Tools and
    the kernel give up on a filesystem with a malformed one."""
    entries = [value[at : at + 8] for at in range(4, len(value), 8)]
    sound = value[:4] == b"\x02\0\0\0" and all(
        len(entry) == 8
        and int.from_bytes(entry[:2], "little") in _TAGS
        and int.from_bytes(entry[2:4], "little") <= 7
        for entry in entries
    )
    if not sound:
        raise Unsound(f"its access control list {shown(name)} is malformed")
