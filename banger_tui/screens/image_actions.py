"""From a key to the engine, for images."""

from __future__ import annotations

from collections.abc import Iterable

from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.engine.images.request import PullSpec
from banger_tui.screens import artefact_questions
from banger_tui.screens.artefact_actions import ArtefactActions
from banger_tui.screens.requests import PullImage
from banger_tui.widgets import units
from banger_tui.widgets.artefact_rows import users_of_images

_CONTAINER = "oci: "


class ImageActions(ArtefactActions):
    """Works for the screen of images."""

    def __init__(self, screen: Screen[None], bridge: Bridge) -> None:
        super().__init__(screen, bridge, "image")

    def pull(self, name: str) -> None:
        async def ask() -> None:
            # Late: the form's widgets are needed only now.
            from banger_tui.screens.pull import PullScreen, Wanted

            here = self._world.images
            references = {
                image.source.removeprefix(_CONTAINER)
                for image in here.values()
                if image.source.startswith(_CONTAINER)
            }
            catalog = await self._bridge.engine.images.catalog()
            text = "" if name in here else name
            self.ask(PullScreen(Wanted(catalog, frozenset(here), sorted(references), text)))

        self.guard(ask())

    def pull_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.begin(PullImage(PullSpec(name)))

    async def remove(self, name: str) -> None:
        await self._bridge.engine.images.delete(name)

    def users(self) -> dict[str, list[str]]:
        return users_of_images(self._world.vms.values())

    def boots(self, name: str) -> bool:
        """Whether a machine can be made of it; it says so where none can."""
        image = self._world.images.get(name)
        boots = image is None or image.bootable
        if not boots:
            self.say(f"{name} is plain: without guest kit it does not boot.")
        return boots

    def export(self, name: str) -> None:
        """Ask for a file, and write the image to it."""
        from banger_tui.screens.image_forms import ExportScreen

        if image := self._world.images.get(name):
            self.ask(ExportScreen(image.name, image.size_bytes))
        else:
            self.say("Only what is here can be exported.")

    def push(self, name: str) -> None:
        """Ask where to, and push the image."""
        from banger_tui.screens.image_forms import PushScreen

        if image := self._world.images.get(name):
            self.ask(PushScreen(image.name))
        else:
            self.say("Only what is here can be pushed.")

    def register(self) -> None:
        """Ask for a file, and make an image of it."""
        from banger_tui.screens.image_forms import RegisterScreen

        self.ask(RegisterScreen(frozenset(self._world.images), sorted(self._world.kernels)))

    def promote(self) -> None:
        """Ask for a machine, and make an image of it."""
        from banger_tui.screens.image_forms import PromoteScreen

        vms = self._world.vms.values()
        self.ask(PromoteScreen(tuple(vms), frozenset(self._world.images)))

    def prune(self) -> None:
        """Remove downloads that no image needs, after a question."""

        async def ask() -> None:
            from banger_tui.screens.confirm import ConfirmScreen

            images = self._bridge.engine.images
            question = artefact_questions.prune(await images.prune(dry_run=True))
            if question is None:
                self.say("Every download that is kept is needed.")
                return

            async def remove() -> None:
                freed = await images.prune()
                text = f"{units.size(freed.bytes_freed)} are free again."
                self._screen.notify(text, title="Downloads removed", markup=False)

            def answered(yes: bool | None) -> None:
                if yes:
                    self.guard(remove())

            self._screen.app.push_screen(ConfirmScreen(question), answered)

        self.guard(ask())
