"""ELF facts and the loading order of kernel modules."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from banger_tui.engine.debian.elf import dynamic, section
from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.kernels.modules import closure, dependencies


def module_file(*depends: str) -> bytes:
    """The smallest ELF file with a .modinfo section."""
    info = b"license=GPL\0depends=" + ",".join(depends).encode() + b"\0name=x\0"
    names = b"\0.modinfo\0.shstrtab\0"
    start = 64
    headers = start + len(info) + len(names)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, headers, 0, 64, 0, 0, 64, 3, 2
    )  # fmt: skip
    rows = ((0, 0, 0), (1, start, len(info)), (10, start + len(info), len(names)))
    table = b"".join(
        struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0)
        for name, offset, size in rows
    )
    return header + info + names + table


def tree(root: Path, files: dict[str, Sequence[str]], built_in: Sequence[str] = ()) -> Path:
    for name, depends in files.items():
        path = root / "kernel/drivers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = module_file(*depends)
        path.write_bytes(lzma.compress(data) if name.endswith(".xz") else data)
    (root / "modules.builtin").write_text("".join(f"kernel/fs/{name}.ko\n" for name in built_in))
    return root


def test_modinfo_section_and_dependencies() -> None:
    data = module_file("virtio", "virtio-ring")
    assert b"license=GPL" in section(data, ".modinfo")
    assert section(data, ".nothing") == b""
    assert dependencies(data) == ("virtio", "virtio_ring")
    assert dependencies(module_file()) == ()


def test_dependencies_come_first_and_once(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "virtio_blk.ko": ["virtio", "virtio_ring"],
            "virtio_ring.ko": ["virtio"],
            "virtio.ko": [],
            "virtio-rng.ko.xz": ["virtio"],
            "unused.ko": ["nowhere"],
        },
    )
    modules = closure(root, ["virtio_blk", "virtio"], ["virtio_rng"])
    assert [m.name for m in modules] == ["virtio", "virtio_ring", "virtio_blk", "virtio_rng"]
    assert modules[-1].data == module_file("virtio"), "compressed modules come out decompressed"


def test_what_is_built_in_needs_no_file(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio_blk.ko": ["virtio"]}, built_in=["virtio", "virtio-mmio"])
    assert [m.name for m in closure(root, ["virtio_blk", "virtio_mmio"])] == ["virtio_blk"]


def test_a_missing_module_is_named_with_what_needs_it(tmp_path: Path) -> None:
    root = tree(tmp_path, {"virtio_net.ko": ["net_failover"]})
    with pytest.raises(ToolFailed, match="net_failover, which virtio_net needs"):
        closure(root, ["virtio_net"])
    assert closure(root, [], ["vsock"]) == (), "an optional one may be missing"


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(200)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        section(data, ".modinfo")
    with pytest.raises(ValueError, match="ELF"):
        dynamic(data)


@pytest.mark.parametrize("length", [20, 40, 60, 64, 100])
def test_cut_off_files_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ELF"):
        section(module_file("virtio")[:length], ".modinfo")


def test_a_real_program() -> None:
    found = dynamic(Path("/bin/sh").resolve().read_bytes())
    assert any(name.startswith("libc.so") for name in found.needed)
    assert "ld-linux" in found.interpreter
