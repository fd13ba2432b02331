"""Pull an image: build it in staging with no lock held, then publish it as one atom."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable

from banger_tui.engine.catalog.entries import ImageEntry
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.context import Context
from banger_tui.engine.errors import NameTaken
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.publish import publish
from banger_tui.engine.serial import to_json
from banger_tui.engine.staging import staging_directory

PLAN = ("resolve reference", "build", "publish")


async def find_entry(name: str) -> ImageEntry:
    """Raises: NotInCatalog, with near names."""
    return (await asyncio.to_thread(embedded)).image(name)


def pull(
    ctx: Context, entry: ImageEntry, *, share: bool = False
) -> Callable[[Run], Awaitable[ImageRecord]]:
    """The work of "pull image".

    Args:
        share: wait for another process that pulls the same name and take what it made (a create
            needs the image, whoever makes it). Otherwise two pulls of one name both build and
            exactly one publishes.

    Raises:
        NameTaken: the name is there already (never with ``share``).
    """

    async def work(run: Run) -> ImageRecord:
        async with contextlib.AsyncExitStack() as stack:
            async with run.stage("resolve reference") as stage:
                if share:
                    stage.note("waiting for another pull of it")
                    lock = ctx.locks.image_pull(entry.name)
                    await stack.enter_async_context(lock.hold(f"pull {entry.name}"))
                    stage.note("")
                if image := await ctx.store.image_or_none(entry.name):
                    if share:
                        run.skip("build", "another process made it")
                        run.skip("publish")
                        return image
                    raise NameTaken(
                        f"The image {entry.name} is already here",
                        f"It was made from {image.source}.",
                        f"To make it anew: banger-tui image delete {entry.name}",
                    )
                stage.note(entry.description)
            return await _build_and_publish(ctx, run, entry)

    return work


async def _build_and_publish(ctx: Context, run: Run, entry: ImageEntry) -> ImageRecord:
    staging = await staging_directory(ctx.paths, run)
    final = staging / "image"
    await asyncio.to_thread(final.mkdir)
    async with run.stage("build") as stage:
        built = await ctx.artefacts.image(
            entry, rootfs=final / "rootfs.ext4", staging=staging, paths=ctx.paths, stage=stage
        )
    image = ImageRecord(
        name=entry.name, digest=built.digest, source=f"catalog: {entry.name}",
        size_bytes=built.size_bytes, disk_bytes=built.disk_bytes, kernel=entry.kernel,
        init=entry.init, created_at=time.time(),
    )  # fmt: skip
    async with run.stage("publish"):
        manifest = json.dumps(to_json(image), indent=2) + "\n"
        await asyncio.to_thread((final / "manifest.json").write_text, manifest)
        await publish(
            ctx.locks.image_publish, final, ctx.paths.image(image.name),
            lambda: ctx.store.insert_image(image),
        )  # fmt: skip
    return image
