"""The kernel as drivers want it that load it themselves (Firecracker): nothing is compressed.

On x86-64 an ELF file, which lies in every bzImage as its payload; on arm64 the Image. Made from
the kernel's own file when first asked for, and kept beside it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import BadContent, NotFound
from banger_tui.engine.kernels.boot_image import (
    MAX_EXPANDED,
    Data,
    Format,
    identify,
    mapped,
    no_kernel,
)
from banger_tui.engine.kernels.compression import compression_of, expanded
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.paths import directory_name
from banger_tui.engine.threads import Stop, go_on, in_stoppable_thread, pieces

_SECTOR = 512


async def vmlinux(ctx: Context, kernel: KernelRecord) -> Path:
    """The uncompressed kernel's file: made now, made before, or the kernel's own.

    Raises:
        BadContent: the kernel's file is damaged, or compressed in a way that is not supported.
        NotFound: the kernel was deleted meanwhile.
    """
    directory = ctx.paths.kernel(kernel.name)
    # One at a time: a leftover of one that was killed is written over by the next.
    async with ctx.locks.leaf(f"vmlinux.{directory_name(kernel.name)}").hold("expand the kernel"):
        try:
            return await in_stoppable_thread(_made, directory)
        except FileNotFoundError as error:
            raise NotFound(f"The kernel {kernel.name} is gone", "It was deleted.") from error


def payload(data: Data) -> bytes:
    """The compressed part of a bzImage (fields payload_offset and payload_length).

    Raises:
        BadContent: the header points outside the file.
    """
    try:
        (sectors,) = struct.unpack_from("<B", data, 0x1F1)
        offset, length = struct.unpack_from("<II", data, 0x248)
    except struct.error as error:
        raise no_kernel("It is cut short.") from error
    # 0 stands for 4, as in the oldest kernels
    start = ((sectors or 4) + 1) * _SECTOR + offset
    if not length or start + length > len(data):
        raise no_kernel("Its boot header points to a place outside the file.")
    return data[start : start + length]


def _made(stop: Stop, directory: Path) -> Path:
    own, target = directory / "vmlinuz", directory / "vmlinux"
    if target.exists():
        return target
    with mapped(own) as data:
        kind = identify(data)
        if kind.format is Format.VMLINUX:
            return own
        if kind.format is Format.IMAGE and compression_of(data[:16]) is None:
            return own
        packed = payload(data) if kind.format is Format.BZIMAGE else data[:]
    magic, at = (b"\x7fELF", 0) if kind.format is Format.BZIMAGE else (b"ARM\x64", 56)
    part = directory / ".vmlinux.part"
    try:
        with part.open("wb") as file:
            for piece in expanded(pieces(packed, stop), MAX_EXPANDED, "The kernel"):
                go_on(stop)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        with part.open("rb") as file:
            if file.read(64)[at : at + len(magic)] != magic:
                raise BadContent("The kernel is damaged", "What is packed in it is no kernel.")
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target
