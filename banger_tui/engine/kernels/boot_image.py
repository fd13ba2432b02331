"""What the file of a kernel says about itself: format, architecture, version.

Sources: Documentation/arch/x86/boot.rst (bzImage), Documentation/arch/arm64/booting.rst (Image),
elf(5), and ``linux_banner`` in init/version-timestamp.c for all that have no version in a header.
"""

from __future__ import annotations

import contextlib
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.compression import Compression, compression_of, expanded
from banger_tui.engine.model import MIB

#: The most that the file of a kernel may have, and expand to; a distribution's is 30 to 90 MiB.
MAX_EXPANDED = 1024 * MIB

Data = bytes | mmap.mmap

# Printable, and without a slash: modules are looked for in a directory of this name.
_BANNER = re.compile(rb"Linux version ([0-9][!-.0-~]{0,127}) \(")
_VERSION = re.compile(rb"([0-9][!-.0-~]{0,127})[ \0]")
_EXECUTABLE, _SHARED = 2, 3  # e_type
_MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine
_XLF_KERNEL_64 = 1
_PT_NOTE = 4
_PHYS32_ENTRY = 18
_MOST_NOTES = 1000
_LONGEST_BANNER = 256


class Format(StrEnum):
    BZIMAGE = "bzImage"
    VMLINUX = "vmlinux"
    """An uncompressed ELF file."""
    IMAGE = "Image"
    """arm64's, as it is or compressed with gzip."""


@dataclass(frozen=True, slots=True)
class BootImage:
    """``architecture`` as ``uname -m`` says, ``version`` as ``uname -r``."""

    format: Format
    architecture: str
    version: str


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[Data]:
    """The content of a file, mapped, not read. Blocking.

    Raises:
        BadContent: it is empty, no regular file, or larger than any kernel.
        OSError
    """
    size = path.stat().st_size
    if not size or not path.is_file():
        raise BadContent(f"{path} is no kernel", "It is no file with content.")
    if size > MAX_EXPANDED:
        raise BadContent(f"{path} is no kernel", f"It has {size // MIB} MiB.")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def identify(data: Data) -> BootImage:
    """Raises: BadContent: it is no kernel of an architecture that is known here. Blocking."""
    try:
        return _identify(data)
    except struct.error as error:
        raise no_kernel("It is cut short.") from error


def has_pvh_entry(data: Data) -> bool:
    """Whether an ELF kernel has the entry point that QEMU needs (the note XEN_ELFNOTE_PHYS32_ENTRY,
    include/xen/interface/elfnote.h). Blocking."""
    try:
        return any(islice(_notes(data, b"Xen\0", _PHYS32_ENTRY), _MOST_NOTES))
    except (struct.error, OverflowError):  # it points outside the file, or any file
        return False


def no_kernel(reason: str) -> BadContent:
    return BadContent(
        "This is no kernel that can be booted here", reason,
        "Take a distribution's vmlinuz, a bzImage, a vmlinux, or an Image of arm64.",
    )  # fmt: skip


def _identify(data: Data) -> BootImage:
    if data[:4] == b"\x7fELF":
        return _elf(data)
    if data[56:60] == b"ARM\x64":
        return BootImage(Format.IMAGE, "aarch64", _banner(data))
    if data[4:8] == b"zimg":
        raise no_kernel("It is an EFI program that expands itself; expand it first.")
    if compression_of(data[:16]) is Compression.GZIP:
        return _packed_image(data)
    if data[0x1FE:0x200] == b"\x55\xaa" and data[0x202:0x206] == b"HdrS":
        return _bzimage(data)
    if data[:2] == b"MZ":
        raise no_kernel("It is an EFI program without a Linux boot header.")
    raise no_kernel("It is neither a bzImage, an ELF file nor an Image.")


def _packed_image(data: Data) -> BootImage:
    """Looked through as it is expanded: a bomb takes no memory."""
    tail, version = b"", ""
    for piece in expanded((data[:],), MAX_EXPANDED, "The kernel"):
        if not tail and piece[56:60] != b"ARM\x64":
            raise no_kernel("It is compressed with gzip, and what is in it is no Image of arm64.")
        tail = tail[-_LONGEST_BANNER:] + piece
        version = version or _version(tail)
    return BootImage(Format.IMAGE, "aarch64", version or _banner(b""))


def _bzimage(data: Data) -> BootImage:
    (protocol,) = struct.unpack_from("<H", data, 0x206)
    (offset,) = struct.unpack_from("<H", data, 0x20E)
    (flags,) = struct.unpack_from("<H", data, 0x236)
    # xloadflags came with protocol 2.12 (Linux 3.8)
    if protocol < 0x20C or not flags & _XLF_KERNEL_64:
        raise no_kernel("It is a 32-bit kernel, or older than Linux 3.8.")
    found = _VERSION.match(data, offset + 0x200) if offset else None
    if found is None:
        raise no_kernel("Its boot header names no version.")
    return BootImage(Format.BZIMAGE, "x86_64", found[1].decode())


def _elf(data: Data) -> BootImage:
    if data[4:6] != b"\x02\x01":
        raise no_kernel("It is an ELF file, but not of a 64-bit little-endian machine.")
    kind, machine = struct.unpack_from("<HH", data, 16)
    if machine not in _MACHINES:
        raise no_kernel("It is an ELF file for a machine that is not supported.")
    if kind not in (_EXECUTABLE, _SHARED):
        raise no_kernel("It is an ELF file that can't be executed, such as a module.")
    return BootImage(Format.VMLINUX, _MACHINES[machine], _banner(data))


def _notes(data: Data, owner: bytes, kind: int) -> Iterator[bool]:
    (headers,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for number in range(count):
        segment, _, start, _, _, length = struct.unpack_from(
            "<IIQQQQ", data, headers + number * size
        )
        at = start
        while segment == _PT_NOTE and at + 12 <= min(start + length, len(data)):
            named, described, found = struct.unpack_from("<III", data, at)
            yield found == kind and data[at + 12 : at + 12 + named] == owner
            at += 12 + (named + 3) // 4 * 4 + (described + 3) // 4 * 4


def _banner(data: Data) -> str:
    version = _version(data)
    if not version:
        raise no_kernel("It says nowhere which version of Linux it is.")
    return version


def _version(data: Data) -> str:
    found = _BANNER.search(data)
    return found[1].decode() if found else ""
