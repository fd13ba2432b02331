"""One entry of an archive, and what of it a Linux filesystem can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from banger_tui.engine.layers import pax
from banger_tui.engine.layers.header import Header
from banger_tui.engine.layers.refusal import Unsound
from banger_tui.engine.layers.tree import Extent, Kind

_MODE_BITS: Final = 0o7777
_MODE_MAX: Final = 0o177777
"""Some writers put the type of the file in the mode."""

_ID_MAX: Final = (1 << 32) - 2
"""The greatest owner that Linux knows; one more is (uid_t) -1: none."""

_MAJOR_MAX: Final = (1 << 12) - 1
_MINOR_MAX: Final = (1 << 20) - 1

_EARLIEST_NS: Final = -(1 << 31) * pax.SECOND
_LATEST_NS: Final = ((1 << 34) - (1 << 31) - 1) * pax.SECOND
"""What an ext4 inode of 256 bytes can hold: 1901 to 2446. A wrong clock is no reason to refuse an
image, so other times become the nearest of these."""

_TARGET_MAX: Final = 4095
"""Bytes of a symbolic link (Linux: PATH_MAX counts the NUL; ext4: less than a block)."""


@dataclass(slots=True)
class Member:
    """``kind``: None for a hard link; ``target``: a link's; ``extents``: where in the archive a
    file's data is; ``at``: the byte where the entry begins; otherwise as in ``tree.Node``."""

    name: bytes
    kind: Kind | None
    at: int
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0
    extents: tuple[Extent, ...] = ()
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] = field(default_factory=dict)

    def set_inode(self, header: Header, records: Mapping[bytes, bytes]) -> None:
        """Mode, owner and time; ``records`` go before the header.

        Raises:
            Unsound: no file can have them.
        """
        uid, gid, mtime_ns = header.uid, header.gid, header.mtime * pax.SECOND
        if records:
            uid = pax.number(records, b"uid", uid)
            gid = pax.number(records, b"gid", gid)
            if time := records.get(b"mtime"):
                mtime_ns = pax.time_ns(time)
        if not 0 <= uid <= _ID_MAX or not 0 <= gid <= _ID_MAX:
            raise Unsound(f"nobody can own it: user {uid}, group {gid}")
        if not 0 <= header.mode <= _MODE_MAX:
            raise Unsound(f"its mode is {header.mode:o}")
        self.mode = header.mode & _MODE_BITS
        self.uid = uid
        self.gid = gid
        self.mtime_ns = min(max(mtime_ns, _EARLIEST_NS), _LATEST_NS)

    def set_device(self, header: Header) -> None:
        """Major and minor number.

        Raises:
            Unsound: Linux has no such device.
        """
        major, minor = header.device
        if not 0 <= major <= _MAJOR_MAX or not 0 <= minor <= _MINOR_MAX:
            raise Unsound(f"no device has the numbers {major}, {minor}")
        self.device = major, minor

    def set_target(self, target: bytes) -> None:
        """Where a symbolic link leads.

        Raises:
            Unsound: too long for a link.
        """
        if len(target) > _TARGET_MAX:
            raise Unsound(f"its target is longer than {_TARGET_MAX} bytes")
        self.target = target
