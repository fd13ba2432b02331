"""One zstd frame and the digest behind it, read a block at a time and without any leniency.

A frame is walked by its own structure (RFC 8878 section 3.1.1), so that one step never inflates to
more than a block, and its end is known to the byte. What follows it is either nothing or a
skippable frame with the SHA-256 of all that precedes.
"""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO

import zstandard

from banger_tui.engine.bundles.work import Work
from banger_tui.engine.errors import BadContent, DigestMismatch

_MAGIC = b"\x28\xb5\x2f\xfd"
# One of the 16 magic numbers of skippable frames, then the length of what is in it.
_TRAILER = (0x184D2A5B).to_bytes(4, "little") + (32).to_bytes(4, "little")
_MAX_BLOCK = 128 << 10
_MAX_WINDOW = 128 << 20  # bytes of memory that a frame may ask for; zstd's own limit
_RAW, _RLE, _COMPRESSED = 0, 1, 2


class FrameWriter:
    """Compresses what it is given into ``file``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sums = hashlib.sha256()
        threads = min(4, len(os.sched_getaffinity(0)))
        self._zstd = zstandard.ZstdCompressor(
            level=3, threads=threads, write_checksum=True
        ).compressobj()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._out(self._zstd.compress(data))

    def finish(self) -> str:
        """End the frame; returns the SHA-256 of the file in hex."""
        self._out(self._zstd.flush())
        self._out(_TRAILER + self._sums.digest())
        return self._sums.hexdigest()

    def _out(self, data: bytes) -> None:
        self._sums.update(data)
        self._file.write(data)
        self.size += len(data)


class FrameReader:
    """What is in the frame at the start of ``file``; ``work`` counts bytes of the file.

    Every method raises BadContent.
    """

    def __init__(self, file: BinaryIO, work: Work) -> None:
        self._file = file
        self._work = work
        self._sums = hashlib.sha256()
        self._zstd = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
        self._ready = b""
        self._position = 0
        self._last = False
        self._inflate(self._header())

    def exactly(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        parts: list[bytes] = []
        while count:
            if self._position == len(self._ready) and not self._next_block():
                raise BadContent("The bundle is cut short", "Its archive ends too early.")
            part = self._ready[self._position : self._position + count]
            self._position += len(part)
            count -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def at_end(self) -> bool:
        """Whether the frame has nothing more."""
        while self._position == len(self._ready):
            if not self._next_block():
                return True
        return False

    def finish(self) -> str:
        """What follows the frame is looked at; returns the SHA-256 of the whole file in hex."""
        digest = self._sums.digest()
        rest = self._file.read(len(_TRAILER) + len(digest) + 1)
        if rest and rest[: len(_TRAILER)] != _TRAILER:
            raise BadContent("The bundle is damaged", "Something else follows its end.")
        if rest and rest[len(_TRAILER) :] != digest:
            raise DigestMismatch(
                "The bundle is damaged", "It is not what its own digest at the end says."
            )
        self._sums.update(rest)
        self._work.advance(len(rest))
        return self._sums.hexdigest()

    def _next_block(self) -> bool:
        """Inflate one more block; False when the last one was."""
        if self._last:
            return False
        header = self._take(3)
        number = int.from_bytes(header, "little")
        self._last, kind, size = bool(number & 1), number >> 1 & 3, number >> 3
        if kind not in (_RAW, _RLE, _COMPRESSED) or size > _MAX_BLOCK:
            raise BadContent("The bundle is damaged", "A block of its zstd stream is none.")
        body = self._take(1 if kind == _RLE else size)
        checksum = self._take(self._checksum) if self._last else b""
        self._inflate(header + body + checksum)
        if self._last and not self._zstd.eof:
            raise BadContent("The bundle is damaged", "Its zstd stream does not end where it says.")
        return True

    def _header(self) -> bytes:
        start = self._take(5)
        if start[:4] != _MAGIC:
            raise BadContent(
                "This is no bundle",
                "It is not compressed with zstd.",
                "banger-tui image export writes bundles; for a plain filesystem: image register",
            )
        descriptor = start[4]
        single = descriptor >> 5 & 1
        self._checksum = 4 if descriptor >> 2 & 1 else 0
        dictionary = (0, 1, 2, 4)[descriptor & 3]
        content_size = (single, 2, 4, 8)[descriptor >> 6]
        return start + self._take((1 - single) + dictionary + content_size)

    def _inflate(self, data: bytes) -> None:
        try:
            self._ready = self._zstd.decompress(data)
        except zstandard.ZstdError as error:
            raise BadContent("The bundle is damaged", f"zstd: {error}.") from error
        self._position = 0

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise BadContent("The bundle is cut short", "Its zstd stream ends too early.")
        self._sums.update(data)
        self._work.advance(count)
        return data
