"""Compressed data of every kind: whole, cut short, damaged, larger than allowed."""

from __future__ import annotations

import io
import struct
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels import lz4
from banger_tui.engine.kernels.compression import compression_of, expand, expanded
from banger_tui.engine.model import MIB
from tests.unit.kernels.samples import COMPRESSIONS, in_kernel

WAYS = sorted(COMPRESSIONS)
DATA = bytes(range(256)) * 4096 + bytes(2 * MIB)


@pytest.mark.parametrize("way", WAYS)
def test_it_comes_out_as_it_went_in_whatever_follows(way: str) -> None:
    packed = in_kernel(way, DATA)
    assert str(compression_of(packed)).lower() == way
    assert expand(packed, len(DATA), "It") == DATA
    pieces = [packed[:16], *(packed[i : i + 999] for i in range(16, len(packed), 999))]
    assert b"".join(expanded(pieces, len(DATA), "It")) == DATA, "in pieces of any length"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_short_is_refused(way: str, share: float) -> None:
    packed = COMPRESSIONS[way](DATA)
    with pytest.raises(BadContent, match="It is damaged"):
        expand(packed[: int(len(packed) * share)], len(DATA), "It")


@pytest.mark.parametrize("way", [way for way in WAYS if way != "lzma"])
def test_a_flipped_bit_is_noticed(way: str) -> None:
    """LZMA alone has no checksum; the others notice, lz4 by its length at least."""
    packed = bytearray(in_kernel(way, DATA))
    packed[4 if way == "lz4" else len(packed) // 2] ^= 0x10
    with pytest.raises(BadContent, match="It is damaged"):
        expand(bytes(packed), 2 * len(DATA), "It")


@pytest.mark.parametrize("way", WAYS)
def test_more_than_allowed_is_refused_before_it_is_in_memory(way: str) -> None:
    bomb = in_kernel(way, bytes(48 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(BadContent, match="more than 1 MiB"):
            expand(bomb, MIB, "It")
        assert tracemalloc.get_traced_memory()[1] < 32 * MIB + len(bomb) * 2
    finally:
        tracemalloc.stop()


def test_what_is_not_compressed_passes() -> None:
    assert expand(b"plain", 10, "It") == b"plain"
    assert expand(b"", 10, "It") == b""
    with pytest.raises(BadContent, match="too large"):
        expand(b"plain" * MIB, MIB, "It")


def test_lzo_is_named() -> None:
    with pytest.raises(BadContent, match="LZO, which is not supported"):
        expand(b"\x89LZO\0\r\n\x1a\n" + bytes(100), MIB, "It")


def test_a_zstd_frame_of_unknown_size() -> None:
    whole = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(whole, closefd=False) as writer:
        writer.write(DATA)
    assert expand(whole.getvalue(), len(DATA), "It") == DATA


# ----------------------------------------------------------------------------------------- LZ4


@st.composite
def blocks(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A block as an encoder might write it, and what it stands for by a plain model."""
    out, packed = bytearray(), b""
    for _ in range(draw(st.integers(0, 8))):
        literals = draw(st.binary(min_size=0 if out else 1, max_size=300))
        out += literals
        distance = draw(st.integers(1, len(out)))
        length = draw(st.integers(4, 700))
        for _ in range(length):
            out.append(out[-distance])
        packed += token(literals, length - 4) + literals + struct.pack("<H", distance)
        packed += more(length - 4)
    last = draw(st.binary(min_size=1, max_size=300))
    return packed + token(last, 0) + last, bytes(out + last)


def token(literals: bytes, match: int) -> bytes:
    return bytes([min(len(literals), 15) << 4 | min(match, 15)]) + more(len(literals))


def more(length: int) -> bytes:
    return b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255]) if length >= 15 else b""


def frame(*packed: bytes, size: int) -> bytes:
    whole = b"".join(struct.pack("<I", len(block)) + block for block in packed)
    return lz4.MAGIC + whole + struct.pack("<I", size)


@given(st.lists(blocks(), max_size=3))
def test_lz4_blocks_mean_what_the_model_says(parts: list[tuple[bytes, bytes]]) -> None:
    wanted = b"".join(plain for _, plain in parts)
    packed = frame(*(block for block, _ in parts), size=len(wanted))
    assert b"".join(lz4.expanded(packed)) == wanted


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_by_one_error(data: bytes) -> None:
    try:
        list(lz4.expanded(lz4.MAGIC + data))
    except lz4.DamagedLZ4:
        pass


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"\x10A\x05\x00", "before the block"),
        (b"\x10A\x00\x00", "before the block"),
        (b"\x50AB", "literals are cut short"),
        (b"\x1fA\x01\x00" + b"\xff" * 40_000 + b"\x00", "larger than 8 MiB"),
        (b"\x10A\x01", "ends within a sequence"),
        (b"", "block is cut short"),
    ],
)
def test_broken_blocks_are_refused(block: bytes, reason: str) -> None:
    with pytest.raises(lz4.DamagedLZ4, match=reason):
        list(lz4.expanded(frame(block, size=1)))


def test_a_wrong_size_is_refused() -> None:
    with pytest.raises(lz4.DamagedLZ4, match="another than it says"):
        list(lz4.expanded(frame(b"\x10A", size=2)))
    with pytest.raises(lz4.DamagedLZ4):
        list(lz4.expanded(frame(b"\x10A", size=1) + b"\0"))
