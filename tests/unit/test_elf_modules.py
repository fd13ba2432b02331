"""ELF facts and the loading order of kernel modules."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import zstandard

from banger_tui.engine.debian.elf import dynamic, section
from banger_tui.engine.errors import BadContent, OperationCancelled
from banger_tui.engine.kernels.modules import ModuleFiles, ModuleInfo, closure, in_directory, info
from tests.unit.kernels.samples import VERSION, module


def tree(root: Path, files: dict[str, Sequence[str]], built_in: Sequence[str] = ()) -> ModuleFiles:
    ways: dict[str, Callable[[bytes], bytes]] = {
        ".xz": lzma.compress, ".gz": gzip.compress, ".zst": zstandard.compress
    }  # fmt: skip
    for name, depends in files.items():
        path = root / "kernel/drivers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = module(*depends)
        path.write_bytes(ways.get(path.suffix, bytes)(data))
    (root / "modules.builtin").write_text("".join(f"kernel/fs/{name}.ko\n" for name in built_in))
    return in_directory(root)


def test_modinfo_section_and_dependencies() -> None:
    data = module("virtio", "virtio-ring", version="6.1.0-9")
    assert b"license=GPL" in section(data, ".modinfo")
    assert section(data, ".nothing") == b""
    assert info(data) == ModuleInfo(("virtio", "virtio_ring"), "6.1.0-9")
    assert info(module()).depends == ()


def test_dependencies_come_first_and_once(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "virtio_blk.ko": ["virtio", "virtio_ring"],
            "virtio_ring.ko": ["virtio"],
            "virtio.ko": [],
            "virtio-rng.ko.xz": ["virtio"],
            "overlay.ko.zst": [],
            "vsock.ko.gz": [],
            "notes.ko.txt": [],
            "unused.ko": ["nowhere"],
        },
    )
    modules = closure(root, ["virtio_blk", "virtio"], ["virtio_rng", "overlay", "vsock", "nothing"])
    names = ["virtio", "virtio_ring", "virtio_blk", "virtio_rng", "overlay", "vsock"]
    assert [m.name for m in modules] == names
    assert modules[3].data == module("virtio"), "compressed modules come out decompressed"
    assert modules[4].data == modules[5].data == module()


def test_what_is_built_in_needs_no_file(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio_blk.ko": ["virtio"]}, built_in=["virtio", "virtio-mmio"])
    assert [m.name for m in closure(root, ["virtio_blk", "virtio_mmio"])] == ["virtio_blk"]


def test_all_that_is_missing_is_named_with_what_needs_it(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio_net.ko": ["net_failover"]})
    with pytest.raises(BadContent) as caught:
        closure(root, ["virtio_net", "virtio_blk"])
    assert "net_failover, which virtio_net needs" in caught.value.detail
    assert "virtio_blk, which every guest needs" in caught.value.detail
    assert closure(root, [], ["vsock"]) == (), "an optional one may be missing"


def test_modules_of_another_kernel_are_refused(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio.ko": []})
    assert closure(root, ["virtio"], version=VERSION)
    with pytest.raises(BadContent, match=f"module virtio is made for {VERSION}"):
        closure(root, ["virtio"], version="6.12.0")


def test_modules_that_need_each_other_end(tmp_path: Path) -> None:
    root = tree(tmp_path, {"a.ko": ["b"], "b.ko": ["a"]})
    assert [m.name for m in closure(root, ["a"])] == ["b", "a"]


def test_a_chain_without_end_is_refused(tmp_path: Path) -> None:
    chain: dict[str, Sequence[str]] = {f"m{n}.ko": [f"m{n + 1}"] for n in range(2000)}
    with pytest.raises(BadContent, match="over 256 modules"):
        closure(tree(tmp_path, chain), ["m0"])


@pytest.mark.parametrize("cut", [0, 20, 64, 100])
def test_a_damaged_module_is_refused(tmp_path: Path, cut: int) -> None:
    root = tree(tmp_path, {"virtio.ko": []})
    (tmp_path / "kernel/drivers/virtio.ko").write_bytes(module()[:cut])
    with pytest.raises(BadContent, match="no sound ELF file"):
        closure(root, ["virtio"])


def test_a_module_that_is_told_to_stop_reading(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio.ko": []})
    with pytest.raises(OperationCancelled):
        closure(root, ["virtio"], stop=lambda: True)


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(200)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        section(data, ".modinfo")
    with pytest.raises(ValueError, match="ELF"):
        dynamic(data)


@pytest.mark.parametrize("length", [20, 40, 60, 64, 100])
def test_cut_off_files_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ELF"):
        section(module("virtio")[:length], ".modinfo")


def test_a_real_program() -> None:
    found = dynamic(Path("/bin/sh").resolve().read_bytes())
    assert any(name.startswith("libc.so") for name in found.needed)
    assert "ld-linux" in found.interpreter
