"""Makes a kernel's directory from Debian's packages."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from banger_tui.engine.artefacts import BuiltKernel
from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.apt import Package
from banger_tui.engine.kernels.assemble import Parts, assemble
from banger_tui.engine.kernels.modules import in_directory, of_no_use
from banger_tui.engine.kernels.needs import loading_lists
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage
from banger_tui.engine.threads import Stop, in_stoppable_thread

_BUSYBOX = "busybox-static"


async def build(entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage) -> BuiltKernel:
    """Fill the directory ``into`` with vmlinuz, initrd.img, modules/ and manifest.json.

    Nested stages: download, initrd. A failed or cancelled build leaves ``into`` for its owner to
    remove.

    Raises:
        MissingTool, ToolFailed, BadContent
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
            return await in_stoppable_thread(_assemble, entry, work / "tree", unpacked, into)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)


def _assemble(
    stop: Stop, entry: KernelEntry, tree: Path, unpacked: tuple[Package, ...], into: Path
) -> BuiltKernel:
    images = sorted((tree / "boot").glob("vmlinuz-*"))
    if not images:
        raise of_no_use("Its package holds no boot/vmlinuz-*.")
    version = images[-1].name.removeprefix("vmlinuz-")
    lists = loading_lists(in_directory(_modules_of(tree, version)), version=version, stop=stop)
    versions = {package.name: package.version for package in unpacked}
    busybox = next(p for p in (tree / "bin/busybox", tree / "usr/bin/busybox") if p.exists())
    parts = Parts(images[-1], version, lists, packages=versions)
    return assemble(entry.name, parts, busybox.read_bytes(), into, stop)


def _modules_of(tree: Path, version: str) -> Path:
    for candidate in (tree / "lib/modules" / version, tree / "usr/lib/modules" / version):
        if candidate.is_dir():
            return candidate
    raise of_no_use(f"Its package holds no modules for {version}.")
