"""Makes a kernel's directory from Debian's packages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine import assets
from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.apt import Package
from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.kernels import initrd
from banger_tui.engine.kernels.modules import Module, closure
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage

#: What a guest can't do without: bus, disk, network card, control port.
REQUIRED = (
    "virtio", "virtio_ring", "virtio_mmio", "virtio_pci", "virtio_blk", "virtio_net", "virtio_console",
)  # fmt: skip
#: What makes it better where the kernel has it: entropy, memory given back, containers, vsock.
OPTIONAL = (
    "virtio_rng", "virtio_balloon", "overlay", "vsock", "vmw_vsock_virtio_transport",
)  # fmt: skip
_BUSYBOX = "busybox-static"


@dataclass(frozen=True, slots=True)
class BuiltKernel:
    """``version`` is ``uname -r``; ``digest`` covers vmlinuz and initrd; size on disk in bytes."""

    version: str
    digest: str
    size_bytes: int


async def build(entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage) -> BuiltKernel:
    """Fill the directory ``into`` with vmlinuz, initrd.img, modules/ and manifest.json.

    Nested stages: download, initrd. A failed or cancelled build leaves ``into`` for its owner to
    remove.

    Raises:
        MissingTool, ToolFailed
    """
    await asyncio.to_thread(into.mkdir, parents=True, exist_ok=True)
    work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".build-", dir=into))
    try:
        async with stage.stage("download") as download:
            selection = await packages.select(
                [entry.package, _BUSYBOX],
                suite=entry.suite,
                paths=paths,
                stage=download,
                # The kernel itself and busybox; not what an installed kernel would want beside it.
                keep=lambda package: (
                    package.name == _BUSYBOX
                    or (package.name.startswith("linux-image-") and package.name != entry.package)
                ),
            )
            unpacked = await packages.fetch(selection, work / "tree", download)
        async with stage.stage("initrd"):
            return await asyncio.to_thread(_assemble, entry, work / "tree", unpacked, into)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)


def _assemble(
    entry: KernelEntry, tree: Path, unpacked: tuple[Package, ...], into: Path
) -> BuiltKernel:
    images = sorted((tree / "boot").glob("vmlinuz-*"))
    if not images:
        raise ToolFailed("The kernel package is of no use here", "It holds no boot/vmlinuz-*.")
    version = images[-1].name.removeprefix("vmlinuz-")
    modules = closure(_modules_of(tree, version), REQUIRED, OPTIONAL)
    busybox = next(p for p in (tree / "bin/busybox", tree / "usr/bin/busybox") if p.exists())
    kernel = into / "vmlinuz"
    shutil.copyfile(images[-1], kernel)
    (into / "initrd.img").write_bytes(
        initrd.base(busybox.read_bytes(), modules, assets.read("guest/initrd-init"))
    )
    _keep_modules(modules, into / "modules")
    sums = hashlib.sha256(kernel.read_bytes())
    sums.update((into / "initrd.img").read_bytes())
    digest = f"sha256:{sums.hexdigest()}"
    manifest = {
        "name": entry.name,
        "version": version,
        "digest": digest,
        "packages": {package.name: package.version for package in unpacked},
        "modules": [module.name for module in modules],
    }
    (into / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    size = sum(path.stat().st_size for path in (kernel, into / "initrd.img"))
    size += sum(len(module.data) for module in modules)
    return BuiltKernel(version, digest, size)


def _modules_of(tree: Path, version: str) -> Path:
    for candidate in (tree / "lib/modules" / version, tree / "usr/lib/modules" / version):
        if candidate.is_dir():
            return candidate
    raise ToolFailed("The kernel package is of no use here", f"It holds no modules for {version}.")


def _keep_modules(modules: tuple[Module, ...], into: Path) -> None:
    into.mkdir()
    for module in modules:
        (into / module.file_name).write_bytes(module.data)
