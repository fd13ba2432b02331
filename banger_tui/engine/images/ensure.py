"""The image a create needs: local first, the catalog on a miss, one pull for all who wait."""

from __future__ import annotations

from banger_tui.engine.context import Context
from banger_tui.engine.images.pull import PLAN, find_entry, pull
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.operations import Operation, Run


async def ensure_image(ctx: Context, run: Run, name: str) -> ImageRecord:
    """The local image of this name, pulled first if need be; stages "resolve image", "pull image".

    Raises:
        NotInCatalog: neither here nor in a catalog. A failure to *read* either is raised as what
            it is.
    """
    async with run.stage("resolve image") as stage:
        stage.note(name)
        if image := await ctx.store.image_or_none(name):
            run.skip("pull image", "already here")
            return image
        entry = await find_entry(name)

    async def begin() -> Operation[ImageRecord]:
        return await ctx.operations.begin(
            "pull image", name, pull(ctx, entry, share=True), plan=PLAN
        )

    async with run.stage("pull image") as stage:
        return await ctx.flights.join(("image", name), begin, stage)
