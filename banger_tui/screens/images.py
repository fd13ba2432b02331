"""The screen of images: what is here, what the catalogs offer, what is being pulled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content

from banger_tui.bridge import Bridge
from banger_tui.engine.model import OperationView
from banger_tui.engine.paths import Paths
from banger_tui.screens import hints, keys
from banger_tui.screens.browser import Browser
from banger_tui.screens.image_actions import ImageActions
from banger_tui.screens.offers import image_offer
from banger_tui.widgets.artefact_detail import Subject
from banger_tui.widgets.artefact_rows import (
    MAKES_IMAGE,
    READS_IMAGE,
    CatalogRow,
    ImageRow,
    image_row,
    look,
    users_of_images,
)
from banger_tui.widgets.artefact_tables import IMAGES
from banger_tui.widgets.key_bar import Hint
from banger_tui.widgets.table import Row


class ImagesScreen(Browser):
    """Images."""

    THING = "image"
    MAKES = MAKES_IMAGE
    READS = READS_IMAGE
    KEYS = keys.IMAGE_KEYS
    TAIL = hints.IMAGES_TAIL
    BINDINGS: ClassVar[list[BindingType]] = keys.IMAGE_KEYS.bindings()

    def __init__(self, bridge: Bridge, paths: Paths) -> None:
        super().__init__(bridge, paths, IMAGES)
        self._actions = ImageActions(self, bridge)

    @property
    def actions(self) -> ImageActions:
        return self._actions

    def rows_here(self, making: dict[str, OperationView]) -> Iterable[Row]:
        users = users_of_images(self._world.vms.values())
        reading = self._reading()
        here = self._world.images
        for image in here.values():
            operation = making.get(image.name) or reading.get(image.name)
            yield image_row(image, users.get(image.name, ()), operation)
        for name, operation in making.items():
            if name not in here:
                yield ImageRow(name, look(operation, here=False), operation=operation)

    def rows_offered(self, making: dict[str, OperationView]) -> Iterable[CatalogRow]:
        catalog = self._world.catalog
        for entry in catalog.images.values() if catalog else ():
            here = entry.name in self._world.images
            yield image_offer(entry, making.get(entry.name), here=here)

    def subject(self, name: str) -> tuple[Subject | None, Sequence[str]]:
        users = users_of_images(self._world.vms.values())
        return self._world.images.get(name), users.get(name, ())

    def hints(self, on: hints.Browsed) -> list[Hint]:
        return hints.for_images(on)

    def nothing(self) -> list[Content]:
        return [
            Content.styled("No images yet.", "bold"),
            Content(""),
            Content("p pulls one: a name in a catalog, a container image, a URL or a file."),
            Content("→ shows what the catalogs offer."),
        ]

    # -- actions

    async def action_run(self) -> None:
        if (name := self.name_at_cursor) and self.actions.boots(name):
            await self.run_action(f"app.run_image({name!r})")

    def action_export(self) -> None:
        self.actions.export(self.name_at_cursor)

    def action_push(self) -> None:
        self.actions.push(self.name_at_cursor)

    def action_register(self) -> None:
        self.actions.register()

    def action_promote(self) -> None:
        self.actions.promote()

    def action_prune(self) -> None:
        self.actions.prune()
