"""What a kernel's file says of itself, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.boot_image import (
    BootImage,
    Format,
    has_pvh_entry,
    identify,
    mapped,
)
from banger_tui.engine.kernels.needs import embedded_config
from banger_tui.engine.kernels.vmlinux import payload
from tests.unit.kernels.samples import (
    CONFIG,
    EM_AARCH64,
    EM_RISCV,
    VERSION,
    arm_image,
    bzimage,
    module,
    vmlinux,
)


@pytest.mark.parametrize(
    ("data", "form", "architecture"),
    [
        (bzimage(), Format.BZIMAGE, "x86_64"),
        (vmlinux(), Format.VMLINUX, "x86_64"),
        (vmlinux(machine=EM_AARCH64, kind=3), Format.VMLINUX, "aarch64"),
        (arm_image(), Format.IMAGE, "aarch64"),
        (gzip.compress(arm_image(), mtime=0), Format.IMAGE, "aarch64"),
    ],
)
def test_kernels(data: bytes, form: Format, architecture: str) -> None:
    assert identify(data) == BootImage(form, architecture, VERSION)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"#!/bin/sh\n", "neither a bzImage"),
        (b"", "neither a bzImage"),
        (bzimage()[:0x210], "cut short"),
        (bzimage(flags=0), "32-bit"),
        (bzimage(protocol=0x209), "32-bit kernel, or older"),
        (bzimage(version="\x1b[2Jx"), "names no version"),
        (bzimage(version="6/../x"), "names no version"),
        (vmlinux(version="6/../x"), "nowhere which version"),
        (b"MZ" + bytes(1000), "without a Linux boot header"),
        (b"MZ\0\0zimg" + bytes(1000), "expands itself"),
        (vmlinux(machine=EM_RISCV), "machine that is not supported"),
        (b"\x7fELF\x01\x01" + bytes(100), "not of a 64-bit"),
        (b"\x7fELF\x02\x01", "cut short"),
        (module(), "such as a module"),
        (vmlinux(version="%s"), "nowhere which version"),
        (gzip.compress(b"hello", mtime=0), "no Image of arm64"),
    ],
)
def test_other_files(data: bytes, reason: str) -> None:
    with pytest.raises(BadContent, match="no kernel that can be booted") as caught:
        identify(data)
    assert reason in caught.value.detail


def test_a_damaged_compressed_image() -> None:
    with pytest.raises(BadContent, match="damaged"):
        identify(gzip.compress(arm_image(), mtime=0)[:-20])


def test_pvh_entry() -> None:
    assert has_pvh_entry(vmlinux())
    assert not has_pvh_entry(vmlinux(pvh=False))
    assert not has_pvh_entry(vmlinux()[:70])


def test_headers_that_lie_end(tmp_path: Path) -> None:
    """Segments by the ten thousand, each with notes without content as far as the file goes."""
    header = bytearray(vmlinux(pvh=False))[:64] + vmlinux()[64:120] * 50_000
    struct.pack_into("<H", header, 56, 50_000)
    for at in range(64, len(header), 56):
        struct.pack_into("<QQQQ", header, at + 8, len(header), 0, 0, 1 << 20)
    assert not has_pvh_entry(bytes(header) + bytes(1 << 20))


@given(data=st.data())
def test_damaged_kernels_give_one_kind_of_error(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([bzimage(), vmlinux(config=CONFIG), arm_image()])))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    has_pvh_entry(cut)
    with contextlib.suppress(BadContent):
        if identify(cut).format is Format.BZIMAGE:
            payload(cut)
        embedded_config(cut, lambda: False)


def test_only_files_with_content_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name in ("empty", "pipe", "."):
        with pytest.raises(BadContent, match="is no kernel"), mapped(tmp_path / name):
            raise AssertionError
    (tmp_path / "kernel").write_bytes(bzimage())
    with mapped(tmp_path / "kernel") as data:
        assert identify(data).version == VERSION
