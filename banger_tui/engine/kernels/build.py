"""Makes a kernel's directory from Debian's packages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from banger_tui.engine import assets
from banger_tui.engine.artefacts import BuiltKernel
from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.apt import Package
from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.kernels import initrd
from banger_tui.engine.kernels.modules import Module, closure
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage

#: What a guest can't do without: bus, disk, network card, control port.
REQUIRED = ("virtio", "virtio_ring", "virtio_mmio", "virtio_blk", "virtio_net", "virtio_console")
#: Entropy, where the kernel has it.
EARLY = ("virtio_rng",)
#: The same devices on machines with a PCI bus.
PCI = ("virtio_pci",)
#: What can wait until the guest is up: memory given back, containers, vsock.
LATER = ("virtio_balloon", "overlay", "vsock", "vmw_vsock_virtio_transport")
_BUSYBOX = "busybox-static"


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
    lists = _lists(_modules_of(tree, version))
    busybox = next(p for p in (tree / "bin/busybox", tree / "usr/bin/busybox") if p.exists())
    kernel = into / "vmlinuz"
    shutil.copyfile(images[-1], kernel)
    (into / "initrd.img").write_bytes(
        initrd.base(busybox.read_bytes(), lists, assets.read("guest/initrd-init"))
    )
    modules = [module for each in lists.values() for module in each]
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


def _lists(tree: Path) -> dict[str, list[Module]]:
    """Modules by when they are loaded; each list goes without what an earlier one has."""
    boot = closure(tree, REQUIRED, EARLY)
    pci = closure(tree, (*REQUIRED, *PCI), EARLY)
    everything = closure(tree, (*REQUIRED, *PCI), (*EARLY, *LATER))
    return {
        "order": list(boot),
        "pci": [module for module in pci if module not in boot],
        "later": [module for module in everything if module not in pci],
    }


def _keep_modules(modules: Sequence[Module], into: Path) -> None:
    into.mkdir()
    for module in modules:
        (into / module.file_name).write_bytes(module.data)
