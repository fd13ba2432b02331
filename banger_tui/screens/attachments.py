"""All attachments of the app, the most lately used last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from banger_tui.bridge import Bridge
from banger_tui.screens.attachment import Attachment
from banger_tui.widgets.tabs import Pane
from banger_tui.widgets.terminal import TerminalView

_MOST = 32


class Attachments:
    """Streams in terminals, by machine and tab."""

    def __init__(self, bridge: Bridge, changed: Callable[[], None]) -> None:
        """
        Args:
            changed: called when the note of one is another.
        """
        self._bridge = bridge
        self._changed = changed
        self._all: dict[Pane, Attachment] = {}

    def get(self, pane: Pane) -> Attachment | None:
        return self._all.get(pane)

    def attach(
        self,
        pane: Pane,
        view: TerminalView,
        grid: Callable[[], tuple[int, int]],
        *,
        shell: bool = False,
    ) -> Attachment:
        """The pane's attachment, made when there is none."""
        attachment = self._all.pop(pane, None)
        if attachment is None:
            attachment = Attachment(self._bridge, pane, view, grid, self._changed, shell=shell)
        self._all[pane] = attachment  # the newest stand last
        return attachment

    def of(self, view: TerminalView) -> Attachment | None:
        """The attachment that a terminal belongs to."""
        return next((found for found in self._all.values() if found.view is view), None)

    def panes(self, vm_id: str | None = None) -> list[Pane]:
        """What is attached; of one machine, or of all."""
        return [pane for pane in self._all if vm_id in (None, pane.machine)]

    def runs_again(self, vm_id: str) -> None:
        """The machine has (re)started: what has ended attaches anew."""
        for pane in self.panes(vm_id):
            self._all[pane].attach_again()

    def ended(self, vm_id: str) -> None:
        """The machine is off."""
        for pane in self.panes(vm_id):
            self._all[pane].machine_ended()

    def surplus(self, keep: tuple[Pane, ...]) -> list[Pane]:
        """Those not looked at for longest, beyond what is kept attached."""
        others = [pane for pane in self._all if pane not in keep]
        return others[: max(0, len(self._all) - _MOST)]

    async def drop(self, pane: Pane) -> None:
        """Let go of one; a session lives on in its guest."""
        if attachment := self._all.pop(pane, None):
            await attachment.close()

    async def close(self) -> None:
        """Let go of all, side by side: each may wait a moment for its guest."""
        async with asyncio.TaskGroup() as closing:
            for pane in self.panes():
                closing.create_task(self.drop(pane))
