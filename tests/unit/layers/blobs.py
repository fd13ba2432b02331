"""Blobs of layers, compressed in each way, and a place to inflate them."""

from __future__ import annotations

import gzip
import hashlib
import random
import struct
from pathlib import Path

import pytest
import zstandard

from banger_tui.engine.errors import BadContent, BangerError
from banger_tui.engine.layers.inflate import inflate
from banger_tui.engine.limits import Limits
from tests.layer_cases import tar

DATA = tar.layer(
    tar.file(b"random", random.Random(1).randbytes(700_000)),
    tar.file(b"text", b"many words " * 40_000),
    tar.file(b"zeros", bytes(3 << 20)),
)
OCI = "application/vnd.oci.image.layer.v1.tar"
DOCKER = "application/vnd.docker.image.rootfs.diff.tar"


def zstd(data: bytes, **options: object) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True, **options).compress(data)  # type: ignore[arg-type]


GZIP = gzip.compress(DATA, 6, mtime=0)
ZSTD = zstd(DATA)
BLOBS = {"none": DATA, "gzip": GZIP, "zstd": ZSTD, "empty": b""}
"""By name, as tests take parameters for their ids."""
SKIPPED = struct.pack("<II", 0x184D2A53, 5) + b"notes"


class Blob:
    """A file to inflate, beside the place it goes to."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "blob"
        self.target = directory / "target"

    def inflate(
        self, data: bytes, media_type: str | None = None, limits: Limits | None = None
    ) -> bytes:
        self.path.write_bytes(data)
        result = inflate(self.path, self.target, media_type, limits or Limits())
        out = self.target.read_bytes()
        assert result.size_bytes == len(out)
        assert result.diff_id == f"sha256:{hashlib.sha256(out).hexdigest()}"
        self.target.unlink()
        return out

    def refuse(
        self, data: bytes, words: str, media_type: str | None = None, limits: Limits | None = None
    ) -> BangerError:
        self.path.write_bytes(data)
        with pytest.raises(BadContent, match=words) as caught:
            inflate(self.path, self.target, media_type, limits or Limits())
        assert not self.target.exists()
        return caught.value
