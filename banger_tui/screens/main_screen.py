"""What the screens of machines, images and kernels have in common: a list, the filter over it, the
strip of what goes on, the key bar, and the screens that open from there."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.events import DescendantBlur, DescendantFocus
from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.engine.model import OperationView
from banger_tui.engine.paths import Paths
from banger_tui.screens import keys
from banger_tui.widgets.header_bar import HeaderBar
from banger_tui.widgets.key_bar import KeyBar
from banger_tui.widgets.operation_strip import OperationStrip
from banger_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from banger_tui.screens.filter import FilterInput

_TICK = 0.2


class MainScreen(Screen[None]):
    """Base of these screens; what stands in the list, and what keys do to it, is their own."""

    KEYS: ClassVar[keys.Keys]
    #: What the filter looks in, for people.
    FILTERED_BY: ClassVar[str]

    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ""

    def __init__(self, bridge: Bridge, paths: Paths) -> None:
        super().__init__()
        self._bridge = bridge
        self._world = bridge.world
        self._paths = paths
        self._header = HeaderBar()
        self._strip = OperationStrip()
        self._ticks = 0

    @property
    @abstractmethod
    def listing(self) -> RowList[Any]:
        """The list that is shown."""

    @property
    @abstractmethod
    def operation(self) -> OperationView | None:
        """What is done with the one under the cursor."""

    @abstractmethod
    def show_keys(self) -> None:
        """Name the keys that do something now."""

    @abstractmethod
    def show_filtered(self) -> None:
        """The filter is another one: show what hangs on it beside the list."""

    @abstractmethod
    def cancel(self, operation: OperationView | None) -> None:
        """Cancel an operation, after a question; not one that is over."""

    @abstractmethod
    def tick_detail(self) -> None:
        """Time has passed: show what changes with it beside the list."""

    def _keep_in_step(self) -> None:
        """From now on show what the bridge says, and the time that passes."""
        self._bridge.listen(self)
        self.set_interval(_TICK, self._tick)

    def _tick(self) -> None:
        self._ticks += 1
        busy = bool(self._world.live())
        if not self.is_active or not (busy or self._ticks % 5 == 0):
            return
        self.listing.tick()
        self._strip.tick()
        self.tick_detail()

    # -- what the widgets say

    @on(RowList.Marked)
    @on(DescendantFocus)
    @on(DescendantBlur)
    def _keys_changed(self) -> None:
        self.show_keys()

    @on(KeyBar.Chosen)
    async def _hint_chosen(self, message: KeyBar.Chosen) -> None:
        await self.run_action(message.action)

    @on(OperationStrip.Opened)
    def _strip_opened(self, message: OperationStrip.Opened) -> None:
        self._open_operations(message.operation_id)

    @on(OperationStrip.CancelWanted)
    def _cancel_wanted(self, message: OperationStrip.CancelWanted) -> None:
        self.cancel(self._world.operations.get(message.operation_id))

    # -- the filter

    def action_filter(self) -> None:
        from banger_tui.screens.filter import FilterInput

        if found := self.query(FilterInput):
            found.first().focus()
            return
        field = FilterInput(self.listing.filter, self.FILTERED_BY)
        self.mount(field, before=self.query_one(KeyBar))
        field.focus()

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self.listing.filter = message.text
        if message.done:
            self.listing.focus()
            if not message.text:
                self._close_filter()
        self.show_filtered()

    def _close_filter(self) -> None:
        for field in self.query("#filter"):
            field.remove()

    @property
    def _filter_has_focus(self) -> bool:
        return self.focused is not None and self.focused.id == "filter"

    # -- actions

    def action_mark_all(self) -> None:
        self.listing.mark_all()

    def action_operations(self) -> None:
        current = self.operation or next(iter(self._strip.operations), None)
        self._open_operations(current.id if current else None)

    def _open_operations(self, operation_id: str | None) -> None:
        from banger_tui.screens.operations import OperationsScreen

        self.app.push_screen(OperationsScreen(self._bridge, self._paths, operation_id))

    def action_doctor(self) -> None:
        from banger_tui.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen(self._bridge))

    def action_help(self) -> None:
        from banger_tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.KEYS))
