"""The outline of a zstd file: frames, to the last byte.

The decompressor can't tell a file that was cut short from one that has ended, and how much comes
of one more piece of input has no bound. So the frames are walked first, which reads a few bytes in
each 128 KiB; then data is asked for, rather than fed in.

Source: RFC 8878, 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from banger_tui.engine.layers.refusal import Unsound

_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50
_DICTIONARY_BYTES: Final = (0, 1, 2, 4)
_SIZE_BYTES: Final = (0, 2, 4, 8)
_RLE: Final = 1
_RESERVED: Final = 3
_BETWEEN: Final = 4096
"""Blocks from one look at ``go_on`` to the next."""


def check(file: BinaryIO, go_on: Callable[[], None]) -> None:
    """Whether ``file`` is whole frames and nothing else. Blocking.

    Args:
        go_on: called now and then; raises when there is no more need.

    Raises:
        Unsound: cut short, or with something else behind.
    """
    end = file.seek(0, 2)
    file.seek(0)
    at = 0
    while at < end:
        go_on()
        magic = int.from_bytes(file.read(4), "little")
        if magic == _MAGIC:
            at = _after_frame(file, at + 4, end, go_on)
        elif magic & ~0xF == _SKIPPABLE and at + 8 <= end:
            at += 8 + int.from_bytes(file.read(4), "little")
            file.seek(at)
        else:
            raise Unsound("something that is not zstd follows")
        if at > end:
            raise Unsound("the zstd file ends too early")


def _after_frame(file: BinaryIO, at: int, end: int, go_on: Callable[[], None]) -> int:
    descriptor = int.from_bytes(file.read(1), "little")
    is_single = bool(descriptor & 0x20)
    size_bytes = _SIZE_BYTES[descriptor >> 6] or is_single
    at += 1 + (not is_single) + _DICTIONARY_BYTES[descriptor & 3] + size_bytes
    blocks = 0
    while True:
        file.seek(at)
        head = int.from_bytes(file.read(3), "little")
        kind = head >> 1 & 3
        if at + 3 > end:
            raise Unsound("the zstd file ends too early")
        if kind == _RESERVED:
            raise Unsound("its zstd data is damaged")
        at += 3 + (1 if kind == _RLE else head >> 3)
        if head & 1:
            at += 4 if descriptor & 4 else 0
            file.seek(at)
            return at
        blocks += 1
        if blocks % _BETWEEN == 0:
            go_on()
