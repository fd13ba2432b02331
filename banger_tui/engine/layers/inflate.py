"""A layer as it came over the network, made into an uncompressed tar on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard
from isal import igzip_lib

from banger_tui.engine.errors import StorageFailure
from banger_tui.engine.layers import zstd_frames
from banger_tui.engine.layers.compression import GZIP_MAGIC, MAGIC_BYTES, Compression, agreed
from banger_tui.engine.layers.hashed_file import HashedFile
from banger_tui.engine.layers.meter import Meter, never
from banger_tui.engine.layers.refusal import Unsound, broken, exceeded
from banger_tui.engine.limits import Limits

_GzipError = cast(type[Exception], igzip_lib.IsalError)
"""The package declares it as an object."""

_IN: Final = 256 << 10
_OUT: Final = 1 << 20
_WINDOW_MAX: Final = 128 << 20
"""Memory that a zstd frame may ask for; what zstd itself allows unasked."""

_FREE: Final = 16 << 20
"""Headers and padding of small archives, beyond ``max_rootfs_bytes`` and a quarter of it."""


@dataclass(frozen=True, slots=True)
class Inflated:
    """``diff_id``: ``sha256:…`` of the uncompressed layer, to compare with the image's config."""

    diff_id: str
    size_bytes: int


def most_bytes(limits: Limits) -> int:
    """What layers may inflate to: the content allowed, and room for what tar puts around it."""
    return limits.max_rootfs_bytes + limits.max_rootfs_bytes // 4 + _FREE


def inflate(
    blob: Path,
    target: Path,
    media_type: str | None,
    limits: Limits,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[int], object] = lambda _: None,
    others_bytes: Callable[[], int] = lambda: 0,
) -> Inflated:
    """Write ``blob``, uncompressed, to the new file ``target``. Blocking.

    Long runs of zeros become holes. Nothing is left of ``target`` on any error.

    Args:
        media_type: must agree with what the bytes are; None: only the bytes count.
        stop: asked for each MiB; True ends the work.
        progress: told the bytes of ``blob`` read so far, in this thread.
        others_bytes: what the image's other layers have come to, as limits are for all together.

    Raises:
        BadContent: damaged, cut short, with something behind, or of another type.
        LimitExceeded: ``max_rootfs_bytes``.
        NotEnoughDisk, StorageFailure, OperationCancelled
    """
    meter = Meter(limits, stop)
    most = most_bytes(limits)
    try:
        file = blob.open("rb")
    except OSError as error:
        raise StorageFailure("A layer can't be read", f"{blob}: {error.strerror}.") from error
    with file, HashedFile(target) as output, ThreadPoolExecutor(1, "layer-writer") as writer:
        written = writer.submit(lambda: None)
        inflated = 0
        try:
            compression = agreed(media_type, file.read(MAGIC_BYTES))
            file.seek(0)
            for data in _data(compression, file, meter.go_on):
                meter.go_on()
                inflated += len(data)
                if inflated + others_bytes() > most:
                    what = f"Its layers inflate to {inflated + others_bytes():,} bytes or more"
                    raise exceeded("max_rootfs_bytes", limits.max_rootfs_bytes, what)
                # Hashing and writing take as long again as inflating: they go on beside it.
                written.result()
                written = writer.submit(output.write, data)
                progress(file.tell())
        except Unsound as error:
            raise broken(str(error)) from error
        written.result()
        output.finish()
        return Inflated(output.digest, output.size)


def _data(compression: Compression, file: BinaryIO, go_on: Callable[[], None]) -> Iterator[bytes]:
    """The uncompressed bytes, at most a MiB at a time.

    Raises:
        Unsound
    """
    if compression is Compression.GZIP:
        return _gzip(file)
    if compression is Compression.ZSTD:
        return _zstd(file, go_on)
    return iter(lambda: file.read(_OUT), b"")


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    """Any number of members; nothing but zeros may follow them, as gzip itself has it."""
    rest = file.read(_IN)
    while rest:
        member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        while not member.eof:
            if member.needs_input and not rest:
                rest = file.read(_IN)
                if not rest:
                    raise Unsound("the gzip file ends too early")
            fed, rest = (rest, b"") if member.needs_input else (b"", rest)
            try:
                data = member.decompress(fed, _OUT)
            except _GzipError as error:
                raise Unsound(f"its gzip data is damaged: {error}") from None
            if data:
                yield data
        rest = member.unused_data
        if len(rest) < len(GZIP_MAGIC):
            rest += file.read(_IN)
        if not rest.startswith(GZIP_MAGIC):
            while rest:
                if rest.strip(b"\0"):
                    raise Unsound("something follows the gzip data")
                rest = file.read(_IN)


def _zstd(file: BinaryIO, go_on: Callable[[], None]) -> Iterator[bytes]:
    zstd_frames.check(file, go_on)
    file.seek(0)
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX)
    with decompressor.stream_reader(
        file, read_size=_IN, read_across_frames=True, closefd=False
    ) as reader:
        while True:
            try:
                data = reader.read(_OUT)
            except zstandard.ZstdError as error:
                raise Unsound(f"its zstd data is damaged: {error}") from None
            if not data:
                return
            yield data
