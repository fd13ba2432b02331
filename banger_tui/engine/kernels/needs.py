"""What a guest needs of its kernel, and whether a kernel has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.boot_image import MAX_EXPANDED, Data, Format, identify
from banger_tui.engine.kernels.compression import expand, expanded
from banger_tui.engine.kernels.modules import Module, ModuleFiles, closure
from banger_tui.engine.kernels.vmlinux import payload
from banger_tui.engine.model import MIB
from banger_tui.engine.threads import Stop, go_on, pieces

#: What a guest can't do without: bus, disk, network card, control port, filesystem.
REQUIRED = (
    "virtio", "virtio_ring", "virtio_mmio", "virtio_blk", "virtio_net", "virtio_console", "ext4",
)  # fmt: skip
#: Entropy, and the checksums that ext4 asks the kernel for by name, where they are modules.
EARLY = ("virtio_rng", "crc32c_generic")
#: The same devices on machines with a PCI bus.
PCI = ("virtio_pci",)
#: What can wait until the guest is up: memory given back, containers, vsock.
LATER = ("virtio_balloon", "overlay", "vsock", "vmw_vsock_virtio_transport")

#: Parts of the kernel that can't be modules, or are needed before the first is loaded.
_BUILT_IN = ("BLK_DEV_INITRD", "DEVTMPFS", "TMPFS", "BINFMT_ELF", "BINFMT_SCRIPT", "UNIX")
_CONSOLES = {"x86_64": "SERIAL_8250_CONSOLE", "aarch64": "SERIAL_AMBA_PL011_CONSOLE"}
#: Options of the modules in ``REQUIRED``.
_MODULES = ("VIRTIO_MMIO", "VIRTIO_BLK", "VIRTIO_NET", "VIRTIO_CONSOLE", "EXT4_FS")
_OPTION = re.compile(r"^CONFIG_(\w+)=(.*)$", re.MULTILINE)
_EMBEDDED = b"IKCFG_ST"
_PIECE = 1 << 20
MAX_CONFIG = 16 * MIB

Config = Mapping[str, str]


def loading_lists(
    files: ModuleFiles, *, version: str = "", stop: Stop = lambda: False
) -> dict[str, list[Module]]:
    """Modules by when they are loaded (see ``initrd.base``); each list goes without what an earlier
    one has. Blocking. Raises as ``closure``."""
    boot = closure(files, REQUIRED, EARLY, version=version, stop=stop)
    pci = closure(files, REQUIRED, (*EARLY, *PCI), version=version, stop=stop)
    everything = closure(files, REQUIRED, (*EARLY, *PCI, *LATER), version=version, stop=stop)
    return {
        "order": list(boot),
        "pci": [module for module in pci if module not in boot],
        "later": [module for module in everything if module not in pci],
    }


def parse_config(text: str) -> Config:
    """A ``config-VERSION``: values by option, without CONFIG_; what is not set is left out."""
    return dict(_OPTION.findall(text))


def embedded_config(data: Data, stop: Stop) -> Config | None:
    """The configuration that a kernel made with CONFIG_IKCONFIG has in itself. Blocking.

    Raises:
        BadContent: the kernel is damaged.
    """
    form = identify(data).format
    if form is Format.VMLINUX:
        source: Iterable[bytes] = (
            data[start : start + _PIECE] for start in range(0, len(data), _PIECE)
        )
    else:
        packed = payload(data) if form is Format.BZIMAGE else data[:]
        source = expanded(pieces(packed, stop), MAX_EXPANDED, "The kernel")
    content = _after(_EMBEDDED, source, stop)
    if content is None:
        return None
    # Its end is known to the gzip stream itself.
    text = expand(content, MAX_CONFIG, "The kernel's configuration")
    return parse_config(text.decode(errors="replace"))


def check_config(config: Config, architecture: str, *, with_modules: bool) -> None:
    """Whether what must be built in is.

    Args:
        with_modules: its modules are here and judged by themselves.

    Raises:
        BadContent: names all that is missing.
    """
    wanted = [*_BUILT_IN, _CONSOLES[architecture], *(() if with_modules else _MODULES)]
    missing = [option for option in wanted if config.get(option) != "y"]
    if not missing:
        return
    told = ", ".join(f"CONFIG_{option}" for option in missing)
    raise BadContent(
        "The kernel is of no use here",
        f"It was made without {told} as a part of it (=y).",
        "" if with_modules or any(option not in _MODULES for option in missing)
        else "Are these modules? Then add --modules /lib/modules/VERSION.",
    )  # fmt: skip


def _after(mark: bytes, source: Iterable[bytes], stop: Stop) -> bytes | None:
    """What follows the mark, ``MAX_CONFIG`` bytes at the most; all before it is forgotten at once.
    None: it is nowhere."""
    kept, found = b"", False
    for piece in source:
        go_on(stop)
        kept += piece
        if not found and (start := kept.find(mark)) >= 0:
            kept, found = kept[start + len(mark) :], True
        if not found:
            kept = kept[-len(mark) :]
        elif len(kept) >= MAX_CONFIG:
            break
    return kept[:MAX_CONFIG] if found else None
