"""Kernels of one's own boot: from Debian's packages, from files, uncompressed."""
# ruff: noqa: ASYNC240 - files and programs between steps hold up nobody in a test

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels import cpio
from banger_tui.engine.kernels.debian_package import data_member
from banger_tui.engine.kernels.sources import FromFiles, FromPackage
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import run_tool
from banger_tui.engine.stages import LiveStage
from tests.engine_fixtures.template import IMAGE, KERNEL

pytestmark = pytest.mark.timeout(400)


def download(metapackage: str, into: Path) -> Path:
    """The package of a kernel that Debian's ``metapackage`` stands for, by the host's apt."""

    async def get() -> None:
        paths = Paths.below(into / "home")
        paths.prepare()
        stage = LiveStage("download", lambda _: None, lambda _: None, into / "log")
        selection = await packages.select(
            [metapackage], suite="bookworm", paths=paths, stage=stage,
            keep=lambda p: p.name.startswith("linux-image-") and p.name != metapackage,
        )  # fmt: skip
        if selection.apt is None:
            pytest.skip("this host has no Debian sources")
        (package,) = selection.packages
        await run_tool(
            ["apt-get", *selection.apt.options, "-q", "download", package.spec], cwd=into
        )

    asyncio.run(get())
    (found,) = into.glob("*.deb")
    return found


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud kernel's package: what a guest needs is mostly modules, ext4 is built in."""
    place = tmp_path_factory.mktemp("cloud")
    return download(f"linux-image-cloud-{debian_architecture()}", place)


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel for any machine: ext4 is a module, too."""
    return download(f"linux-image-{debian_architecture()}", tmp_path_factory.mktemp("generic"))


def banger(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "BANGER_DRIVER"}
    return subprocess.run(
        [sys.executable, "-m", "banger_tui", *words], env={**env, "BANGER_HOME": str(home)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def booted(home: Path, kernel: str) -> str:
    """``uname -r`` in a guest of the small image that runs with this kernel."""
    with contextlib.closing(sqlite3.connect(Paths.below(home).database)) as database, database:
        database.execute("UPDATE images SET kernel=?", (kernel,))
    command = ("vm", "run", "--rm", "--image", IMAGE, "--memory", "256M", "--", "uname", "-r")
    done = banger(home, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_debian_package_boots(real_home: Path, cloud: Path) -> None:
    done = banger(real_home, "kernel", "import", "mine", "--deb", str(cloud))
    assert done.returncode == 0, done.stderr
    shown = json.loads(banger(real_home, "kernel", "show", "mine", "--json").stdout)
    assert {"virtio_blk", "virtio_net", "virtio_console"} <= set(shown["modules"])
    assert "ext4" not in shown["modules"], "this kernel has it built in"
    assert booted(real_home, "mine") == shown["version"]
    refused = banger(real_home, "kernel", "delete", "--yes", "mine")
    assert refused.returncode == 1
    assert f"image {IMAGE}" in refused.stderr


def test_files_boot_uncompressed_after_an_initrd_of_ones_own(
    real_home: Path, generic: Path, tmp_path: Path
) -> None:
    """Everything by files: a vmlinux, modules with ext4 among them as a tar, an initrd with a
    /init that would end the guest."""
    subprocess.run(["dpkg-deb", "-x", generic, tmp_path / "tree"], check=True)
    (vmlinuz,) = (tmp_path / "tree/boot").glob("vmlinuz-*")
    version = vmlinuz.name.removeprefix("vmlinuz-")
    start = ["import", "first", "--kernel", str(vmlinuz), "--modules", str(tmp_path / "tree")]
    done = banger(real_home, "kernel", *start)
    assert done.returncode == 0, done.stderr

    async def expanded() -> Path:
        async with Engine(Paths.below(real_home)) as engine:
            return await engine.kernels.vmlinux(await engine.kernels.get("first"))

    shutil.copy(asyncio.run(expanded()), tmp_path / "vmlinux")
    tree = tmp_path / "tree/lib/modules"
    archive = tmp_path / "modules.tar.zst"
    subprocess.run(["tar", "--zstd", "-cf", archive, "-C", tree, version], check=True)
    theirs = cpio.archive([cpio.file("init", b"#!/bin/sh\npoweroff -f\n", 0o755)])
    (tmp_path / "initrd").write_bytes(gzip.compress(theirs))
    done = banger(
        real_home, "kernel", "import", "second", "--kernel", str(tmp_path / "vmlinux"),
        "--modules", str(archive), "--initrd", str(tmp_path / "initrd"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "PVH" not in done.stderr
    shown = json.loads(banger(real_home, "kernel", "show", "second", "--json").stdout)
    assert {"ext4", "jbd2", "crc32c_generic"} <= set(shown["modules"])
    assert booted(real_home, "second") == version


async def test_the_catalogs_kernel_expands(real_home: Path) -> None:
    """Debian's cloud kernel is compressed with LZ4; what comes out is a kernel of its version."""
    async with Engine(Paths.below(real_home)) as engine:
        kernel = await engine.kernels.get(KERNEL)
        before = await engine.kernels.files(kernel)
        path = await engine.kernels.vmlinux(kernel)
        assert path.read_bytes()[:4] == b"\x7fELF"
        again = await (await engine.kernels.import_kernel("bare", FromFiles(path))).result()
        assert again.version == kernel.version
        assert before.vmlinuz.stat().st_size * 2 < path.stat().st_size


async def test_a_package_with_a_flipped_bit_is_refused(
    real_home: Path, cloud: Path, tmp_path: Path
) -> None:
    data = bytearray(cloud.read_bytes())
    start, size = data_member(cloud)
    assert data[start : start + 6] == b"\xfd7zXZ\0"
    data[start + size // 3] ^= 1
    with pytest.raises(lzma.LZMAError):
        lzma.decompress(bytes(data[start : start + size]))
    (tmp_path / "damaged.deb").write_bytes(data)
    async with Engine(Paths.below(real_home)) as engine:
        operation = await engine.kernels.import_kernel(
            "mine", FromPackage(tmp_path / "damaged.deb")
        )
        with pytest.raises(BadContent, match=r"damaged\.deb is damaged"):
            await operation.result()
        assert [kernel.name for kernel in await engine.kernels.list()] == [KERNEL]
        assert list(engine.paths.staging.iterdir()) == []
