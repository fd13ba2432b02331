"""The home screen's panel: which tab is shown, who has the keyboard, what terminals ask for."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual import on
from textual.events import DescendantFocus

from banger_tui.bridge import Bridge
from banger_tui.engine.model import OperationView
from banger_tui.engine.paths import Paths
from banger_tui.screens.home_view import HomeView
from banger_tui.screens.machine_actions import MachineActions
from banger_tui.screens.machine_streams import SHELL
from banger_tui.screens.terminal_actions import TerminalActions
from banger_tui.widgets.machine_panel import MachinePanel, OverviewPage
from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, Pane, session
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.settings import Settings
    from banger_tui.settings import Terminal


class HomeTerminals(HomeView):
    """The keys and messages that have to do with the panel."""

    def __init__(
        self, bridge: Bridge, paths: Paths, defaults: Settings, terminal: Terminal
    ) -> None:
        super().__init__(bridge, paths, defaults, terminal)
        self._actions = MachineActions(self, bridge, defaults, self._begun)
        self._terminals = TerminalActions(
            self, bridge, self._panel, self._streams,
            go=self._go_to_pane, leave=self._leave_panel, zoom=self._zoom,
        )  # fmt: skip

    @abstractmethod
    def _begun(self, operation: OperationView) -> None:
        """An operation of this screen's own."""

    # -- panes

    @on(MachinePanel.PaneChosen)
    def _pane_chosen(self, message: MachinePanel.PaneChosen) -> None:
        self._go_to_pane(message.pane)

    def _go_to_pane(self, pane: Pane) -> None:
        """Show a tab of any machine and give it the keyboard."""
        self._streams.keep_tab(pane.machine, pane.tab)
        self._list.select(pane.machine)
        view = self._show_machine()
        if pane.tab == OVERVIEW:
            self._list.focus()
        else:
            view.focus()

    @on(DescendantFocus)
    def _focus_moved(self, event: DescendantFocus) -> None:
        """Of two terminals side by side the one with the keyboard is the machine's under the
        cursor."""
        if self._panel.activate(event.widget):
            pane = self._panel.pane
            self._streams.keep_tab(pane.machine, pane.tab)
            self._list.select(pane.machine)
            self._show_overview()

    def _leave_panel(self) -> None:
        self.remove_class("-zoomed")
        self._list.focus()

    def _zoom(self) -> None:
        self.toggle_class("-zoomed")

    # -- what terminals say

    @on(TerminalView.Input)
    def _typed(self, message: TerminalView.Input) -> None:
        self._streams.typed(message.view, message.data)

    @on(TerminalView.Resized)
    def _resized(self, message: TerminalView.Resized) -> None:
        self._streams.resized(message.view)

    @on(TerminalView.Command)
    def _command(self, message: TerminalView.Command) -> None:
        self._terminals.command(message.view, message.name)

    @on(TerminalView.Bell)
    def _bell(self, message: TerminalView.Bell) -> None:
        self._streams.news(message.view, "bell")

    @on(TerminalView.Unseen)
    def _unseen(self, message: TerminalView.Unseen) -> None:
        self._streams.news(message.view, "output")

    @on(TerminalView.Copied)
    def _copied(self, message: TerminalView.Copied) -> None:
        self._terminals.copied(message.text)

    @on(TerminalView.PasteAsked)
    def _paste_asked(self, message: TerminalView.PasteAsked) -> None:
        self._terminals.paste(message.view, message.text, message.lines)

    @on(TerminalView.ClipboardAsked)
    def _clipboard_asked(self, message: TerminalView.ClipboardAsked) -> None:
        self._terminals.clipboard_asked(message.view, message.text)

    @on(TerminalView.LinkChosen)
    def _link_chosen(self, message: TerminalView.LinkChosen) -> None:
        self._terminals.link_chosen(message.view, message.address)

    # -- actions

    def action_shell(self) -> None:
        """The shell that the machine was left on, or any, or a first one."""
        vm = self._rows.current
        if vm is None:
            return
        there = self._streams.shells(vm.id)
        if not vm.running and not there:
            self._actions.refuse("open a shell in", [vm])
            return
        left_on = self._streams.tab(vm.id)
        tab = left_on if left_on in there else next(iter(there), SHELL)
        self._go_to_pane(Pane(vm.id, tab))

    def action_console(self) -> None:
        if vm := self._rows.current:
            self._go_to_pane(Pane(vm.id, CONSOLE))

    def action_overview(self) -> None:
        if vm := self._rows.current:
            self._go_to_pane(Pane(vm.id, OVERVIEW))

    def attach(self, vm_id: str, name: str) -> None:
        """Show a session of any machine in the panel."""
        self._go_to_pane(Pane(vm_id, session(name)))

    def action_panel(self) -> None:
        view = self._show_machine()
        if isinstance(self.focused, OverviewPage):
            self._list.focus()
        else:
            view.focus()

    def action_zoom(self) -> None:
        self._zoom()
        if self.has_class("-zoomed"):
            self._show_machine().focus()
        else:
            self._list.focus()
