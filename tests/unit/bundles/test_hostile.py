"""Bundles made to do harm: refused with a reason, and nothing is left of them."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.bundles import tar
from banger_tui.engine.bundles.manifest import MANIFEST, ROOTFS, FileSum, Manifest, decode
from banger_tui.engine.bundles.sparse import Extent
from banger_tui.engine.errors import (
    BadContent,
    DigestMismatch,
    HostLacks,
    LimitExceeded,
    NotEnoughDisk,
)
from banger_tui.engine.limits import Limits
from tests.unit.bundles.samples import (
    LIMITS,
    compressed,
    member,
    plain_manifest,
    sparse_member,
    unpacked,
    written,
)

DATA = b"root" * 300
VMLINUZ = FileSum(hashlib.sha256(b"linux").hexdigest(), 5)


async def refused(plain: bytes, tmp_path: Path, limits: Limits = LIMITS) -> BadContent:
    source, into = tmp_path / "hostile", tmp_path / "into"
    source.write_bytes(compressed(plain))
    with pytest.raises(BadContent) as caught:
        await unpacked(source, into, limits)
    assert list(into.iterdir()) == []
    assert str(caught.value).isprintable()
    return caught.value


def head(tmp_path: Path, **files: FileSum) -> bytes:
    return member(MANIFEST, plain_manifest(DATA, tmp_path, **files).encode())


def link(name: str, kind: bytes, target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info.tobuf(tarfile.USTAR_FORMAT)


async def test_the_frame_for_the_cases_below_is_sound(tmp_path: Path) -> None:
    plain = head(tmp_path, **{"kernel/vmlinuz": VMLINUZ})
    plain += member(ROOTFS, DATA) + member("kernel/vmlinuz", b"linux") + tar.END
    source = tmp_path / "sound"
    source.write_bytes(compressed(plain))
    await unpacked(source, tmp_path / "into")
    assert (tmp_path / "into" / "kernel/vmlinuz").read_bytes() == b"linux"


SOUND = member(ROOTFS, DATA)
BELONGS = {
    "nothing": (b"", "too early"),
    "end at once": (tar.END, "second file is not rootfs.ext4"),
    "half an end": (tar.END[:512], "too early"),
    "other first": (member("other", DATA) + tar.END, "second file"),
    "parent": (member("../rootfs.ext4", DATA) + tar.END, "second file"),
    "absolute": (member("/rootfs.ext4", DATA) + tar.END, "second file"),
    "short": (member(ROOTFS, DATA[:-1]) + tar.END, "has 1199 bytes"),
    "twice": (SOUND + SOUND + tar.END, "is not in its manifest"),
    "kernel": (SOUND + member("kernel/vmlinuz", b"linux") + tar.END, "is not in its manifest"),
    "climbs": (SOUND + member("kernel/../../x", b"") + tar.END, "is not in its manifest"),
    "symlink": (SOUND + link("kernel", tarfile.SYMTYPE, "/tmp") + tar.END, "does not belong"),
    "symlink without target": (SOUND + link("kernel", tarfile.SYMTYPE) + tar.END, "no plain file"),
    "hard link": (SOUND + link("k", tarfile.LNKTYPE, ROOTFS) + tar.END, "does not belong"),
    "directory": (SOUND + link("etc/", tarfile.DIRTYPE) + tar.END, "does not belong"),
    "device": (SOUND + link("x", tarfile.CHRTYPE) + tar.END, "no plain file"),
    "rootfs a fifo": (link(ROOTFS, tarfile.FIFOTYPE) + tar.END, "no plain file"),
    "old sparse": (link(ROOTFS, tarfile.GNUTYPE_SPARSE) + tar.END, "no plain file"),
    "long name": (link("././@LongLink", tarfile.GNUTYPE_LONGNAME) + tar.END, "no plain file"),
    "part of a block": (SOUND + tar.END + b"\0" * 511, "too early"),
    "behind the end": (SOUND + tar.END + b"\0" * 511 + b"x", "follows its end"),
    "much behind the end": (SOUND + tar.END + bytes(2 << 20), "follows its end"),
    "end not marked": (SOUND + tar.END[:512] + b"\0" * 511 + b"x", "not marked"),
    "no header": (SOUND + b"x" * 512, "header is damaged"),
    "control characters": (SOUND + link("a\x1b[2J", tarfile.REGTYPE) + tar.END, "a name that"),
    "padding": (SOUND[:-1] + b"x" + tar.END, "not empty"),
}


@pytest.mark.parametrize("case", BELONGS)
async def test_what_does_not_belong_there(tmp_path: Path, case: str) -> None:
    behind, why = BELONGS[case]
    assert why in (await refused(head(tmp_path) + behind, tmp_path)).detail


async def test_other_content_than_the_manifest_says(tmp_path: Path) -> None:
    plain = head(tmp_path) + member(ROOTFS, DATA[:-1] + b"!") + tar.END
    assert isinstance(await refused(plain, tmp_path), DigestMismatch)


async def test_the_manifest_comes_first_and_once(tmp_path: Path) -> None:
    first = "first file is not manifest.json"
    assert first in (await refused(SOUND + head(tmp_path) + tar.END, tmp_path)).detail
    assert first in (await refused(tar.END, tmp_path)).detail
    twice = head(tmp_path) + head(tmp_path) + tar.END
    assert "second file" in (await refused(twice, tmp_path)).detail


async def test_files_of_the_kernel_are_as_the_manifest_says(tmp_path: Path) -> None:
    start = head(tmp_path, **{"kernel/vmlinuz": VMLINUZ}) + member(ROOTFS, DATA)
    for behind, why in (
        (b"", "kernel/vmlinuz is missing"),
        (member("kernel/vmlinuz", b"linuX"), "SHA-256"),
        (member("kernel/vmlinuz", b"linux!"), "has 6 bytes"),
        (member("kernel/vmlinux", b"linux"), "not in its manifest"),
        (member("kernel/vmlinuz", b"linux") * 2, "not in its manifest"),
        (sparse_member("kernel/vmlinuz", 5, (Extent(0, 4),), b"linu"), "has holes"),
    ):
        assert why in (await refused(start + behind + tar.END, tmp_path)).detail


# --------------------------------------------------------------------------- maps of holes


def mapped(text: bytes, data: bytes, size: int, stored: int | None = None) -> bytes:
    """The filesystem with this text as its map."""
    right = sparse_member(ROOTFS, size, (), b"")
    text += tar.padding(len(text))
    stored = len(text) + len(data) if stored is None else stored
    head = right[: 3 * 512][: right.index(b"GNUSparseFile.0/")]
    return head + tar.file_head("GNUSparseFile.0/x", stored) + text + data + tar.padding(len(data))


@pytest.mark.parametrize(
    ("text", "data", "stored", "why"),
    [
        (b"1\n0\n1201\n", b"x" * 1201, None, "no sense"),
        (b"1\n1200\n1\n", b"x", None, "no sense"),
        (b"2\n100\n10\n0\n10\n", b"x" * 20, None, "no sense"),
        (b"2\n0\n10\n5\n10\n", b"x" * 20, None, "no sense"),
        (b"1\n-1\n10\n", b"x" * 10, None, "number in its archive"),
        (b"1\n0\n0x5\n", b"x" * 5, None, "number in its archive"),
        (b"1\n0\n 5\n", b"x" * 5, None, "number in its archive"),
        (b"1\n0\n05\n", b"x" * 5, None, "number in its archive"),
        (b"\n", b"", 512, "number in its archive"),
        (b"1\n0\n99999999999999999999999\n", b"", None, "number in its archive"),
        (b"1\n0\n5\n", b"x" * 4, None, "does not fit"),
        (b"1\n0\n5\n", b"x" * 512, 1024, "does not fit"),
        (b"99999999\n", b"", None, "max_entries"),
        (b"9" * 1024 + b"\n", b"", None, "too long"),
        (b"1\n0\n5\nrest", b"x" * 5, None, "follows a map"),
        (b"2\n0\n5\n", b"x" * 5, None, "too long"),
    ],
)
async def test_maps_that_make_no_sense(
    tmp_path: Path, text: bytes, data: bytes, stored: int | None, why: str
) -> None:
    plain = head(tmp_path) + mapped(text, data, len(DATA), stored) + tar.END
    assert why in (await refused(plain, tmp_path)).detail


async def test_the_map_of_the_cases_above_can_be_right(tmp_path: Path) -> None:
    source = tmp_path / "sound"
    source.write_bytes(
        compressed(head(tmp_path) + mapped(b"1\n0\n1200\n", DATA, len(DATA)) + tar.END)
    )
    await unpacked(source, tmp_path / "into")
    assert (tmp_path / "into" / ROOTFS).read_bytes() == DATA


def pax(record: bytes) -> bytes:
    block = tar.file_head("PaxHeaders.0/x", len(record))
    info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    info.type = tarfile.XHDTYPE
    return info.tobuf(tarfile.USTAR_FORMAT) + record + tar.padding(len(record))


PAX = {
    "path": (b"18 path=/etc/evil\n", "not known"),
    "too long": (b"99 mtime=1\n", "damaged"),
    "no length": (b"mtime=1\n", "damaged"),
    "no value": (b"7 size\n", "damaged"),
    "twice": (b"9 size=1\n9 size=2\n", "twice"),
    "no ASCII": (b"10 mtime=\xff\n", "damaged"),
    "half a map": (b"22 GNU.sparse.major=1\n", "not known"),
    "a map and no more": (b"24 GNU.sparse.name=evil\n", "a way that is not known"),
    "large": (b"x" * (65 << 10), "too long"),
}


@pytest.mark.parametrize("case", PAX)
async def test_pax_records_that_are_not_known(tmp_path: Path, case: str) -> None:
    record, why = PAX[case]
    plain = head(tmp_path) + pax(record) + member(ROOTFS, DATA) + tar.END
    assert why in (await refused(plain, tmp_path)).detail


async def test_pax_records_that_do_not_matter(tmp_path: Path) -> None:
    source = tmp_path / "sound"
    source.write_bytes(compressed(head(tmp_path) + pax(b"11 mtime=1\n") + SOUND + tar.END))
    await unpacked(source, tmp_path / "into")


async def test_a_huge_size_in_a_header(tmp_path: Path) -> None:
    for size in (1 << 33, 1 << 62, (1 << 87) - 1):
        plain = head(tmp_path) + tar.file_head(ROOTFS, size) + DATA + tar.END
        why = (await refused(plain, tmp_path)).detail
        assert "max_rootfs_bytes" in why or "has 8589934592 bytes" in why


# ------------------------------------------------------------------------------- the manifest


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(version=2),
        lambda m: m.update(version=True),
        lambda m: m.update(version="1"),
        lambda m: m.pop("version"),
        lambda m: m.pop("config"),
        lambda m: m.pop("rootfs"),
        lambda m: m.pop("files"),
        lambda m: m.pop("name"),
        lambda m: m.update(name=""),
        lambda m: m.update(name=7),
        lambda m: m.update(name="a\nb"),
        lambda m: m.update(name="\x1b]0;x\x07"),
        lambda m: m.update(name="\ud800"),
        lambda m: m.update(name="x" * 5000),
        lambda m: m.update(extra=1),
        lambda m: m.update({"\x1b[2J": 1}),
        lambda m: m.update(init="bin/sh"),
        lambda m: m.update(init="/bin/sh -c x"),
        lambda m: m.update(kernel=None),
        lambda m: m.update(platform="linux/amd64/../x"),
        lambda m: m.update(rootfs=[]),
        lambda m: m["rootfs"].update(content_digest="sha256:abc"),
        lambda m: m["rootfs"].update(content_digest="md5:" + "0" * 64),
        lambda m: m["rootfs"].update(size_bytes=-1),
        lambda m: m["rootfs"].update(size_bytes=0),
        lambda m: m["rootfs"].update(size_bytes=1.5),
        lambda m: m["rootfs"].update(size_bytes=True),
        lambda m: m["rootfs"].update(size_bytes=1 << 60),
        lambda m: m["rootfs"].update(more=1),
        lambda m: m.update(files=[]),
        lambda m: m.update(files={"kernel/vmlinuz": {"sha256": "0" * 64}}),
        lambda m: m.update(files={"kernel/vmlinuz": {"sha256": "0", "size": 1}}),
        lambda m: m.update(files={"kernel/vmlinuz": {"sha256": "0" * 64, "size": -1}}),
        lambda m: m.update(files={"kernel/vmlinuz": {"sha256": "0" * 64, "size": 1, "x": 1}}),
        lambda m: m.update(files={"rootfs.ext4": {"sha256": "0" * 64, "size": 1}}),
        lambda m: m.update(files={"kernel/../x": {"sha256": "0" * 64, "size": 1}}),
        lambda m: m.update(files={"kernel/modules/../x.ko": {"sha256": "0" * 64, "size": 1}}),
        lambda m: m.update(files={"kernel/modules/a/b.ko": {"sha256": "0" * 64, "size": 1}}),
        lambda m: m.update(files={f"kernel/modules/m{n}.ko": {} for n in range(5000)}),
        lambda m: m.update(config=[]),
        lambda m: m.update(config={"Env": "A=b"}),
        lambda m: m.update(config={"Env": [1]}),
        lambda m: m.update(config={"Env": ["A=\0"]}),
        lambda m: m.update(config={"Env": ["\udfff"]}),
        lambda m: m.update(config={"User": ["root"]}),
        lambda m: m.update(config={"Labels": {"a": 1}}),
        lambda m: m.update(config={"ExposedPorts": {"80": 1}}),
        lambda m: m.update(config={"Volumes": {}}),
    ],
)
async def test_a_manifest_that_is_wrong(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    content = json.loads(plain_manifest(DATA, tmp_path).encode())
    change(content)
    data = json.dumps(content).encode()
    error = await refused(member(MANIFEST, data) + SOUND + tar.END, tmp_path)
    assert error.title.startswith("manifest.json: manifest")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": NaN}', b"[" * 200_000,
        b'{"version": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "open", "list", "null", "bytes", "nan", "deep", "number"],
)  # fmt: skip
async def test_a_manifest_that_is_no_json(tmp_path: Path, data: bytes) -> None:
    error = await refused(member(MANIFEST, data) + member(ROOTFS, DATA) + tar.END, tmp_path)
    assert error.title.startswith("manifest.json")


def test_a_field_may_stand_once(tmp_path: Path) -> None:
    data = plain_manifest(DATA, tmp_path).encode().replace(b"{", b'{"name": "first", ', 1)
    with pytest.raises(BadContent, match="JSON"):
        decode(data, LIMITS)


def test_a_manifest_reads_back() -> None:
    one = Manifest("ü", "sha256:" + "a" * 64, 5, files={"kernel/vmlinux": VMLINUZ})
    assert decode(one.encode(), LIMITS) == one


# --------------------------------------------------------------------------------- the limits


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("max_manifest_bytes", 100),
        ("max_rootfs_bytes", 100),
        ("max_blob_bytes", 100),
        ("max_entries", 1),
    ],
)
async def test_each_limit_is_named(tmp_path: Path, name: str, most: int) -> None:
    exported, _, _ = await written(tmp_path)
    into = tmp_path / "into"
    with pytest.raises(LimitExceeded) as caught:
        await unpacked(Path(exported.path), into, replace(LIMITS, **{name: most}))
    assert name in caught.value.detail
    assert str(most) in caught.value.detail
    assert "config.toml" in caught.value.hint
    assert list(into.iterdir()) == []


async def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    """Some hundred bytes that say they are 60 GiB of zeros: neither memory nor time is spent."""
    size = 60 << 30
    manifest = Manifest("bomb", "sha256:" + "0" * 64, size)
    plain = member(MANIFEST, manifest.encode()) + tar.file_head(ROOTFS, size)
    # zstd blocks of one byte each that stand for 128 KiB (RFC 8878, RLE_Block), never ending
    bomb = io.BytesIO()
    bomb.write(compressed(plain)[:6] + len(plain).__lshift__(3).to_bytes(3, "little") + plain)
    bomb.write(((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\0")
    source = tmp_path / "bomb"
    source.write_bytes(bomb.getvalue())
    with pytest.raises(LimitExceeded, match="too large"):
        await unpacked(source, tmp_path / "into", replace(LIMITS, max_rootfs_bytes=1 << 30))
    with pytest.raises(BadContent, match="cut short"):
        await unpacked(source, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


async def test_a_window_that_would_take_all_memory(tmp_path: Path) -> None:
    source = tmp_path / "bomb"
    # window descriptor 0xff: 3.75 TiB (RFC 8878 section 3.1.1.1.2)
    source.write_bytes(b"\x28\xb5\x2f\xfd\x00\xff" + b"\x00" * 100)
    with pytest.raises(BadContent, match="damaged"):
        await unpacked(source, tmp_path / "into")


# ----------------------------------------------------------------------------------- the disk


async def test_a_full_disk_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported, _, _ = await written(tmp_path)
    into = tmp_path / "into"

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(NotEnoughDisk):
            await unpacked(Path(exported.path), into)
    assert list(into.iterdir()) == []


async def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    into = tmp_path / "into"
    with pytest.raises(HostLacks, match="Can't read"):
        await unpacked(tmp_path / "none", into)
    with pytest.raises(HostLacks, match="Can't unpack"):
        await unpacked(tmp_path, into)


async def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / ROOTFS).symlink_to(tmp_path / "victim")
    with pytest.raises(HostLacks):
        await unpacked(Path(exported.path), tmp_path / "into")
    assert not (tmp_path / "victim").exists()
