"""Compressed data, expanded with a bound: kernels, their modules, Debian's packages.

The content is known by its first bytes, whatever a file is called. Only the first stream counts:
in a kernel its uncompressed size follows (arch/x86/boot/compressed/Makefile: ``size_append``).
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain

import zstandard

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels import lz4
from banger_tui.engine.model import MIB

_CHUNK = 1 << 20
# What a decompressor may take: xz and zstd windows of kernels are up to 128 MiB.
_MEMORY = 512 * MIB
# zstd has no bound for what comes out of one call: a block of 128 KiB can be 4 bytes.
_ZSTD_PIECE = 512


class Compression(StrEnum):
    GZIP = "gzip"
    XZ = "xz"
    LZMA = "lzma"
    BZIP2 = "bzip2"
    ZSTD = "zstd"
    LZ4 = "LZ4"
    LZO = "LZO"


_MAGIC: Mapping[bytes, Compression] = {
    b"\x1f\x8b\x08": Compression.GZIP,
    b"\xfd7zXZ\0": Compression.XZ,
    b"\x5d\0\0": Compression.LZMA,
    b"BZh": Compression.BZIP2,
    b"\x28\xb5\x2f\xfd": Compression.ZSTD,
    lz4.MAGIC: Compression.LZ4,
    b"\x89LZO\0\r\n\x1a\n": Compression.LZO,
}


def compression_of(head: bytes) -> Compression | None:
    """How data with these first bytes is compressed; None: not in a way known here."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def expanded(pieces: Iterable[bytes], limit: int, what: str) -> Iterator[bytes]:
    """The data, piece by piece; data that is not compressed comes as it is. Blocking.

    Args:
        pieces: the compressed data.
        limit: the most bytes that may come out.
        what: what is expanded, for messages: "The module virtio_blk".

    Raises:
        BadContent: cut short, damaged, too large, or compressed with LZO.
    """
    rest = iter(pieces)
    head = next(rest, b"")
    kind = compression_of(head)
    source = chain((head,), rest)
    total = 0
    try:
        for piece in source if kind is None else _expand(kind, source, what):
            total += len(piece)
            if total > limit:
                raise BadContent(
                    f"{what} is too large", f"It expands to more than {limit // MIB} MiB."
                )
            yield piece
    except _DAMAGED as error:
        raise BadContent(f"{what} is damaged", f"Its {kind} data: {error}.") from error


def expand(data: bytes, limit: int, what: str) -> bytes:
    """All of it at once; raises as ``expanded``. Blocking."""
    return b"".join(expanded((data,), limit, what))


class _Damaged(Exception):
    """bz2 says so with an OSError, which must not be taken for one of the disk."""


_DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, lz4.DamagedLZ4, _Damaged,
)  # fmt: skip


def _expand(kind: Compression, pieces: Iterator[bytes], what: str) -> Iterator[bytes]:
    match kind:
        case Compression.GZIP:
            return _gzip(pieces)
        case Compression.XZ:
            return _steps(lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY), pieces)
        case Compression.LZMA:
            return _steps(lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MEMORY), pieces)
        case Compression.BZIP2:
            return _steps(bz2.BZ2Decompressor(), pieces)
        case Compression.ZSTD:
            return _zstd(pieces)
        case Compression.LZ4:
            return lz4.expanded(b"".join(pieces))
    raise BadContent(
        f"{what} can't be read",
        f"It is compressed with {kind}, which is not supported.",
        "Use a kernel that is compressed another way, or its vmlinux.",
    )


def _steps(
    decompressor: lzma.LZMADecompressor | bz2.BZ2Decompressor, pieces: Iterator[bytes]
) -> Iterator[bytes]:
    step: Callable[[bytes, int], bytes] = decompressor.decompress
    for given in pieces:
        piece = given
        while True:
            try:
                yield step(piece, _CHUNK)
            except OSError as error:
                raise _Damaged(str(error)) from error
            if decompressor.eof:
                return
            if decompressor.needs_input:
                break
            piece = b""
    raise EOFError("it ends too early")


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for given in pieces:
        piece = given
        while piece:
            yield decompressor.decompress(piece, _CHUNK)
            if decompressor.eof:
                return
            piece = decompressor.unconsumed_tail
    yield decompressor.flush()
    if not decompressor.eof:
        raise EOFError("it ends too early")


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    for piece in pieces:
        for start in range(0, len(piece), _ZSTD_PIECE):
            yield decompressor.decompress(piece[start : start + _ZSTD_PIECE])
            if decompressor.eof:
                return
    raise EOFError("it ends too early")
