"""Blobs to uncompressed files: every way of compressing, every way of being broken."""

from __future__ import annotations

import contextlib
import gzip
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
import zstandard

from banger_tui.engine.errors import BadContent
from banger_tui.engine.layers.compression import is_layer
from tests.unit.layers.blobs import BLOBS, DATA, DOCKER, GZIP, OCI, SKIPPED, ZSTD, Blob, zstd


@pytest.fixture
def blob(tmp_path: Path) -> Blob:
    return Blob(tmp_path)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("none", None),
        ("gzip", None),
        ("zstd", None),
        ("none", OCI),
        ("gzip", f"{OCI}+gzip"),
        ("zstd", f"{OCI}+zstd"),
        ("none", DOCKER),
        ("gzip", f"{DOCKER}.gzip"),
        ("zstd", f"{DOCKER}.zstd"),
        ("gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        ("gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
    ],
)
def test_each_compression(blob: Blob, name: str, media_type: str | None) -> None:
    assert blob.inflate(BLOBS[name], media_type) == DATA
    assert media_type is None or is_layer(media_type)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("none", f"{OCI}+gzip"),
        ("none", f"{OCI}+zstd"),
        ("gzip", OCI),
        ("gzip", f"{OCI}+zstd"),
        ("zstd", f"{DOCKER}.gzip"),
        ("zstd", DOCKER),
        ("empty", f"{OCI}+gzip"),
    ],
)
def test_a_media_type_that_contradicts(blob: Blob, name: str, media_type: str) -> None:
    blob.refuse(BLOBS[name], "should be", media_type)


@pytest.mark.parametrize(
    "media_type",
    ["", "application/json", f"{OCI}+xz", f"{OCI}+gzip;x=y", "application/octet-stream"],
)
def test_a_media_type_of_no_layer(blob: Blob, media_type: str) -> None:
    assert not is_layer(media_type)
    blob.refuse(GZIP, "media type", media_type)


def test_nothing_at_all_is_an_empty_archive(blob: Blob) -> None:
    assert blob.inflate(b"") == b""
    assert blob.inflate(b"", OCI) == b""


def test_compressed_nothing(blob: Blob) -> None:
    assert blob.inflate(gzip.compress(b"")) == b""
    assert blob.inflate(zstd(b"")) == b""


@pytest.mark.parametrize("parts", [2, 7, 400])
def test_gzip_of_many_members(blob: Blob, parts: int) -> None:
    step = len(DATA) // parts + 1
    members = [gzip.compress(DATA[at : at + step], 1) for at in range(0, len(DATA), step)]
    assert blob.inflate(b"".join(members)) == DATA
    assert blob.inflate(b"".join(members) + bytes(5000)) == DATA
    blob.refuse(b"".join(members)[:-1], "ends too early")


def test_gzip_of_the_command(blob: Blob) -> None:
    command = ["gzip", "--name", "--best"]
    named = subprocess.run(command, input=DATA, capture_output=True, check=True).stdout
    assert blob.inflate(named) == DATA


def test_gzip_with_every_header_field(blob: Blob) -> None:
    head = b"\x1f\x8b\x08" + bytes([2 | 4 | 8 | 16]) + bytes(4) + b"\0\3"
    head += struct.pack("<H", 4) + b"abcd" + b"name\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    body = zlib.compressobj(6, zlib.DEFLATED, -15)
    tail = struct.pack("<II", zlib.crc32(DATA), len(DATA))
    assert blob.inflate(head + body.compress(DATA) + body.flush() + tail) == DATA


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_gzip_members_that_end_where_a_read_does(blob: Blob, missing: int) -> None:
    plain = gzip.compress(b"first", mtime=0)
    name = b"n" * ((256 << 10) - len(plain) - 1 - missing) + b"\0"
    first = plain[:3] + b"\x08" + plain[4:10] + name + plain[10:]
    assert len(first) == (256 << 10) - missing
    assert blob.inflate(first + gzip.compress(b"second")) == b"firstsecond"
    assert blob.inflate(first + bytes(9)) == b"first"
    blob.refuse(first + b"garbage", "follows")
    blob.refuse(first + b"\x1f", "follows")


def test_zstd_of_many_frames(blob: Blob) -> None:
    step = 300_000
    frames = [zstd(DATA[at : at + step]) for at in range(0, len(DATA), step)]
    assert blob.inflate(b"".join(frames)) == DATA
    assert blob.inflate(SKIPPED + SKIPPED.join(frames) + SKIPPED) == DATA
    assert blob.inflate(zstd(b"") + b"".join(frames) + zstd(b"")) == DATA


def test_zstd_without_size_and_checksum(blob: Blob) -> None:
    compressor = zstandard.ZstdCompressor(
        write_checksum=False, write_content_size=False
    ).compressobj()
    assert blob.inflate(compressor.compress(DATA) + compressor.flush()) == DATA


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_cut_short_anywhere(blob: Blob, name: str) -> None:
    whole = BLOBS[name]
    dice = random.Random(5)
    for at in [*range(5, 25), *(dice.randrange(30, len(whole)) for _ in range(40))]:
        blob.refuse(whole[: len(whole) - at], "ends too early")
    for at in (1, 2, 3, 4):
        blob.refuse(whole[:-at], "ends too early")
    blob.refuse(whole[:10], "ends too early")


def test_zstd_frame_cut_to_its_magic(blob: Blob) -> None:
    blob.refuse(ZSTD[:4], "ends too early")
    blob.refuse(ZSTD + ZSTD[:4], "ends too early")
    blob.refuse(ZSTD + SKIPPED[:-1], "ends too early")
    blob.refuse(ZSTD + SKIPPED[:6], "follows")


@pytest.mark.parametrize(
    "garbage",
    [b"garbage", b"\1", b"\x1f", bytes(600) + b"x", bytes(1 << 20) + b"x"],
    ids=["text", "byte", "half a magic", "zeros first", "many zeros first"],
)
def test_something_behind_gzip(blob: Blob, garbage: bytes) -> None:
    blob.refuse(GZIP + garbage, "follows")


@pytest.mark.parametrize(
    "garbage",
    [b"garbage", b"\1", bytes(600), ZSTD[:3], GZIP],
    ids=["text", "byte", "zeros", "part of a magic", "gzip"],
)
def test_something_behind_zstd(blob: Blob, garbage: bytes) -> None:
    blob.refuse(ZSTD + garbage, "follows")


def test_padding_behind_gzip(blob: Blob) -> None:
    assert blob.inflate(GZIP + bytes(1)) == DATA
    assert blob.inflate(GZIP + bytes(1 << 20)) == DATA
    blob.refuse(GZIP + bytes(10) + GZIP, "follows")


def test_wrong_checksums(blob: Blob) -> None:
    for at in (8, 4):
        blob.refuse(GZIP[:-at] + bytes([GZIP[-at] ^ 1]) + GZIP[len(GZIP) - at + 1 :], "damaged")
    blob.refuse(ZSTD[:-1] + bytes([ZSTD[-1] ^ 1]), "damaged")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_flipped_bits_are_found_or_mean_nothing(blob: Blob, name: str) -> None:
    whole = BLOBS[name]
    dice = random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        at = dice.choice([dice.randrange(len(data)), dice.randrange(20), -1 - dice.randrange(20)])
        data[at] ^= 1 << dice.randrange(8)
        with contextlib.suppress(BadContent):
            assert blob.inflate(bytes(data)) in (DATA, bytes(data))
        assert not blob.target.exists()


def test_a_zstd_window_too_large(blob: Blob) -> None:
    # A frame without its size, that asks for a window of 2 GiB; one empty raw block.
    frame = struct.pack("<I", 0xFD2FB528) + b"\x00" + bytes([21 << 3]) + b"\x01\0\0"
    error = blob.refuse(frame, "memory")
    assert "zstd" in error.detail
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    assert (
        blob.inflate(zstandard.ZstdCompressor(compression_params=parameters).compress(DATA)) == DATA
    )


def test_a_zstd_dictionary(blob: Blob) -> None:
    words = zstandard.ZstdCompressionDict(
        b"many words " * 100, dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    assert blob.inflate(zstandard.ZstdCompressor(dict_data=words).compress(b"a")) == b"a"
    frame = struct.pack("<I", 0xFD2FB528) + b"\x21" + b"\x07" + b"\x01" + b"\x09\0\0x"
    blob.refuse(frame, "zstd data is damaged")


def test_a_reserved_zstd_block(blob: Blob) -> None:
    frame = struct.pack("<I", 0xFD2FB528) + b"\x20\x01" + b"\x07\0\0"
    blob.refuse(frame, "damaged")
