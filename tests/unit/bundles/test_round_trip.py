"""What is put into a bundle comes out of it, byte for byte, holes kept."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.bundles import sparse
from banger_tui.engine.bundles import write as writing
from banger_tui.engine.bundles.digest import ContentDigest
from banger_tui.engine.bundles.manifest import ROOTFS, FileSum
from banger_tui.engine.bundles.read import read
from banger_tui.engine.bundles.work import Work
from banger_tui.engine.bundles.write import write
from banger_tui.engine.errors import (
    BadContent,
    DigestMismatch,
    HostLacks,
    InvalidInput,
    LimitExceeded,
    NameTaken,
)
from banger_tui.engine.ext4.inspect import content_digest
from tests.unit.bundles.samples import (
    ABOUT,
    LIMITS,
    PAGE,
    Quiet,
    content,
    files_in,
    make_rootfs,
    run,
    sha256,
    small_rootfs,
    unpacked,
    written,
)

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")


def holes(path: Path) -> list[tuple[int, int]]:
    """(start, end) of what the filesystem keeps of a file."""
    with path.open("rb") as file:
        return list(sparse._segments(file.fileno(), path.stat().st_size))


async def test_filesystem_kernel_and_manifest_come_back(tmp_path: Path) -> None:
    exported, rootfs, kernel = await written(tmp_path)
    assert kernel is not None
    stage = Quiet()
    into = tmp_path / "into"
    into.mkdir()
    found = await read(
        Path(exported.path), into, limits=LIMITS, stage=stage,
        sha256=exported.digest.removeprefix("sha256:"), size=exported.size_bytes,
    )  # fmt: skip
    assert (into / ROOTFS).read_bytes() == rootfs.read_bytes()
    assert holes(into / ROOTFS) == holes(rootfs)
    assert found == replace(
        ABOUT,
        digest=content_digest(rootfs),
        size_bytes=rootfs.stat().st_size,
        files={
            name: FileSum(sha256(kernel / name[7:]), (kernel / name[7:]).stat().st_size)
            for name in (
                "kernel/initrd.img", "kernel/manifest.json", "kernel/modules/virtio_blk.ko",
                "kernel/vmlinuz",
            )
        },
    )  # fmt: skip
    assert sorted(str(p.relative_to(into)) for p in into.rglob("*") if p.is_file()) == sorted(
        [ROOTFS, *found.files]
    )
    for name in found.files:
        assert (into / name).read_bytes() == (kernel / name[7:]).read_bytes()
    assert (stage.done, stage.total) == (exported.size_bytes, exported.size_bytes)


async def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    exported, _, _ = await written(tmp_path)
    assert exported.size_bytes == len(content(exported))
    assert exported.digest == f"sha256:{sha256(Path(exported.path))}"
    assert files_in(tmp_path) == ["b.tar.zst", "source.ext4"]


async def test_the_same_files_give_the_same_bundle(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, _, _ = await written(tmp_path / "a")
    second, _, _ = await written(tmp_path / "b")
    assert first.digest == second.digest


@pytest.mark.parametrize("size", [1, PAGE, (1 << 20) + 1])
@pytest.mark.parametrize("data", [False, True])
async def test_filesystems_without_holes_and_without_anything_else(
    tmp_path: Path, size: int, data: bool
) -> None:
    rootfs = make_rootfs(tmp_path / "r", size, *([(0, b"x" * size)] if data else []))
    target = tmp_path / "b"
    await write(rootfs, ABOUT, target, stage=Quiet(), limits=LIMITS)
    await unpacked(target, tmp_path / "into")
    assert (tmp_path / "into" / ROOTFS).read_bytes() == rootfs.read_bytes()
    assert bool(holes(tmp_path / "into" / ROOTFS)) == data


async def test_pages_of_zeros_become_holes(tmp_path: Path) -> None:
    rootfs = make_rootfs(tmp_path / "r", 64 * PAGE, (0, bytes(60 * PAGE) + b"x"))
    await write(rootfs, ABOUT, tmp_path / "b", stage=Quiet(), limits=LIMITS)
    await unpacked(tmp_path / "b", tmp_path / "into")
    restored = tmp_path / "into" / ROOTFS
    assert restored.read_bytes() == rootfs.read_bytes()
    assert holes(restored) == [(60 * PAGE, 61 * PAGE)]


@needs_zstd
async def test_gnu_tar_restores_it(tmp_path: Path) -> None:
    exported, rootfs, _ = await written(tmp_path)
    into = tmp_path / "gnu"
    into.mkdir()
    run("tar", "--zstd", "-xf", exported.path, "-C", into)
    assert (into / ROOTFS).read_bytes() == rootfs.read_bytes()
    assert holes(into / ROOTFS) == holes(rootfs)
    assert (into / "kernel/modules/virtio_blk.ko").exists()


@needs_zstd
@pytest.mark.parametrize(
    "options",
    [
        ["--format=posix", "--sparse"],
        ["--format=posix"],
        ["--format=gnu"],
        ["--format=ustar"],
        ["--format=gnu", "--blocking-factor=1"],
    ],
)
async def test_what_gnu_tar_packs_is_read(tmp_path: Path, options: list[str]) -> None:
    exported, rootfs, _ = await written(tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    run("tar", "--zstd", "-xf", exported.path, "-C", tree)
    again = tmp_path / "again.tar.zst"
    run("tar", "--zstd", *options, "-cf", again, "./manifest.json", ROOTFS, "kernel", cwd=tree)
    found = await unpacked(again, tmp_path / "into")
    assert (tmp_path / "into" / ROOTFS).read_bytes() == rootfs.read_bytes()
    assert len(found.files) == 4


@given(
    size=st.integers(1, 400_000),
    pieces=st.lists(st.tuples(st.integers(0, 399_999), st.binary(min_size=1, max_size=70_000))),
)
def test_the_digest_is_the_one_of_images(
    tmp_path_factory: pytest.TempPathFactory, size: int, pieces: list[tuple[int, bytes]]
) -> None:
    directory = tmp_path_factory.mktemp("digest")
    rootfs = make_rootfs(directory / "r", size, *pieces)
    with rootfs.open("rb") as file:
        layout = sparse.scan(file.fileno(), Work())
    whole = rootfs.read_bytes()
    assert layout.digest == content_digest(rootfs)
    rebuilt = bytearray(layout.size)
    again = ContentDigest(layout.size)
    for extent in layout.extents:
        end = extent.position + extent.length
        rebuilt[extent.position : end] = whole[extent.position : end]
        again.feed(extent.position, whole[extent.position : end])
    assert rebuilt == whole
    assert again.value() == layout.digest
    assert sparse.valid(layout.extents, layout.size)
    shutil.rmtree(directory)


# ----------------------------------------------------------------------------- where it is put


async def test_a_file_that_is_there_stays_unless_told(tmp_path: Path) -> None:
    rootfs = small_rootfs(tmp_path / "r")
    target = tmp_path / "there"
    target.write_bytes(b"dear to somebody")
    with pytest.raises(NameTaken):
        await write(rootfs, ABOUT, target, stage=Quiet(), limits=LIMITS)
    assert target.read_bytes() == b"dear to somebody"
    await write(rootfs, ABOUT, target, stage=Quiet(), limits=LIMITS, overwrite=True)
    await unpacked(target, tmp_path / "into")


async def test_a_file_that_comes_meanwhile_stays(tmp_path: Path) -> None:
    rootfs = small_rootfs(tmp_path / "r")
    target = tmp_path / "there"
    with pytest.raises(NameTaken):
        await write(
            rootfs, ABOUT, target, stage=Quiet(lambda _: target.write_bytes(b"faster")),
            limits=LIMITS,
        )  # fmt: skip
    assert target.read_bytes() == b"faster"
    assert files_in(tmp_path) == ["r", "there"]


async def test_a_filesystem_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    rootfs = small_rootfs(tmp_path / "r")
    await write(rootfs, ABOUT, tmp_path / "b", stage=Quiet(), limits=LIMITS)
    await unpacked(tmp_path / "b", tmp_path / "into")


@pytest.mark.parametrize("target", ["missing/b.tar.zst", "."])
async def test_no_place_for_it(tmp_path: Path, target: str) -> None:
    rootfs = small_rootfs(tmp_path / "r")
    with pytest.raises(InvalidInput):
        await write(rootfs, ABOUT, tmp_path / target, stage=Quiet(), limits=LIMITS)
    with pytest.raises(HostLacks, match="Can't read"):
        await write(tmp_path / "none", ABOUT, tmp_path / "b", stage=Quiet(), limits=LIMITS)
    assert not (tmp_path / "b").exists()


# ------------------------------------------------------------------------------- what changes


async def test_an_image_that_is_not_what_it_was_is_not_given_away(tmp_path: Path) -> None:
    rootfs = small_rootfs(tmp_path / "r")
    about = replace(ABOUT, digest=content_digest(rootfs))
    with rootfs.open("r+b") as file:
        file.seek(1 << 21)
        file.write(b"!")
    with pytest.raises(DigestMismatch, match="has changed"):
        await write(rootfs, about, tmp_path / "b", stage=Quiet(), limits=LIMITS)
    assert files_in(tmp_path) == ["r"]


@pytest.mark.parametrize("what", ["rootfs", "kernel"])
async def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    exported, rootfs, kernel = await written(tmp_path)
    assert kernel is not None
    victim = rootfs if what == "rootfs" else kernel / "vmlinuz"
    look = writing._look

    def looked(*args: object) -> object:
        result = look(*args)  # type: ignore[arg-type]
        with victim.open("r+b") as file:
            file.seek(1500)
            file.write(b"!")
        return result

    monkeypatch.setattr(writing, "_look", looked)
    with pytest.raises(BadContent, match="changed while"):
        await write(
            rootfs, ABOUT, Path(exported.path), stage=Quiet(), limits=LIMITS, kernel=kernel,
            overwrite=True,
        )  # fmt: skip
    assert files_in(tmp_path) == ["b.tar.zst", "source.ext4"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "a\x1b[2J"}, BadContent),
        ({"config": {"Volumes": {}}}, BadContent),
        ({"init": "sbin/init"}, BadContent),
    ],
)
async def test_nothing_is_written_that_would_not_be_read(
    tmp_path: Path, change: dict[str, object], error: type[Exception]
) -> None:
    rootfs = small_rootfs(tmp_path / "r")
    with pytest.raises(error, match="does not fit"):
        await write(
            rootfs, replace(ABOUT, **change), tmp_path / "b", stage=Quiet(), limits=LIMITS  # type: ignore[arg-type]
        )  # fmt: skip
    assert not (tmp_path / "b").exists()


async def test_a_kernel_over_the_limit_is_not_written(tmp_path: Path) -> None:
    _, rootfs, kernel = await written(tmp_path)
    with pytest.raises(LimitExceeded, match="does not fit"):
        await write(
            rootfs, ABOUT, tmp_path / "c", stage=Quiet(), kernel=kernel,
            limits=replace(LIMITS, max_rootfs_bytes=100),
        )  # fmt: skip


# ------------------------------------------------------------------------------------- cancel


@pytest.mark.parametrize("at", ["read", "compress"])
async def test_a_cancelled_export_leaves_nothing(tmp_path: Path, at: str) -> None:
    rootfs = make_rootfs(tmp_path / "r", 64 << 20, (0, os.urandom(64 << 20)))

    def cancel(_: int) -> None:
        if stage.names[-1] == at:
            task.cancel()

    stage = Quiet(cancel)
    task = asyncio.ensure_future(write(rootfs, ABOUT, tmp_path / "b", stage=stage, limits=LIMITS))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(tmp_path) == ["r"]
    assert stage.done < 64 << 20


async def test_a_cancelled_import_leaves_nothing(tmp_path: Path) -> None:
    rootfs = make_rootfs(tmp_path / "r", 64 << 20, (0, os.urandom(64 << 20)))
    await write(rootfs, ABOUT, tmp_path / "b", stage=Quiet(), limits=LIMITS)
    into = tmp_path / "into"
    into.mkdir()
    stage = Quiet(lambda _: task.cancel())
    task = asyncio.ensure_future(read(tmp_path / "b", into, limits=LIMITS, stage=stage))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(into.iterdir()) == []
    assert stage.total is not None
    assert stage.done < stage.total
