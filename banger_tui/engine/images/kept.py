"""The images that are here."""

from __future__ import annotations

from banger_tui.engine.collection import Collection
from banger_tui.engine.context import Context
from banger_tui.engine.model import ImageRecord


def images(ctx: Context) -> Collection[ImageRecord]:
    """Images as a collection: rows, directories, locks. A root filesystem that is used in place is
    not in its directory and outlives its row."""
    return Collection(
        kind="image",
        directory=ctx.paths.image,
        pull_lock=ctx.locks.image_pull,
        publish_lock=ctx.locks.image_publish,
        find=ctx.store.image_or_none,
        insert=ctx.store.insert_image,
        delete=ctx.store.delete_image,
    )
