"""Ways out: an image as a bundle, in a file or in a registry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from banger_tui.engine.bundles.manifest import Manifest
from banger_tui.engine.bundles.push import push as push_bundle
from banger_tui.engine.bundles.read import manifest_of
from banger_tui.engine.bundles.write import write
from banger_tui.engine.context import Context
from banger_tui.engine.errors import HostLacks, NotFound
from banger_tui.engine.images.kept import images
from banger_tui.engine.model import Exported, ImageRecord, Pushed
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.operations import Run
from banger_tui.engine.progress import Stage
from banger_tui.engine.staging import staging_directory

EXPORT_PLAN = ("read", "compress")
PUSH_PLAN = (*EXPORT_PLAN, "push")


def export(
    ctx: Context, name: str, target: Path, *, overwrite: bool = False
) -> Callable[[Run], Awaitable[Exported]]:
    """The work of "export": the image's root filesystem and its kernel in one file.

    The work raises NotFound, InvalidInput, NameTaken (``target`` is there), DigestMismatch (the
    image's file has changed since it was made), NotEnoughDisk.
    """

    async def work(run: Run) -> Exported:
        image = await images(ctx).get(name)
        return await _bundle(ctx, image, target, run.root, overwrite=overwrite)

    return work


def push(
    ctx: Context, name: str, reference: Reference, *, insecure: bool = False
) -> Callable[[Run], Awaitable[Pushed]]:
    """The work of "push": the image's bundle as an OCI artifact.

    The work raises NotFound, InvalidInput, RegistryFailure, DigestMismatch, NotEnoughDisk.
    """

    async def work(run: Run) -> Pushed:
        image = await images(ctx).get(name)
        staging = await staging_directory(ctx.paths, run)
        bundle = await _bundle(ctx, image, staging / "image.tar.zst", run.root)
        manifest = await manifest_of(Path(bundle.path), ctx.settings.limits)
        async with run.stage("push") as stage:
            stage.note(reference.familiar)
            return await push_bundle(
                bundle, manifest, reference,
                credentials=Credentials.from_environment(), stage=stage, insecure=insecure,
            )  # fmt: skip

    return work


async def _bundle(
    ctx: Context, image: ImageRecord, target: Path, stage: Stage, *, overwrite: bool = False
) -> Exported:
    kernel = ctx.paths.kernel(image.kernel) if image.kernel else None
    here = kernel is not None and await asyncio.to_thread(kernel.is_dir)
    about = Manifest(
        name=image.name, digest=image.digest, init=image.init, kernel=image.kernel,
        config=image.config, annotations=image.annotations, platform=image.platform,
        source=image.source, provenance=image.provenance,
    )  # fmt: skip
    try:
        return await write(
            ctx.paths.rootfs(image), about, target, stage=stage, limits=ctx.settings.limits,
            kernel=kernel if here else None, overwrite=overwrite,
        )  # fmt: skip
    except (HostLacks, OSError) as error:
        if await images(ctx).find(image.name) is None:
            raise NotFound(
                f"The image {image.name} was deleted meanwhile", "It was still being read."
            ) from error
        raise
