"""Pull an image: make it in staging with no lock held, then publish it as one atom."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from banger_tui.engine import pulls
from banger_tui.engine.artefacts import Built, ImageRequest, Workplace
from banger_tui.engine.catalog.entries import (
    ArtifactSource,
    BundleSource,
    DebianSource,
    ImageEntry,
    KitSource,
    OciSource,
)
from banger_tui.engine.context import Context
from banger_tui.engine.images.kept import images
from banger_tui.engine.kernels.adopt import adopt
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.serial import to_json
from banger_tui.engine.staging import staging_directory


def plan(request: ImageRequest) -> tuple[str, ...]:
    """Names of the stages of a pull, in their order."""
    kit = () if request.plain else ("guest kit",)
    made = ("flatten", *kit, "build ext4", "check", "publish")
    match request.entry.source:
        case DebianSource():
            return ("resolve reference", "install packages", *made)
        case KitSource():
            return ("resolve reference", *made)
        case OciSource():
            return ("resolve reference", "read manifest", "download", "verify", *made)
        case BundleSource() | ArtifactSource():
            return ("resolve reference", "download", "unpack", "check", "publish")


def pull(
    ctx: Context, name: str, request: ImageRequest, *, share: bool = False
) -> Callable[[Run], Awaitable[ImageRecord]]:
    """The work of "pull image"; ``share`` and errors as of ``pulls.pull``.

    Args:
        name: what the image is called here.
    """

    async def make(run: Run) -> ImageRecord:
        staging = await staging_directory(ctx.paths, run)
        final = staging / "image"
        await asyncio.to_thread(final.mkdir)
        place = Workplace(final / "rootfs.ext4", staging, ctx.paths, ctx.settings.limits)
        built = await ctx.artefacts.image(request, place, run.root)
        if built.bundled_kernel is not None:
            kernel = await adopt(ctx, run, final / "kernel", built.bundled_kernel)
            built = replace(built, kernel=kernel.name)
        _skip_rest(run, stages)
        image = record(name, source(request.entry), built)
        return await publish_image(ctx, run, image, place, share=share)

    stages = plan(request)
    about = request.entry.description
    work = pulls.pull(images(ctx), name, make, plan=stages, share=share, note=about)

    async def planned(run: Run) -> ImageRecord:
        run.plan(stages)
        return await work(run)

    return planned


def _skip_rest(run: Run, stages: tuple[str, ...]) -> None:
    """What was planned for layers is not to be done when a reference turns out to be a bundle."""
    done = {stage.name for stage in run.root.view().children if stage.started}
    for name in stages[:-1]:
        if name not in done:
            run.skip(name, "it is a bundle")


def record(name: str, origin: str, built: Built) -> ImageRecord:
    """The record of what was made; ``origin`` is its source in a person's words."""
    return ImageRecord(
        name=name, digest=built.digest, source=origin, size_bytes=built.size_bytes,
        disk_bytes=built.disk_bytes, kernel=built.kernel, init=built.init, created_at=time.time(),
        config=built.config, provenance=built.provenance, platform=built.platform,
        bootable=bool(built.init), layers=built.layers, annotations=built.annotations,
    )  # fmt: skip


async def publish_image(
    ctx: Context, run: Run, image: ImageRecord, place: Workplace, *, share: bool = False
) -> ImageRecord:
    """The last stage of every way in: the directory that holds ``place.rootfs`` gets its manifest,
    its final place and its row. ``share`` as of ``pulls.publish``.

    Raises:
        NameTaken
    """
    final = place.rootfs.parent
    async with run.stage("publish") as stage:
        manifest = json.dumps(to_json(image), indent=2) + "\n"
        await asyncio.to_thread((final / "manifest.json").write_text, manifest)
        return await pulls.publish(images(ctx), final, image, stage, share=share)


def source(entry: ImageEntry) -> str:
    """Where an image is from, in a few words."""
    match entry.source:
        case DebianSource() | KitSource():
            return f"catalog: {entry.name}"
        case OciSource(reference):
            return f"oci: {reference}"
        case ArtifactSource(reference):
            return f"artifact: {reference}"
        case BundleSource(location):
            return f"bundle: {location}"
