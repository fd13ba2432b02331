"""A filesystem made on a disk that fills up at each step: a clear error, nothing left; with more
room it works."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from banger_tui.engine.errors import BangerError, NotEnoughDisk
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.ext4.tool import tar_capable
from banger_tui.engine.layers.tree import Kind, Node, literal, new_root
from banger_tui.engine.process import run_tool
from tests.ext4_images.modern_tools import modern_tools, path_with
from tests.host.registry.stage import RecordedStage

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk"),
]
MIB = 1 << 20


@contextmanager
def small_disk(directory: Path, mib: int) -> Iterator[Path]:
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "small", str(directory)]
    subprocess.run(mount, check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture(scope="module")
def tar_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PATH with a mke2fs that reads tar."""
    if asyncio.run(tar_capable()):
        return os.environ["PATH"]
    try:
        return path_with(asyncio.run(modern_tools(tmp_path_factory.mktemp("tools"))))
    except BangerError as error:
        pytest.skip(f"no mke2fs that reads tar is to be had: {error}")


def tree(files: int, size: int) -> Node:
    root = new_root()
    root.children = {
        b"%d" % n: Node(Kind.FILE, content=literal(b"%16d" % n * (size // 16)))
        for n in range(files)
    }
    return root


async def fills_up(root: Node, way: ext4.Way, disk: Path, staging: Path) -> None:
    target = disk / "image.ext4"
    await asyncio.to_thread(staging.mkdir)

    async def build() -> None:
        await ext4.build(
            root, target, size_bytes=None, label="", staging=staging, stage=RecordedStage(), way=way
        )

    with pytest.raises(NotEnoughDisk) as caught:
        await build()
    assert str(disk) in caught.value.detail
    assert caught.value.hint
    assert left(disk, staging) == []
    await run_tool(["mount", "-o", "remount,size=2g", str(disk)])
    await build()
    await inspect.check(target, RecordedStage())


def left(disk: Path, staging: Path) -> list[Path]:
    return [*disk.glob("*.ext4"), *staging.glob("unpacked")]


async def test_too_little_room_is_seen_beforehand(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        await fills_up(tree(1, 20 * MIB), ext4.Way.DIRECTORY, disk, tmp_path / "staging")


async def test_full_while_unpacking(tmp_path: Path) -> None:
    """Files of 16 bytes take a page each: the disk is full long before their bytes are."""
    with small_disk(tmp_path / "disk", 16) as disk:
        await fills_up(tree(6000, 16), ext4.Way.DIRECTORY, disk, disk / "staging")


async def test_full_while_mke2fs_copies(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 20) as disk:
        await fills_up(tree(1, 20 * MIB), ext4.Way.DIRECTORY, disk, tmp_path / "staging")


async def test_full_while_mke2fs_reads_tar(
    tmp_path: Path, tar_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", tar_path)
    with small_disk(tmp_path / "disk", 20) as disk:
        await fills_up(tree(1, 20 * MIB), ext4.Way.TAR, disk, tmp_path / "staging")
