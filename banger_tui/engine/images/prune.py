"""Removes downloads that no image needs."""

from __future__ import annotations

from banger_tui.engine.context import Context
from banger_tui.engine.model import Pruned
from banger_tui.engine.oci.blobs import Blobs


async def prune(ctx: Context, *, dry_run: bool) -> Pruned:
    """What an image was made of stays, so that pulling it anew moves nothing; so does what a pull
    of any process is using, and partial downloads of the last day.

    Raises:
        StorageFailure
    """
    images = await ctx.store.images()
    keep = {layer.digest for image in images for layer in image.layers}
    files, freed = await Blobs(ctx.paths.blobs).prune(keep, dry_run=dry_run)
    return Pruned(files, freed, dry_run)
