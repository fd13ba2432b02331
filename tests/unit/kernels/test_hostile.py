"""Hostile input of every way in: refused with a reason, and nothing is left of it."""
# ruff: noqa: ASYNC240 - files between steps hold up nobody in a test

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BadContent, BangerError, InvalidInput, LimitExceeded
from banger_tui.engine.kernels import boot_image
from banger_tui.engine.kernels.boot_image import has_pvh_entry, identify
from banger_tui.engine.kernels.modules import MAX_MODULE
from banger_tui.engine.kernels.sources import FromFiles, FromPackage, KernelSource
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import GIB, MIB
from tests.engine_fixtures.engines import fake_engine
from tests.engine_fixtures.inspection import assert_consistent
from tests.unit.kernels import samples
from tests.unit.kernels.samples import VERSION

TREE = f"./lib/modules/{VERSION}/"
LIMITS = Limits(max_rootfs_bytes=4 * MIB, max_entries=1000, max_path_bytes=512)

Make = Callable[[Path], KernelSource]


@pytest.fixture
async def engine(tmp_path: Path, own_shell: None) -> AsyncIterator[Engine]:
    async with fake_engine(tmp_path / "home", limits=LIMITS) as opened:
        yield opened


def package(data: bytes) -> Make:
    def make(place: Path) -> KernelSource:
        (place / "p.deb").write_bytes(data)
        return FromPackage(place / "p.deb")

    return make


def without(*words: str, **more: bytes) -> bytes:
    """A sound package but for the files with one of the words in their names; and ``more``."""
    files = samples.package_files()
    kept = {name: data for name, data in files.items() if not any(w in name for w in words)}
    return samples.deb({**kept, **more})


def links(kind: bytes, target: str) -> bytes:
    """A package whose kernel is a link."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        info = tarfile.TarInfo(f"./boot/vmlinuz-{VERSION}")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return samples.ar({"debian-binary": b"2.0\n", "data.tar": whole.getvalue()})


def members(**data: bytes) -> bytes:
    return samples.ar({name.replace("_", "."): content for name, content in data.items()})


SOUND = samples.deb()
BOMB = samples.deb({"./usr/bomb": bytes(64 * MIB)})
CONTROL = samples.ar({"debian-binary": b"2.0\n", "\x1b[2Jcontrol": bytes(100)})[:-50]

PACKAGES: dict[str, tuple[bytes, str]] = {
    "cut short": (SOUND[: len(SOUND) // 2], "cut short"),
    "cut in a header": (SOUND[:100], "should begin another part"),
    "no package": (b"\x7fELF" + bytes(200), "does not begin as one"),
    "a part larger than the file": (
        SOUND.replace(b"%-10d`" % 4, b"9999999999`", 1), "cut short"
    ),
    "a negative part": (SOUND.replace(b"%-10d`" % 4, b"-4        `", 1), "should begin another"),
    "no number": (SOUND.replace(b"%-10d`" % 4, b"4e9       `", 1), "should begin another"),
    "long names": (samples.ar({"//": b"data.tar/\n", "/0": b"x"}), "no debian-binary"),
    "no debian-binary": (members(data_tar=b""), "no debian-binary"),
    "data.tar twice, the first one damaged": (
        samples.ar({"debian-binary": b"2.0\n", "data.tar": b"x" * 2048, "data.tar.xz": b""}),
        "p.deb can't be read",
    ),
    "no archive in it": (
        samples.ar({"debian-binary": b"2.0\n", "data.tar.xz": samples.COMPRESSIONS["xz"](b"?")}),
        "p.deb can't be read",
    ),
    "xz cut short": (
        samples.ar({"debian-binary": b"2.0\n",
                    "data.tar.xz": samples.COMPRESSIONS["xz"](bytes(5000))[:-20]}),
        "p.deb is damaged",
    ),
    "a bomb": (BOMB, "expands to more than 4 MiB"),
    "entries without end": (
        samples.deb({f"./usr/{number}": b"" for number in range(1100)}), "max_entries"
    ),
    "a path without end": (samples.deb({f"./{'d/' * 300}x": b""}), "max_path_bytes"),
    "only above the root": (
        samples.deb({f"../../boot/vmlinuz-{VERSION}": samples.bzimage()}), "holds no kernel"
    ),
    "the kernel is a symlink": (links(tarfile.SYMTYPE, "/etc/shadow"), "holds no kernel"),
    "the kernel is a hardlink": (links(tarfile.LNKTYPE, "/etc/shadow"), "holds no kernel"),
    "the kernel is a device": (links(tarfile.CHRTYPE, ""), "holds no kernel"),
    "a kernel that is none": (
        samples.deb({f"./boot/vmlinuz-{VERSION}": b"#!/bin/sh"}), "no kernel that can be booted"
    ),
    "modules above the tree only": (
        without("virtio_blk", **{f"{TREE}kernel/../../../virtio_blk.ko": samples.module()}),
        "no module virtio_blk",
    ),
    "a module of another kernel": (
        without("virtio_blk", **{f"{TREE}kernel/virtio_blk.ko": samples.module(version="5.0")}),
        "made for 5.0",
    ),
    "a module that is none": (
        without("virtio_blk", **{f"{TREE}kernel/virtio_blk.ko": b"\x7fELF\x02\x01" + bytes(80)}),
        "no sound ELF file",
    ),
    "a module that needs a path": (
        without("virtio_blk", **{
            f"{TREE}kernel/virtio_blk.ko": samples.module("../../x"),
            f"{TREE}kernel/../../x.ko": samples.module(),
        }),
        "no module ../../x",
    ),
    "a module with lines in its name": (
        without("virtio_blk", **{
            f"{TREE}kernel/virtio_blk.ko": samples.module("a\nb"),
            f"{TREE}kernel/a\nb.ko": samples.module(),
        }),
        "no module 'a\\nb'",
    ),
    "modules without end": (
        without("virtio_blk", **{
            f"{TREE}kernel/virtio_blk.ko": samples.module("m0"),
            **{f"{TREE}kernel/m{n}.ko": samples.module(f"m{n + 1}") for n in range(300)},
        }),
        "over 256 modules",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PACKAGES)
async def test_packages(engine: Engine, tmp_path: Path, case: str) -> None:
    data, reason = PACKAGES[case]
    await refused(engine, package(data)(tmp_path), reason)
    assert {entry.name for entry in tmp_path.iterdir()} == {"home", "p.deb"}


async def test_the_sound_one_is_taken(engine: Engine, tmp_path: Path) -> None:
    """What the cases above are made of passes: they fail for what was changed in them."""
    source = package(without("nothing"))(tmp_path)
    assert (await (await engine.kernels.import_kernel("mine", source)).result()).name == "mine"


async def test_what_a_part_is_called_is_told_harmlessly(engine: Engine, tmp_path: Path) -> None:
    error = await refused(engine, package(CONTROL)(tmp_path), "cut short")
    assert "\x1b" not in str(error)


async def refused(engine: Engine, source: KernelSource, reason: str) -> BangerError:
    operation = await engine.kernels.import_kernel("mine", source)
    with pytest.raises((BadContent, InvalidInput)) as caught:
        await operation.result()
    told = f"{caught.value} {caught.value.hint}"
    assert reason in told
    assert operation.view.failure is not None
    assert await engine.kernels.list() == []
    await assert_consistent(engine)
    return caught.value


@pytest.mark.parametrize("place", ["kernel", "modules", "initrd", "config", "package"])
@pytest.mark.parametrize("kind", ["pipe", "directory", "device", "missing"])
async def test_what_is_no_file(engine: Engine, tmp_path: Path, place: str, kind: str) -> None:
    """A named pipe would be waited for, a device read for ever."""
    given = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(given)
    elif kind == "directory":
        given.mkdir()
    elif kind == "device":
        given.symlink_to("/dev/zero")
    good = tmp_path / "vmlinux"
    good.write_bytes(samples.vmlinux())
    sources: dict[str, KernelSource] = {
        "kernel": FromFiles(given),
        "modules": FromFiles(good, modules=given),
        "initrd": FromFiles(good, initrd=given),
        "config": FromFiles(good, config=given),
        "package": FromPackage(given),
    }
    await refused(engine, sources[place], str(given))


async def test_a_pipe_in_a_tree_of_modules_is_none_of_them(engine: Engine, tmp_path: Path) -> None:
    files = {n: d for n, d in samples.tree_files().items() if "virtio_blk" not in n}
    samples.write_tree(tmp_path / "tree", files)
    os.mkfifo(tmp_path / "tree/kernel/drivers/virtio_blk.ko")
    (tmp_path / "tree/kernel/drivers/loop").symlink_to(".", target_is_directory=True)
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux())
    source = FromFiles(tmp_path / "vmlinux", modules=tmp_path / "tree")
    await refused(engine, source, "no module virtio_blk")


async def test_files_that_are_too_large(engine: Engine, tmp_path: Path) -> None:
    """Sparse ones, so that they are quickly made; none of them is read whole."""
    good, huge = tmp_path / "vmlinux", tmp_path / "huge"
    good.write_bytes(samples.vmlinux())
    cases = {
        samples.vmlinux(): FromFiles(huge),
        b"070701": FromFiles(good, initrd=huge),
        b"CONFIG_X=y\n": FromFiles(good, config=huge),
    }
    for head, source in cases.items():
        huge.write_bytes(head)
        os.truncate(huge, 40 * GIB)
        await refused(engine, source, "huge")
    huge.unlink()
    samples.write_tree(tmp_path / "tree", samples.tree_files())
    (module,) = (tmp_path / "tree").rglob("virtio_blk.ko*")
    os.truncate(module, MAX_MODULE + 1)
    await refused(engine, FromFiles(good, modules=tmp_path / "tree"), "virtio_blk")


async def test_limits_of_the_person_hold(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux())
    archive = tmp_path / "modules.tar"
    archive.write_bytes(samples.tar({f"{n}": b"" for n in range(1100)}))
    source = FromFiles(tmp_path / "vmlinux", modules=archive)
    operation = await engine.kernels.import_kernel("mine", source)
    with pytest.raises(LimitExceeded, match="max_entries"):
        await operation.result()


def test_a_packed_image_is_looked_through_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = samples.arm_image()
    start = whole.index(b"Linux version")
    inner = whole[:start] + bytes(3 * MIB - 9 - start) + whole[start:]
    assert identify(gzip.compress(inner, mtime=0)).version == VERSION, (
        "the banner lies across two pieces"
    )
    monkeypatch.setattr(boot_image, "MAX_EXPANDED", 2 * MIB)
    with pytest.raises(BadContent, match="more than 2 MiB"):
        identify(gzip.compress(inner, mtime=0))
    with pytest.raises(BadContent, match="no kernel"):
        identify(gzip.compress(inner[:60] + bytes(MIB), mtime=0))


def test_headers_beyond_any_file_have_no_entry() -> None:
    data = bytearray(samples.vmlinux())
    struct.pack_into("<Q", data, 32, (1 << 64) - 1)
    assert not has_pvh_entry(bytes(data))
