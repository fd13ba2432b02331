"""A bundle becomes an image's files: its root filesystem as it is, and the kernel it may bring."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from banger_tui.engine.artefacts import Built, ImageRequest, Workplace
from banger_tui.engine.bundles.manifest import Manifest
from banger_tui.engine.bundles.read import read
from banger_tui.engine.debian.architecture import oci_platform
from banger_tui.engine.errors import BadContent, InvalidInput, InvalidName
from banger_tui.engine.images.measured import measured
from banger_tui.engine.images.sources import Bundle
from banger_tui.engine.kernels.assemble import measured as measured_kernel
from banger_tui.engine.kernels.ensure import DEFAULT_KERNEL
from banger_tui.engine.kernels.importing import check_name
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import in_thread


async def unpack(bundle: Bundle, request: ImageRequest, place: Workplace, stage: Stage) -> Built:
    """Make ``place.rootfs`` and maybe ``kernel/`` beside it; stages "unpack", "check".

    Raises:
        BadContent, DigestMismatch, LimitExceeded: the bundle is refused.
        InvalidInput: it does not fit what was asked for.
        NotEnoughDisk, HostLacks, ToolFailed
    """
    if request.size_bytes is not None:
        raise InvalidInput(
            "A bundle comes with its own size",
            "",
            "Leave --size out; a VM's disk can be larger: vm create --disk SIZE",
        )
    into = place.rootfs.parent
    async with stage.stage("unpack") as nested:
        manifest = await read(
            bundle.file, into, limits=place.limits, stage=nested,
            sha256=bundle.sha256, size=bundle.size_bytes,
        )  # fmt: skip
    platform = manifest.platform
    if not request.plain and platform and platform.split("/")[:2] != oci_platform().split("/"):
        raise InvalidInput(
            f"This host can't boot {platform}",
            f"It is {oci_platform()}.",
            "--plain takes the files alone.",
        )
    kernel: KernelRecord | None = None
    if request.plain:
        await asyncio.to_thread(shutil.rmtree, into / "kernel", ignore_errors=True)
    elif await asyncio.to_thread((into / "kernel").exists):
        kernel = await in_thread(_kernel, into / "kernel", manifest, bundle.provenance)
    init = "" if request.plain else manifest.init
    wanted = manifest.kernel or request.entry.kernel or DEFAULT_KERNEL
    built = Built(
        "", 0, 0, wanted if init else "", init, manifest.config, bundle.provenance, platform,
        annotations=manifest.annotations, bundled_kernel=kernel,
    )  # fmt: skip
    return await measured(built, place.rootfs, stage)


def _kernel(directory: Path, manifest: Manifest, source: str) -> KernelRecord:
    try:
        found = measured_kernel(directory)
    except FileNotFoundError as error:
        raise BadContent(
            "The kernel in the bundle is not whole", "vmlinuz or initrd.img is missing."
        ) from error
    try:
        check_name(name := manifest.kernel)
    except InvalidName:
        name = f"linux-{found.digest[7:15]}"
    return KernelRecord(
        name, found.version, found.digest, f"bundle: {source}", found.size_bytes, time.time()
    )
