"""Makes an image's root filesystem, whatever it comes from, as one ext4 file.

Every source but a bundle ends in layers: files of tar. They are merged in memory, the guest kit
joins them there, and only what is left of all that is written::

    Debian packages ─┐
    the guest kit ───┼─> layers ─> merged tree ─> + guest kit ─> ext4 ─┐
    container image ─┘                                                 ├─> checked, digested
    bundle, artifact ──────────────────────────────────────────> ext4 ─┘
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from banger_tui.engine.artefacts import Built, ImageRequest, Workplace
from banger_tui.engine.catalog.entries import (
    ArtifactSource,
    BundleSource,
    DebianSource,
    KitSource,
    OciSource,
)
from banger_tui.engine.debian.architecture import oci_platform
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.guest import kit
from banger_tui.engine.guest.inject import inject
from banger_tui.engine.images import busybox, debian, download
from banger_tui.engine.images.measured import measured
from banger_tui.engine.images.sources import Bundle, Layers
from banger_tui.engine.images.unpack import unpack
from banger_tui.engine.layers.merge import Merge
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci import reference as references
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import in_thread
from banger_tui.engine.threads import Stop, in_stoppable_thread

_LABEL = "banger-root"


async def make(request: ImageRequest, place: Workplace, stage: Stage) -> Built:
    """Make ``place.rootfs`` as the request says; each part is a nested stage of ``stage``.

    All that is temporary lies in ``place.staging``, which must exist; remove it with
    ``remove_tree`` after a failure, since parts of it may belong to subordinate ids.

    Raises:
        RegistryFailure, BadContent, MissingTool, HostLacks, ToolFailed, InvalidInput
    """
    platform = request.platform or oci_platform()
    if not request.plain and platform.split("/")[:2] != oci_platform().split("/"):
        raise InvalidInput(
            f"This host can't boot {platform}",
            f"It is {oci_platform()}.",
            "--plain takes the files alone.",
        )
    async with contextlib.AsyncExitStack() as leases:
        found = await _source(request, platform, place, stage, leases)
        if isinstance(found, Bundle):
            return await unpack(found, request, place, stage)
        return await _assemble(request, found, place, stage)


async def _source(
    request: ImageRequest,
    platform: str,
    place: Workplace,
    stage: Stage,
    leases: contextlib.AsyncExitStack,
) -> Layers | Bundle:
    match request.entry.source:
        case OciSource(reference) | ArtifactSource(reference):
            parsed = references.parse(reference)
            return await download.from_registry(parsed, request, platform, place, stage, leases)
        case BundleSource() as source:
            return await download.bundle(source, request, place, stage, leases)
        case DebianSource() as source:
            async with stage.stage("install packages") as nested:
                tar = await debian.install(source, place.staging, place.paths, nested)
            return Layers((tar,), source.suite, platform=platform)
        case KitSource() as source:
            return Layers((), source.suite, platform=platform)


async def _assemble(request: ImageRequest, layers: Layers, place: Workplace, stage: Stage) -> Built:
    entry = request.entry
    async with stage.stage("flatten"):
        root = await in_stoppable_thread(_merged, layers.tars, place.limits)
    kernel = init = ""
    if not request.plain:
        async with stage.stage("guest kit") as nested:
            archive = await kit.ensure(place.paths, nested, layers.suite)
            match entry.source:
                case DebianSource():
                    await in_thread(debian.settle, root, place.staging, place.limits)
                case KitSource():
                    await busybox.settle(root, archive, place.staging, place.limits)
            init = await inject(
                root, layers.config, kit=archive, staging=place.staging, limits=place.limits
            )
        kernel, init = entry.kernel, entry.init or init
    async with stage.stage("build ext4") as nested:
        await ext4.build(
            root,
            place.rootfs,
            size_bytes=request.size_bytes or entry.disk_bytes or None,
            label=_LABEL,
            staging=place.staging,
            stage=nested,
        )
    built = Built(
        "", 0, 0, kernel, init, layers.config, layers.provenance, layers.platform,
        layers.records, layers.annotations,
    )  # fmt: skip
    return await measured(built, place.rootfs, stage)


def _merged(stop: Stop, tars: Sequence[Path], limits: Limits) -> Node:
    merge = Merge(limits, stop=stop)
    for tar in tars:
        with tar.open("rb") as archive:
            merge.add(archive, tar)
    return merge.root
