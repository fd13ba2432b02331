"""The ways in: files, packages, the host; what each brings and what is refused."""

from __future__ import annotations

import gzip
import os
import platform
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent, InvalidInput, NotFound
from banger_tui.engine.kernels import installed, sources
from banger_tui.engine.kernels.sources import Found, FromFiles, FromHost, FromPackage, KernelSource
from banger_tui.engine.limits import Limits
from tests.unit.kernels import samples
from tests.unit.kernels.samples import VERSION


@pytest.fixture(autouse=True)
def on_a_pc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "release", lambda: VERSION)


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging"
    path.mkdir()
    return path


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "bzImage"
    path.write_bytes(samples.bzimage())
    return path


def read(source: KernelSource, staging: Path) -> Found:
    return sources.read(lambda: False, source, staging, Limits(), lambda *_: None)


def test_a_package(tmp_path: Path, staging: Path) -> None:
    package = tmp_path / "linux-image.deb"
    package.write_bytes(samples.deb())
    found = read(FromPackage(package), staging)
    assert found.about.version == VERSION
    assert found.image.read_bytes() == samples.bzimage()
    assert found.source == "package: linux-image.deb"
    assert found.config is not None
    assert found.config["EXT4_FS"] == "m"
    assert found.modules is not None
    assert set(found.modules.readers) == set(samples.MODULES)
    assert found.modules.built_in == {"ext4"}
    assert {path.name for path in staging.iterdir()} == {"data.tar", "vmlinuz"}


def test_a_package_with_everything_below_usr(tmp_path: Path, staging: Path) -> None:
    package = tmp_path / "p.deb"
    files = {f"./usr/lib/modules/{VERSION}/{n}": d for n, d in samples.tree_files().items()}
    files[f"./usr/lib/modules/{VERSION}/vmlinuz"] = samples.bzimage()
    package.write_bytes(samples.deb(files))
    found = read(FromPackage(package), staging)
    assert found.modules is not None
    assert found.config is None


def test_packages_of_no_use(tmp_path: Path, staging: Path) -> None:
    package = tmp_path / "p.deb"
    package.write_bytes(samples.deb({"./usr/share/doc/x": b""}))
    with pytest.raises(BadContent, match="holds no kernel"):
        read(FromPackage(package), staging)
    package.write_bytes(samples.deb({"./boot/vmlinuz-1": samples.bzimage()}))
    with pytest.raises(BadContent, match=f"version {VERSION}, and p.deb has no modules"):
        read(FromPackage(package), staging)


@pytest.mark.parametrize(
    "place", ["", VERSION, f"lib/modules/{VERSION}", f"usr/lib/modules/{VERSION}"]
)
def test_modules_in_a_directory(tmp_path: Path, staging: Path, kernel: Path, place: str) -> None:
    samples.write_tree(tmp_path / "given" / place, samples.tree_files())
    found = read(FromFiles(kernel, tmp_path / "given"), staging)
    assert found.modules is not None
    assert set(found.modules.readers) == set(samples.MODULES)
    assert found.note == ""
    assert list(staging.iterdir()) == []


@pytest.mark.parametrize("way", ["", "gzip", "xz", "zstd"])
@pytest.mark.parametrize("place", ["", f"./{VERSION}/", f"/lib/modules/{VERSION}/"])
def test_modules_in_a_tar(
    tmp_path: Path, staging: Path, kernel: Path, way: str, place: str
) -> None:
    data = samples.tar({place + name: data for name, data in samples.tree_files().items()})
    archive = tmp_path / "modules.tar"
    archive.write_bytes(samples.COMPRESSIONS[way](data) if way else data)
    found = read(FromFiles(kernel, archive), staging)
    assert found.modules is not None
    assert found.modules.readers["virtio"]() == samples.module()


def test_modules_of_another_version(tmp_path: Path, staging: Path, kernel: Path) -> None:
    samples.write_tree(tmp_path / "lib/modules/5.10.0", samples.tree_files())
    with pytest.raises(BadContent, match=f"version {VERSION}, and"):
        read(FromFiles(kernel, tmp_path), staging)


def test_without_modules_the_configuration_judges(
    tmp_path: Path, staging: Path, kernel: Path
) -> None:
    assert "taken to have all" in read(FromFiles(kernel), staging).note
    inner = samples.vmlinux(config=samples.CONFIG)
    kernel.write_bytes(samples.bzimage(samples.in_kernel("zstd", inner)))
    found = read(FromFiles(kernel), staging)
    assert (found.config or {})["EXT4_FS"] == "y"
    assert found.note == ""
    config = tmp_path / "config"
    config.write_text("CONFIG_X=y\n")
    assert read(FromFiles(kernel, config=config), staging).config == {"X": "y"}
    config.write_text("hello\n")
    with pytest.raises(InvalidInput, match="no kernel's configuration"):
        read(FromFiles(kernel, config=config), staging)


def test_a_vmlinux_that_qemu_can_not_start_is_told(staging: Path, kernel: Path) -> None:
    kernel.write_bytes(samples.vmlinux(pvh=False))
    assert "no PVH entry" in read(FromFiles(kernel), staging).note
    kernel.write_bytes(samples.vmlinux(config=samples.CONFIG))
    assert read(FromFiles(kernel), staging).note == ""


def test_a_kernel_for_another_machine(staging: Path, kernel: Path) -> None:
    kernel.write_bytes(samples.arm_image())
    with pytest.raises(BadContent, match="made for aarch64, this host is x86_64"):
        read(FromFiles(kernel), staging)


def test_an_initrd_must_be_one(tmp_path: Path, staging: Path, kernel: Path) -> None:
    given = tmp_path / "initrd"
    for good in (b"070701" + bytes(200), gzip.compress(b"070701", mtime=0)):
        given.write_bytes(good)
        assert read(FromFiles(kernel, initrd=given), staging).initrd == given
    given.write_bytes(b"hello")
    with pytest.raises(InvalidInput, match="is no initrd"):
        read(FromFiles(kernel, initrd=given), staging)


def test_files_that_can_not_be_read(tmp_path: Path, staging: Path, kernel: Path) -> None:
    missing = tmp_path / "missing"
    os.mkfifo(tmp_path / "pipe")
    wrong: list[KernelSource] = [
        FromFiles(missing), FromFiles(kernel, modules=missing), FromFiles(kernel, initrd=missing),
        FromFiles(kernel, config=missing), FromPackage(missing),
    ]  # fmt: skip
    for source in wrong:
        with pytest.raises(InvalidInput, match=r"Can't read .*missing: No such file"):
            read(source, staging)
    pipe = tmp_path / "pipe"
    for source in (FromFiles(kernel, modules=pipe), FromFiles(kernel, initrd=pipe),
                   FromPackage(pipe), FromPackage(tmp_path)):  # fmt: skip
        with pytest.raises(InvalidInput, match="is no file"):
            read(source, staging)


# ------------------------------------------------------------------------------------- the host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    samples.write_tree(root / "lib/modules" / VERSION, samples.tree_files())
    samples.write_tree(
        root / "boot",
        {f"vmlinuz-{VERSION}": samples.bzimage(), f"config-{VERSION}": samples.MODULAR.encode(),
         "vmlinuz-5.0": b"", "vmlinuz-\x1b[2J": b""},
    )  # fmt: skip
    find = installed.find
    monkeypatch.setattr(installed, "find", lambda version: find(version, root))
    return root


def test_the_kernel_that_runs(host: Path, staging: Path) -> None:
    found = read(FromHost(), staging)
    assert found.source == f"host: {host}/boot/vmlinuz-{VERSION}"
    assert found.modules is not None
    assert found.config is not None
    assert read(FromHost(VERSION), staging).image == found.image


def test_a_kernel_that_lies_with_its_modules(host: Path, staging: Path) -> None:
    (host / f"boot/vmlinuz-{VERSION}").rename(host / f"lib/modules/{VERSION}/vmlinuz")
    assert read(FromHost(), staging).image.parent.name == VERSION


@pytest.mark.parametrize("version", ["6.99", "../boot", "/etc", "5.0/../x"])
def test_a_kernel_that_is_not_installed(host: Path, staging: Path, version: str) -> None:
    with pytest.raises(NotFound, match="not installed") as caught:
        read(FromHost(version), staging)
    assert caught.value.hint == f"There is: --installed 5.0 or {VERSION}"
