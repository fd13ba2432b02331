"""Kernels, modules, archives and packages that are as small as their formats allow."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import zstandard

VERSION = "6.1.0-9-test"
#: A kernel that has everything a guest needs as a part of it.
CONFIG = """
CONFIG_BLK_DEV_INITRD=y
CONFIG_DEVTMPFS=y
CONFIG_TMPFS=y
CONFIG_BINFMT_ELF=y
CONFIG_BINFMT_SCRIPT=y
CONFIG_UNIX=y
CONFIG_SERIAL_8250_CONSOLE=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y
CONFIG_VIRTIO_MMIO=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_CONSOLE=y
CONFIG_EXT4_FS=y
# CONFIG_VIRTIO_PCI is not set
"""
MODULAR = CONFIG.replace("_BLK=y", "_BLK=m").replace("_FS=y", "_FS=m")
#: Modules of the kernel below, and what each depends on.
MODULES: Mapping[str, Sequence[str]] = {
    "virtio": (),
    "virtio_ring": ("virtio",),
    "virtio_mmio": ("virtio", "virtio_ring"),
    "virtio_blk": ("virtio",),
    "failover": (),
    "net_failover": ("failover",),
    "virtio_net": ("net_failover", "virtio"),
    "virtio_console": ("virtio",),
    "virtio_rng": ("virtio",),
    "virtio_pci": ("virtio_ring",),
    "overlay": (),
}
BUILT_IN = "kernel/fs/ext4/ext4.ko\n"

EM_X86_64, EM_AARCH64, EM_RISCV = 62, 183, 243


def lz4(data: bytes) -> bytes:
    """A legacy frame whose blocks are literals only."""
    out = b"\x02\x21\x4c\x18"
    for start in range(0, len(data), 8 << 20):
        block = data[start : start + (8 << 20)]
        lengths = b""
        if len(block) >= 15:
            lengths = b"\xff" * ((len(block) - 15) // 255) + bytes([(len(block) - 15) % 255])
        packed = bytes([min(len(block), 15) << 4]) + lengths + block
        out += struct.pack("<I", len(packed)) + packed
    return out


def gzipped(data: bytes) -> bytes:
    """The same bytes whenever it is asked for: no time is in them."""
    return gzip.compress(data, mtime=0)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def lzma_alone(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


#: Ways to compress; all but gzip's in a kernel are followed by the uncompressed size.
COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped,
    "xz": lzma.compress,
    "lzma": lzma_alone,
    "bzip2": bz2.compress,
    "zstd": zstd,
    "lz4": lz4,
}


def in_kernel(way: str, data: bytes) -> bytes:
    """Compressed as the kernel's makefile does it."""
    size = b"" if way == "gzip" else struct.pack("<I", len(data))
    return COMPRESSIONS[way](data) + size


def banner(version: str = VERSION) -> bytes:
    return b"%s version %s (%s) %s\n\0" + f"Linux version {version} (me@here) (gcc)\n\0".encode()


def vmlinux(
    version: str = VERSION, *, machine: int = EM_X86_64, kind: int = 2, pvh: bool = True,
    config: str = "",
) -> bytes:  # fmt: skip
    """An ELF file with one note, the banner and perhaps its configuration."""
    note = struct.pack("<III4sI", 4, 4, 18 if pvh else 6, b"Xen\0", 0x1000000)
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, len(note), len(note), 4)
    embedded = b"IKCFG_ST" + gzipped(config.encode()) + b"IKCFG_ED" if config else b""
    return header + segment + note + banner(version) + embedded + bytes(4096)


def bzimage(
    packed: bytes | None = None, version: str = VERSION, *, protocol: int = 0x20F, flags: int = 1
) -> bytes:
    """A boot sector, one setup sector with the version, and the payload behind some code."""
    packed = in_kernel("gzip", vmlinux(version)) if packed is None else packed
    setup = bytearray(1024)
    setup[0x1F1] = 1
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, protocol)
    struct.pack_into("<H", setup, 0x20E, 0x300 - 0x200)
    struct.pack_into("<H", setup, 0x236, flags)
    struct.pack_into("<II", setup, 0x248, 64, len(packed))
    text = f"{version} (me@here) #1 SMP\0".encode()
    setup[0x300 : 0x300 + len(text)] = text
    return bytes(setup) + b"\xcc" * 64 + packed + b"\xcc" * 32


def arm_image(version: str = VERSION) -> bytes:
    return b"MZ" + bytes(54) + b"ARM\x64" + bytes(64) + banner(version)


def module(*depends: str, version: str = VERSION) -> bytes:
    """An ELF file with a .modinfo section."""
    info = b"license=GPL\0depends=" + ",".join(depends).encode() + b"\0name=x\0"
    info += f"vermagic={version} SMP preempt mod_unload\0".encode()
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


def tree_files(
    version: str = VERSION, modules: Mapping[str, Sequence[str]] = MODULES
) -> dict[str, bytes]:
    """What is in a ``lib/modules/VERSION``, by name; every third module is compressed."""
    ways: dict[str, Callable[[bytes], bytes]] = {
        ".ko": bytes,
        ".ko.xz": lzma.compress,
        ".ko.zst": zstandard.compress,
    }
    files = {"modules.builtin": BUILT_IN.encode()}
    for number, (name, depends) in enumerate(modules.items()):
        suffix = [*ways][number % len(ways)]
        data = ways[suffix](module(*depends, version=version))
        files[f"kernel/drivers/{name}{suffix}"] = data
    return files


def write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def tar(files: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return whole.getvalue()


def ar(members: Mapping[str, bytes]) -> bytes:
    whole = b"!<arch>\n"
    for name, data in members.items():
        whole += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data))
        whole += data + b"\n" * (len(data) % 2)
    return whole


def package_files(version: str = VERSION) -> dict[str, bytes]:
    """What is in Debian's package of a kernel."""
    return {
        f"./boot/vmlinuz-{version}": bzimage(version=version),
        f"./boot/config-{version}": MODULAR.encode(),
        **{f"./lib/modules/{version}/{n}": d for n, d in tree_files(version).items()},
    }


def deb(files: Mapping[str, bytes] | None = None, way: str = "xz") -> bytes:
    content = tar(package_files() if files is None else files)
    data = COMPRESSIONS[way](content) if way else content
    suffix = {"": "", "gzip": ".gz", "zstd": ".zst", "bzip2": ".bz2"}.get(way, f".{way}")
    return ar({"debian-binary": b"2.0\n", "control.tar.xz": b"?", f"data.tar{suffix}": data})
