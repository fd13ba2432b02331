"""From a key to the engine, for kernels."""

from __future__ import annotations

from collections.abc import Iterable

from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.screens.artefact_actions import ArtefactActions
from banger_tui.screens.requests import PullKernel
from banger_tui.widgets.artefact_rows import users_of_kernels


class KernelActions(ArtefactActions):
    """Works for the screen of kernels."""

    def __init__(self, screen: Screen[None], bridge: Bridge) -> None:
        super().__init__(screen, bridge, "kernel")

    def pull(self, name: str) -> None:
        async def ask() -> None:
            # Late: the form's widgets are needed only now.
            from banger_tui.screens.kernel_forms import PullKernelScreen

            here = frozenset(self._world.kernels)
            catalog = await self._bridge.engine.kernels.catalog()
            self.ask(PullKernelScreen(catalog, here, "" if name in here else name))

        self.guard(ask())

    def pull_all(self, names: Iterable[str]) -> None:
        for name in names:
            self.begin(PullKernel(name))

    async def remove(self, name: str) -> None:
        await self._bridge.engine.kernels.delete(name)

    def users(self) -> dict[str, list[str]]:
        return users_of_kernels(self._world.vms.values(), self._world.images.values())

    def import_kernel(self) -> None:
        """Ask where it is from, and import it."""
        from banger_tui.screens.kernel_forms import ImportKernelScreen

        self.ask(ImportKernelScreen(frozenset(self._world.kernels)))
