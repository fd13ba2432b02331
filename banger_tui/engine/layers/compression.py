"""How a layer is compressed: what its bytes say, which its media type must agree with."""

from __future__ import annotations

from enum import Enum
from typing import Final

from banger_tui.engine.layers.refusal import Unsound


class Compression(Enum):
    NONE = "not compressed"
    GZIP = "gzip"
    ZSTD = "zstd"


MAGIC_BYTES: Final = 4
"""How many bytes ``found`` needs."""

GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED: Final = b"\x2a\x4d\x18"
"""After a first byte of 0x50 to 0x5f: a frame without data, as some writers begin with."""

_OCI: Final = "application/vnd.oci.image.layer."
_DOCKER: Final = "application/vnd.docker.image.rootfs."
_MEDIA_TYPES: Final = {
    f"{family}{suffix}": compression
    for family in (f"{_OCI}v1.tar", f"{_OCI}nondistributable.v1.tar")
    for suffix, compression in (
        ("", Compression.NONE),
        ("+gzip", Compression.GZIP),
        ("+zstd", Compression.ZSTD),
    )
} | {
    f"{family}{suffix}": compression
    for family in (f"{_DOCKER}diff.tar", f"{_DOCKER}foreign.diff.tar")
    for suffix, compression in (
        ("", Compression.NONE),
        (".gzip", Compression.GZIP),
        (".zstd", Compression.ZSTD),
    )
}


def found(magic: bytes) -> Compression:
    """What the first bytes say."""
    if magic.startswith(GZIP_MAGIC):
        return Compression.GZIP
    if magic.startswith(_ZSTD) or (magic[1:4] == _ZSTD_SKIPPED and magic[0] >> 4 == 5):
        return Compression.ZSTD
    return Compression.NONE


def is_layer(media_type: str) -> bool:
    """Whether it is one of the media types of layers, OCI's or Docker's."""
    return media_type in _MEDIA_TYPES


def agreed(media_type: str | None, magic: bytes) -> Compression:
    """The compression, if ``media_type`` (None: nothing is known) says the same as the bytes.

    Raises:
        Unsound: no media type of a layer, or another compression.
    """
    actual = found(magic)
    if media_type is None:
        return actual
    told = _MEDIA_TYPES.get(media_type)
    if told is None:
        raise Unsound(f"'{media_type[:100]}' is no media type of a layer")
    if told is not actual:
        raise Unsound(f"it should be {told.value}, but is {actual.value}")
    return actual
