"""What inflating may cost: bytes, memory, disk, time after a cancel."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from banger_tui.engine.errors import (
    LimitExceeded,
    NotEnoughDisk,
    OperationCancelled,
    StorageFailure,
)
from banger_tui.engine.layers.inflate import inflate, most_bytes
from banger_tui.engine.limits import Limits
from tests.unit.layers.blobs import BLOBS, DATA, GZIP, Blob, zstd


@pytest.fixture
def blob(tmp_path: Path) -> Blob:
    return Blob(tmp_path)


SMALL = Limits(max_rootfs_bytes=1 << 20)


@pytest.mark.parametrize("compress", [gzip.compress, zstd, bytes], ids=["gzip", "zstd", "none"])
def test_a_bomb(blob: Blob, compress: object) -> None:
    assert callable(compress)
    error = blob.refuse(compress(bytes(20 << 20)), "max_rootfs_bytes", limits=SMALL)
    assert isinstance(error, LimitExceeded)
    assert blob.inflate(compress(bytes(17 << 20)), limits=SMALL) == bytes(17 << 20)


def test_a_bomb_of_layers_together(blob: Blob) -> None:
    blob.path.write_bytes(GZIP)
    room = most_bytes(SMALL)
    kept = inflate(blob.path, blob.target, None, SMALL, others_bytes=lambda: room - len(DATA))
    assert kept.size_bytes == len(DATA)
    blob.target.unlink()
    with pytest.raises(LimitExceeded):
        inflate(blob.path, blob.target, None, SMALL, others_bytes=lambda: room - len(DATA) + 1)
    assert not blob.target.exists()


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_bomb_needs_no_memory(kind: str, tmp_path: Path) -> None:
    """A gigabyte of zeros, in a process of its own that may not have half of that."""
    path = tmp_path / "bomb"
    if kind == "gzip":
        path.write_bytes(gzip.compress(bytes(64 << 20), 6) * 16)
    else:
        # Blocks of one byte, 128 KiB each when they are out: the densest there is.
        blocks = (2 + (128 << 10 << 3)).to_bytes(3, "little") + b"\0"
        last = (3 + (128 << 10 << 3)).to_bytes(3, "little") + b"\0"
        path.write_bytes(struct.pack("<I", 0xFD2FB528) + b"\0\x38" + blocks * 8191 + last)
        assert path.stat().st_size < 40_000
    program = """
import re, sys
from pathlib import Path
from banger_tui.engine.layers.inflate import inflate
from banger_tui.engine.limits import Limits
print(inflate(Path(sys.argv[1]), Path(sys.argv[2]), None, Limits()).size_bytes)
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""
    command = [sys.executable, "-c", program, str(path), str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    size, peak_kib = map(int, result.stdout.split())
    assert size == 1 << 30
    assert peak_kib < 150_000
    assert (tmp_path / "out").stat().st_blocks * 512 < 1 << 20, "zeros became holes"


def test_zeros_become_holes(blob: Blob) -> None:
    data = os.urandom(100_000) + bytes(10 << 20) + os.urandom(100_000) + bytes(1 << 20)
    blob.path.write_bytes(gzip.compress(data, 1))
    inflate(blob.path, blob.target, None, Limits())
    assert blob.target.read_bytes() == data
    assert blob.target.stat().st_blocks * 512 < 600_000


def test_progress_tells_bytes_of_the_blob(blob: Blob) -> None:
    data = gzip.compress(os.urandom(4 << 20), 1)
    blob.path.write_bytes(data)
    seen: list[int] = []
    inflate(blob.path, blob.target, None, Limits(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(data)
    assert len(seen) >= 4


@pytest.mark.parametrize("name", ["gzip", "zstd", "none"])
def test_it_stops_when_it_is_told_to(blob: Blob, name: str) -> None:
    stopping = threading.Event()
    blob.path.write_bytes(BLOBS[name])
    with pytest.raises(OperationCancelled):
        inflate(
            blob.path,
            blob.target,
            None,
            Limits(),
            stop=stopping.is_set,
            progress=lambda _: stopping.set(),
        )
    assert not blob.target.exists()
    assert not [thread for thread in threading.enumerate() if "layer-writer" in thread.name]


def test_the_target_is_never_overwritten(blob: Blob) -> None:
    blob.path.write_bytes(GZIP)
    blob.target.write_bytes(b"mine")
    with pytest.raises(StorageFailure):
        inflate(blob.path, blob.target, None, Limits())
    assert blob.target.read_bytes() == b"mine"


def test_a_blob_that_is_not_there(blob: Blob) -> None:
    with pytest.raises(StorageFailure, match="No such file"):
        inflate(blob.path, blob.target, None, Limits())
    assert not blob.target.exists()


def test_a_full_disk(blob: Blob, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def pwrite(file: int, data: memoryview, offset: int) -> int:
        nonlocal written
        if written > 1 << 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(data)
        return real(file, data, offset)

    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    blob.path.write_bytes(gzip.compress(os.urandom(5 << 20), 1))
    with pytest.raises(NotEnoughDisk) as caught:
        inflate(blob.path, blob.target, None, Limits())
    assert str(blob.target.parent) in caught.value.detail
    assert caught.value.hint
    assert not blob.target.exists()


def test_a_file_size_limit_is_told_as_one(blob: Blob) -> None:
    """A real failure of the kernel in the middle of the writes, as a full disk is."""
    blob.path.write_bytes(gzip.compress(os.urandom(5 << 20), 1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, hard))
    try:
        with pytest.raises(StorageFailure, match="too large"):
            inflate(blob.path, blob.target, None, Limits())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not blob.target.exists()


def test_writes_that_take_part_of_what_they_are_given(
    blob: Blob, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: real(file, data[:99_999], offset))
    assert blob.inflate(GZIP) == DATA
