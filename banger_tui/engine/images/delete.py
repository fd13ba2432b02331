"""Delete an image: the lock is held for the look-up and the row, the files go after."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil

from banger_tui.engine.context import Context
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.shield import finish


async def delete_image(ctx: Context, image: ImageRecord) -> None:
    """Raises: InUse when a VM's disk stands on it, NotFound."""
    async with ctx.locks.image_publish.hold(f"delete image {image.name}"):
        await ctx.store.delete_image(image.name)
        # Renamed under the lock: a new pull of the name must not find these files in its place.
        trash = ctx.paths.images / f".trash-{secrets.token_hex(4)}"
        if (final := ctx.paths.image(image.name)).exists():
            await asyncio.to_thread(os.rename, final, trash)
    await finish(asyncio.to_thread(shutil.rmtree, trash, ignore_errors=True))
