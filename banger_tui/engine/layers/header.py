"""One block of a tar archive: the header of an entry.

Layouts: POSIX.1-1988 ustar, GNU tar (tar.h of GNU tar), Version 7, star.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from banger_tui.engine.layers.refusal import Unsound

BLOCK: Final = 512
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s8s64x8s8s155s12s")
assert _FIELDS.size == BLOCK

_USTAR = b"ustar\0"
_GNU = b"ustar  \0"
_STAR = b"tar\0"


class Header:
    """The fields of one block; those that few entries need are read when asked for.

    ``size``: bytes of data after the block, as far as the block knows.
    """

    __slots__ = (
        "_major",
        "_minor",
        "block",
        "gid",
        "is_gnu",
        "kind",
        "link",
        "mode",
        "mtime",
        "name",
        "size",
        "uid",
    )

    def __init__(self, block: bytes) -> None:
        """Read it from 512 bytes.

        Raises:
            Unsound: the checksum is wrong or a number is none.
        """
        (
            name,
            mode,
            uid,
            gid,
            size,
            mtime,
            checksum,
            self.kind,
            link,
            magic,
            self._major,
            self._minor,
            prefix,
            end,
        ) = _FIELDS.unpack(block)
        _verify(block, checksum)
        self.block = block
        name = name.partition(b"\0")[0]
        self.is_gnu = magic == _GNU
        if magic[:6] == _USTAR and prefix[0]:
            if end.endswith(_STAR):
                prefix = prefix[:131]  # star keeps times in the rest
            name = prefix.partition(b"\0")[0] + b"/" + name
        self.name: bytes = name
        self.link: bytes = link.partition(b"\0")[0]
        self.mode = _frequent(mode)
        self.uid = _frequent(uid)
        self.gid = _frequent(gid)
        self.size = number(size)
        self.mtime = _frequent(mtime)

    @property
    def device(self) -> tuple[int, int]:
        """(major, minor)."""
        return number(self._major), number(self._minor)


def number(field: bytes) -> int:
    """A header's number: octal digits between blanks and NULs, or base 256 (GNU tar, star). An
    empty field is 0.

    Raises:
        Unsound: it is neither.
    """
    digits = field[:-1]
    if not field[-1] and digits.isdigit():
        # As nearly every writer has it; what is no octal number is told apart below.
        try:
            return int(digits, 8)
        except ValueError:
            pass
    if field[0] & 0x80:
        # Two's complement, big-endian; the topmost bit is the mark, the one below it the sign.
        value = int.from_bytes(field, "big") & ((1 << 8 * len(field) - 1) - 1)
        return value - (1 << 8 * len(field) - 1) if field[0] & 0x40 else value
    digits = field.lstrip(b" \0").partition(b"\0")[0].rstrip(b" ")
    if not digits:
        return 0
    # int() alone would take "-7", "1_0" and "0o7" too.
    if digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError:
            pass
    raise Unsound("its header has a number that is none")


_frequent = lru_cache(maxsize=1024)(number)
"""For fields that most entries have in common."""


def _verify(block: bytes, field: bytes) -> None:
    try:
        told = number(field)
    except Unsound as error:
        raise Unsound("its header has no checksum") from error
    total = sum(block) - sum(field) + 8 * 0x20
    if told == total:
        return
    # Some old writers summed signed characters.
    high = sum(byte > 0x7F for byte in block) - sum(byte > 0x7F for byte in field)
    if told != total - 256 * high:
        raise Unsound("its header has a wrong checksum")
