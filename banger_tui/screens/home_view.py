"""What the home screen shows: machines left, the chosen one right, what goes on below.

It draws from the bridge's ``World`` when it is told to; it decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.widget import Widget

from banger_tui.bridge import Bridge
from banger_tui.engine.model import MIB, OperationView, VmState
from banger_tui.engine.paths import Paths
from banger_tui.screens import hints
from banger_tui.screens.counts import counts
from banger_tui.screens.desk import DeskFile
from banger_tui.screens.machine_rows import MachineRows
from banger_tui.screens.machine_streams import MachineStreams
from banger_tui.screens.main_screen import MainScreen
from banger_tui.screens.own_operations import OwnOperations
from banger_tui.widgets.empty_state import EmptyState, FirstRun
from banger_tui.widgets.key_bar import KeyBar
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.machine_panel import MachinePanel, OverviewPage, TerminalStyle
from banger_tui.widgets.operation_strip import OperationStrip
from banger_tui.widgets.tabs import OVERVIEW
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.settings import Settings
    from banger_tui.settings import Terminal


class HomeView(MainScreen):
    """The parts of the home screen and what stands in each."""

    FILTERED_BY = "name or image"

    def __init__(
        self, bridge: Bridge, paths: Paths, defaults: Settings, terminal: Terminal
    ) -> None:
        super().__init__(bridge, paths)
        self._defaults = defaults
        self._list = MachineList(id="machines")
        self._panel = MachinePanel(
            TerminalStyle(terminal.leader, terminal.scrollback, terminal.copy_on_select), id="panel"
        )
        self._rows = MachineRows(self._world, self._list)
        self._streams = MachineStreams(self, self._panel, bridge, DeskFile(paths.desk))
        self._own = OwnOperations()

    def compose(self) -> ComposeResult:
        yield self._header
        with Container(id="nothing"):
            yield EmptyState()
        with Horizontal(id="body"):
            yield self._list
            yield self._panel
        yield self._strip
        yield KeyBar()

    @property
    def listing(self) -> MachineList:
        return self._list

    @property
    def operation(self) -> OperationView | None:
        return self._rows.operation

    def _show_machine(self) -> Widget:
        """The panel shows the machine under the cursor; returns what takes the focus there."""
        view = self._streams.show(self._rows.current, self._list.cursor or "", self._rows.name)
        self._show_overview()
        self.show_keys()
        return view

    def _show_overview(self) -> None:
        vm = self._rows.current
        stats = self._world.stats.get(vm.id) if vm else None
        self._streams.show_tabs(self._rows.name)
        self._panel.overview.show(vm, stats, self.operation)

    def _count(self) -> None:
        self._header.show_counts(counts(self._world))
        empty = self._world.loaded and not self._world.vms and not self._rows.pending
        if empty:
            defaults, host = self._defaults, self._world.host
            self.query_one(EmptyState).show(
                FirstRun(
                    image=defaults.image,
                    cpus=defaults.cpus,
                    memory_bytes=defaults.memory_mib * MIB,
                    image_here=defaults.image in self._world.images,
                    images=len(self._world.images),
                    offered=len(self._world.catalog.images) if self._world.catalog else None,
                    summary=self._world.summary,
                    disk_free=host.disk_free if host else None,
                )
            )
        if empty != self.has_class("-empty"):
            self.set_class(empty, "-empty")
            if self.is_active or self.focused is None:
                (self.query_one(EmptyState) if empty else self._list).focus()

    def _show_strip(self) -> None:
        self._strip.show([*self._own.failed, *self._world.outermost()])

    def tick_detail(self) -> None:
        if self._panel.tab == OVERVIEW:
            self._panel.overview.changed()
        self._streams.tick()

    def show_filtered(self) -> None:
        self.show_keys()

    def show_keys(self) -> None:
        bar = self.query_one(KeyBar)
        focused = self.focused
        vm = self._rows.current
        if isinstance(focused, TerminalView):
            bar.show(hints.IN_TERMINAL)
        elif self._filter_has_focus:
            bar.show(hints.IN_FILTER)
        elif isinstance(focused, OperationStrip):
            bar.show(hints.IN_STRIP, hints.TAIL)
        elif isinstance(focused, OverviewPage):
            bar.show(hints.IN_OVERVIEW, hints.TAIL)
        elif self.has_class("-empty"):
            bar.show(hints.EMPTY, hints.TAIL)
        else:
            making = self._list.cursor is not None and (vm is None or vm.state is VmState.CREATING)
            bar.show(
                hints.for_list(
                    vm,
                    making=making,
                    marked=len(self._list.marks),
                    filtered=bool(self._list.filter),
                ),
                hints.TAIL,
            )
