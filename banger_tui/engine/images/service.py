"""Images, as the facade offers them."""

from __future__ import annotations

from collections.abc import Sequence

from banger_tui.engine.catalog.entries import ImageEntry
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.context import Context
from banger_tui.engine.errors import NotFound
from banger_tui.engine.images.delete import delete_image
from banger_tui.engine.images.pull import PLAN, find_entry, pull
from banger_tui.engine.model import ImageRecord
from banger_tui.engine.operations import Operation


class Images:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def list(self) -> list[ImageRecord]:
        return await self._ctx.store.images()

    async def get(self, name: str) -> ImageRecord:
        """Raises: NotFound."""
        image = await self._ctx.store.image_or_none(name)
        if image is None:
            raise NotFound(
                f"The image {name!r} is not here", "",
                f"See what is: banger-tui image list; get it: banger-tui image pull {name}",
            )  # fmt: skip
        return image

    def catalog(self) -> Sequence[ImageEntry]:
        """What can be pulled by name."""
        return tuple(embedded().images.values())

    async def pull(self, name: str) -> Operation[ImageRecord]:
        """Raises: NotInCatalog."""
        entry = await find_entry(name)
        return await self._ctx.operations.begin(
            "pull image", name, pull(self._ctx, entry), plan=PLAN
        )

    async def delete(self, name: str) -> None:
        """Raises: NotFound, InUse."""
        await delete_image(self._ctx, await self.get(name))
