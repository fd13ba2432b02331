"""The panel's terminals: which tab each machine was left on, and the streams behind them.

A stream is attached when the cursor has rested on its machine, and let go of when there are too
many or the machine is gone.
"""

from __future__ import annotations

from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from banger_tui.bridge import Bridge
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.screens.attachments import Attachments
from banger_tui.widgets.machine_panel import MachinePanel, Tab
from banger_tui.widgets.terminal import TerminalView

_SETTLE = 0.15  # the cursor rests this long on a machine before its streams are attached


class MachineStreams:
    """Works for one screen's panel."""

    def __init__(self, screen: Screen[None], panel: MachinePanel, bridge: Bridge) -> None:
        self._screen = screen
        self._panel = panel
        self._attachments = Attachments(bridge)
        self._tabs: dict[str, Tab] = {}
        self._states: dict[str, VmState] = {}
        self._settling: Timer | None = None

    async def close(self) -> None:
        """Let go of every stream."""
        await self._attachments.close()

    # -- tabs

    def tab(self, key: str) -> Tab:
        """The tab that a machine was left on."""
        return self._tabs.get(key, "overview")

    def keep_tab(self, vm_id: str, tab: Tab) -> None:
        """The tab to show when the machine is under the cursor."""
        self._tabs[vm_id] = tab

    def show(self, vm: VmRecord | None, key: str, name: str) -> Widget:
        """The panel shows a machine (None: no record yet); returns what takes the focus there."""
        tab: Tab = self.tab(key) if vm is not None else "overview"
        if vm is not None and tab != "overview":
            self._panel.terminal(key, tab)
        view = self._panel.show(key, name, tab)
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if vm is not None:
            self._settling = self._screen.set_timer(_SETTLE, lambda: self._settled(vm.id))
        return view

    def _settled(self, vm_id: str) -> None:
        tab = self._panel.tab
        if tab == "overview" or self._panel.machine != vm_id:
            return
        self.attach(vm_id, tab)
        if tab == "shell":
            self.attach(vm_id, "console")
        for surplus in self._attachments.surplus(keep=vm_id):
            self._let_go(surplus)

    # -- streams

    def attach(self, vm_id: str, tab: Tab) -> None:
        """Attach a machine's console or shell, if it is not."""
        if tab != "overview":
            view = self._panel.terminal(vm_id, tab)
            self._attachments.attach(vm_id, tab, view, lambda: self._panel.terminal_grid)

    def has_shell(self, vm_id: str) -> bool:
        """Whether there is a shell to show, be it of a machine that has ended."""
        return self._attachments.get(vm_id, "shell") is not None

    def seen(self, vm: VmRecord) -> None:
        """A machine may have another state: its streams come and go with it."""
        before = self._states.get(vm.id)
        self._states[vm.id] = vm.state
        if before is vm.state:
            return
        if vm.state in (VmState.STARTING, VmState.RUNNING):
            self._attachments.runs_again(vm.id)
        elif vm.state in (VmState.STOPPED, VmState.FAILED):
            self._attachments.ended(vm.id)

    def all_seen(self, vms: dict[str, VmRecord]) -> None:
        """These are all the machines, in these states."""
        self._states = {vm.id: vm.state for vm in vms.values()}

    def gone(self, vm_id: str) -> None:
        """The machine has been deleted."""
        self._tabs.pop(vm_id, None)
        self._states.pop(vm_id, None)
        self._let_go(vm_id)

    def typed(self, view: TerminalView, data: bytes) -> None:
        if attachment := self._attachments.of(view):
            attachment.send(data)

    def resized(self, view: TerminalView) -> None:
        if attachment := self._attachments.of(view):
            attachment.resized()

    def _let_go(self, vm_id: str) -> None:
        async def let_go() -> None:
            await self._attachments.drop(vm_id)
            self._panel.drop(vm_id)

        self._screen.run_worker(let_go(), group="let go")
