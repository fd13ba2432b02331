"""LZ4 as kernels have it: the legacy frame (lz4_Frame_format.md) of blocks (lz4_Block_format.md).

Debian's kernels are compressed so. There is no package for it: a kernel is expanded once in its
life, and some seconds of Python do that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAGIC = b"\x02\x21\x4c\x18"

_BLOCK = 8 << 20
_PIECE = 1 << 20
_LEAST_MATCH = 4


class DamagedLZ4(Exception):
    """The data breaks the format, or is cut short."""


def expanded(data: bytes) -> Iterator[bytes]:
    """What a frame and the size behind it expand to, a MiB at a time. Blocking.

    Raises:
        DamagedLZ4
    """
    at, total, end = len(MAGIC), 0, len(data) - 4
    while at < end:
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        if not length or length > end - at:
            raise DamagedLZ4("a block is cut short")
        try:
            for piece in _block(data[at : at + length]):
                total += len(piece)
                yield piece
        except IndexError:
            raise DamagedLZ4("a block ends within a sequence") from None
        at += length
    # What the kernel's makefile appends; it counts modulo 2³².
    if at != end or struct.unpack_from("<I", data, at)[0] != total & 0xFFFFFFFF:
        raise DamagedLZ4("its size is another than it says")


def _block(data: bytes) -> Iterator[bytes]:
    at, end, given = 0, len(data), 0
    out = bytearray()
    while True:
        token = data[at]
        at += 1
        length = token >> 4
        if length == 15:
            length, at = _longer(data, at, length)
        if length:
            if length > end - at:
                raise DamagedLZ4("literals are cut short")
            out += data[at : at + length]
            at += length
        if at == end:
            break
        distance = data[at] | data[at + 1] << 8
        at += 2
        length = token & 15
        if length == 15:
            length, at = _longer(data, at, length)
        length += _LEAST_MATCH
        start = len(out) - distance
        if start < 0 or not distance:
            raise DamagedLZ4("a match begins before the block")
        if len(out) + length > _BLOCK:
            raise DamagedLZ4("a block is larger than 8 MiB")
        if distance >= length:
            out += out[start : start + length]
        else:
            out += (out[start:] * (length // distance + 1))[:length]
        if len(out) - given > _PIECE:
            yield bytes(out[given:])
            given = len(out)
    yield bytes(out[given:])


def _longer(data: bytes, at: int, length: int) -> tuple[int, int]:
    while True:
        more = data[at]
        at += 1
        length += more
        if more != 255:
            return length, at
