"""The image a create needs: local first, catalogs on a miss, one pull for all who wait."""

from __future__ import annotations

import asyncio
from pathlib import Path

from banger_tui.engine import pulls
from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidInput, NotFound
from banger_tui.engine.images.kept import images
from banger_tui.engine.images.pull import pull
from banger_tui.engine.images.request import PullSpec, local_name, request
from banger_tui.engine.kernels.ensure import DEFAULT_KERNEL
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.operations import Run


async def ensure_image(ctx: Context, run: Run, reference: str) -> ImageRecord:
    """The local image of this name, pulled first if need be; stages "resolve image", "pull image".

    Args:
        reference: a name, or a container image with its tag or digest.

    Raises:
        NotInCatalog: neither here nor in a catalog. A failure to *read* either is raised as what
            it is.
        InvalidInput: the image can't boot.
    """
    name = local_name(reference)

    async def find() -> pulls.Work[ImageRecord]:
        known = await ctx.catalogs.load()
        _, made = request(PullSpec(reference), known, default_kernel=DEFAULT_KERNEL)
        return pull(ctx, name, made, share=True)

    image = await pulls.ensure(ctx, run, images(ctx), name, find, ())
    if not image.bootable:
        raise InvalidInput(
            f"The image {image.name} can't boot",
            "It was pulled as its layers say, without the guest kit.",
            "Pull it again under another name, without --plain.",
        )
    if image.external:
        await asyncio.to_thread(_still_there, image)
    return image


def _still_there(image: ImageRecord) -> None:
    if not Path(image.external).is_file():
        raise NotFound(
            f"The root filesystem of {image.name} is gone",
            f"It was used in place: {image.external}",
            "Put it back there, or delete the image and register it anew.",
        )
