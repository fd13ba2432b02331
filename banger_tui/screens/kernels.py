"""The screen of kernels: what is here, what the catalogs offer, what is being pulled."""

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
from banger_tui.screens.kernel_actions import KernelActions
from banger_tui.screens.offers import kernel_offer
from banger_tui.widgets.artefact_detail import Subject
from banger_tui.widgets.artefact_rows import (
    MAKES_KERNEL,
    CatalogRow,
    KernelRow,
    kernel_row,
    look,
)
from banger_tui.widgets.artefact_tables import KERNELS
from banger_tui.widgets.key_bar import Hint
from banger_tui.widgets.table import Row


class KernelsScreen(Browser):
    """Kernels."""

    THING = "kernel"
    MAKES = MAKES_KERNEL
    KEYS = keys.KERNEL_KEYS
    TAIL = hints.KERNELS_TAIL
    BINDINGS: ClassVar[list[BindingType]] = keys.KERNEL_KEYS.bindings()

    def __init__(self, bridge: Bridge, paths: Paths) -> None:
        super().__init__(bridge, paths, KERNELS)
        self._actions = KernelActions(self, bridge)

    @property
    def actions(self) -> KernelActions:
        return self._actions

    def rows_here(self, making: dict[str, OperationView]) -> Iterable[Row]:
        users = self._actions.users()
        here = self._world.kernels
        for kernel in here.values():
            yield kernel_row(kernel, users.get(kernel.name, ()), making.get(kernel.name))
        for name, operation in making.items():
            if name not in here:
                yield KernelRow(name, look(operation, here=False), operation=operation)

    def rows_offered(self, making: dict[str, OperationView]) -> Iterable[CatalogRow]:
        catalog = self._world.catalog
        for entry in catalog.kernels.values() if catalog else ():
            here = entry.name in self._world.kernels
            yield kernel_offer(entry, making.get(entry.name), here=here)

    def subject(self, name: str) -> tuple[Subject | None, Sequence[str]]:
        return self._world.kernels.get(name), self._actions.users().get(name, ())

    def hints(self, on: hints.Browsed) -> list[Hint]:
        return hints.for_kernels(on)

    def nothing(self) -> list[Content]:
        return [
            Content.styled("No kernels yet.", "bold"),
            Content(""),
            Content("A machine's first start pulls the one that its image wants."),
            Content("p pulls one of the catalog, i imports one of yours or the host's."),
        ]

    # -- actions

    def action_import(self) -> None:
        self.actions.import_kernel()
