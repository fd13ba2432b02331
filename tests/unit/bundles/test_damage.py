"""A flipped bit is found wherever it is, and so is whatever is missing or too much."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from banger_tui.engine.bundles import frame
from banger_tui.engine.errors import BadContent, DigestMismatch
from tests.unit.bundles.samples import compressed, content, unpacked, written


async def refused(data: bytes, tmp_path: Path) -> BadContent:
    """The error; nothing is left."""
    source, into = tmp_path / "damaged", tmp_path / "into"
    source.write_bytes(data)
    with pytest.raises(BadContent) as caught:
        await unpacked(source, into)
    assert list(into.iterdir()) == []
    return caught.value


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


async def test_every_flipped_bit_in_head_and_tail_is_found(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    data = content(exported)
    bits = len(data) * 8
    for bit in (*range(32 * 8), *range(bits - 60 * 8, bits)):
        await refused(flipped(data, bit), tmp_path)


async def test_a_flipped_bit_anywhere_is_found(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    data = content(exported)
    for byte in range(0, len(data), 29):
        await refused(flipped(data, byte * 8 + byte % 8), tmp_path)


async def test_flipped_bits_are_found_in_what_is_inside(tmp_path: Path) -> None:
    """As one would find them who knows how to make zstd's checksum and ours fit again."""
    import zstandard

    exported, _, _ = await written(tmp_path)
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(
        content(exported)
    )  # fmt: skip
    assert (await refused(flipped(compressed(plain), 100), tmp_path)).title
    passed = []
    for byte in range(0, len(plain), 37):
        source, into = tmp_path / "damaged", tmp_path / "into"
        source.write_bytes(compressed(flipped(plain, byte * 8 + byte % 8)))
        try:
            await unpacked(source, into)
        except BadContent:
            assert list(into.iterdir()) == []
        else:
            passed.append(byte)
            shutil.rmtree(into)
    # The manifest's own text has no digest but the file's: a letter of a label may be another.
    end = plain.index(b"\0" * 64, 512)
    assert all(512 <= byte < end for byte in passed), passed


async def test_a_bundle_cut_short_anywhere_is_found(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    data = content(exported)
    behind_the_frame = len(data) - 40
    for length in (*range(64), *range(64, len(data), 97), *range(len(data) - 64, len(data))):
        if length != behind_the_frame:
            await refused(data[:length], tmp_path)


async def test_without_the_digest_at_its_end_it_is_still_a_bundle(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    source = tmp_path / "short"
    source.write_bytes(content(exported)[:-40])
    await unpacked(source, tmp_path / "into")


@pytest.mark.parametrize("more", [b"\0", b"x" * 100, frame._TRAILER, frame._MAGIC])
async def test_what_follows_the_end_is_refused(tmp_path: Path, more: bytes) -> None:
    exported, _, _ = await written(tmp_path)
    data = content(exported)
    await refused(data + more, tmp_path)
    await refused(data[:-40] + more, tmp_path)
    await refused(data + data, tmp_path)


async def test_another_bundle_than_is_wanted(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    source, into = Path(exported.path), tmp_path / "into"
    with pytest.raises(DigestMismatch, match="is not the bundle"):
        await unpacked(source, into, sha256="0" * 64)
    assert list(into.iterdir()) == []
    with pytest.raises(BadContent, match="another size"):
        await unpacked(source, into, size=exported.size_bytes + 1)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08\x00", b"x" * 4096, b"\x28\xb5\x2f"])
async def test_no_bundle_at_all(tmp_path: Path, data: bytes) -> None:
    await refused(data, tmp_path)
