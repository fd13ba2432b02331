"""The panel's terminals: which tab each machine was left on, and the streams behind them.

A stream is attached when the cursor has rested on its tab, and let go of when there are too many,
the person closes its tab, or the machine is gone. What is open is open again at the next start.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from banger_tui.bridge import Bridge
from banger_tui.engine.model import SessionMode, SessionState, SessionView, VmRecord, VmState
from banger_tui.screens.attachment import Attachment
from banger_tui.screens.attachments import Attachments
from banger_tui.screens.desk import Desk, DeskFile
from banger_tui.screens.session_watch import FRESH, SessionWatch
from banger_tui.widgets.machine_panel import MachinePanel
from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, News, Pane, Shown, Tab, session
from banger_tui.widgets.terminal import TerminalView

_SETTLE = 0.15  # the cursor rests this long on a machine before its streams are attached
SHELL = session("shell")
"""The shell that `s` opens first."""


class MachineStreams:
    """Works for one screen's panel."""

    def __init__(
        self, screen: Screen[None], panel: MachinePanel, bridge: Bridge, desk: DeskFile
    ) -> None:
        self._screen = screen
        self._panel = panel
        self._bridge = bridge
        self._world = bridge.world
        self._watch = SessionWatch(bridge)
        self._attachments = Attachments(bridge, self._changed)
        self._tabs: dict[str, Tab] = {}
        self._shells: set[Pane] = set()
        self._news: dict[Pane, News] = {}
        self._states: dict[str, VmState] = {}
        self._settling: Timer | None = None
        self._desk = desk

    async def close(self) -> None:
        """Let go of every stream; sessions live on in their guests."""
        await self._desk.close()
        await self._watch.close()
        await self._attachments.close()

    # -- from the last time

    async def restore(self) -> str:
        """Open what was open; the machine that was looked at last, or ""."""
        desk = await self._desk.read()
        self._tabs = {key: tab for key, tab in desk.tabs.items() if key in self._world.vms}
        for pane in desk.open:
            vm = self._world.vms.get(pane.machine)
            if vm is not None and vm.running and pane.tab != OVERVIEW:
                self.attach(pane)
        return desk.last if desk.last in self._world.vms else ""

    def _keep(self) -> None:
        open_ = self._attachments.panes()
        self._desk.write(Desk(open_, dict(self._tabs), self._panel.machine))

    # -- tabs

    def tab(self, key: str) -> Tab:
        """The tab that a machine was left on."""
        return self._tabs.get(key, OVERVIEW)

    def keep_tab(self, vm_id: str, tab: Tab) -> None:
        """The tab to show when the machine is under the cursor."""
        self._tabs[vm_id] = tab

    def shells(self, vm_id: str) -> list[Tab]:
        """Its shells and other sessions with a screen, those that run or are attached."""
        found = [seen.name for seen in self._running(vm_id) if seen.mode is SessionMode.PTY]
        names = dict.fromkeys(found)
        names |= dict.fromkeys(p.tab.session for p in self._shells if p.machine == vm_id)
        return [session(name) for name in names]

    def tabs_of(self, vm_id: str) -> list[Tab]:
        """All tabs of a machine that is there."""
        names = dict.fromkeys(seen.name for seen in self._running(vm_id))
        if self._world.vms[vm_id].running and not self.shells(vm_id):
            names[SHELL.session] = None  # opened when it is chosen
        opened = [pane.tab for pane in self._attachments.panes(vm_id)]
        opened += [pane.tab for pane in self._panel.panes if pane.machine == vm_id]
        names |= dict.fromkeys(tab.session for tab in opened if tab.session)
        return [OVERVIEW, CONSOLE, *map(session, sorted(names))]

    def ring(self) -> list[Pane]:
        """Every terminal that is open, and the tabs of the machine shown, in the line's order.

        The machines after the one shown come first: who goes on and on comes round to each.
        """
        here = self._panel.machine
        tabs = self.tabs_of(here) if here in self._world.vms else [OVERVIEW] if here else []
        panes = [Pane(here, tab) for tab in tabs]
        others = [pane for pane in self._attachments.panes() if pane.machine != here]
        name = vm.name if (vm := self._world.vms.get(here)) is not None else ""

        def order(pane: Pane) -> tuple[bool, str, str]:
            return self._name(pane) < name, self._name(pane), pane.tab.session

        return panes + sorted(others, key=order)

    def beside(self, by: int) -> Pane | None:
        """The terminal that stands ``by`` places on from the one shown."""
        ring = [pane for pane in self.ring() if pane.tab != OVERVIEW]
        if not ring:
            return None
        here = ring.index(self._panel.pane) if self._panel.pane in ring else -1 if by > 0 else 0
        return ring[(here + by) % len(ring)]

    def line(self) -> list[Shown]:
        """The tabs as they stand in the panel's border."""
        panel, here = self._panel, self._panel.machine
        return [
            Shown(
                pane,
                "" if pane.machine == here else self._name(pane),
                self._news.get(pane, ""),
                "here" if pane == panel.pane else "beside" if pane in panel.panes else "",
            )
            for pane in self.ring()
        ]

    def show_tabs(self, name: str) -> None:
        """Draw the tabs of the machine shown."""
        attachment = self._attachments.get(self._panel.pane)
        hint = "enter types here" if self._panel.tab != OVERVIEW else ""
        note = attachment.note if attachment is not None else ""
        self._panel.show_tabs(name, self.line(), hint, note)

    def _running(self, vm_id: str) -> Sequence[SessionView]:
        vm = self._world.vms.get(vm_id)
        seen = self._world.sessions.get(vm_id, ()) if vm is not None and vm.running else ()
        return [each for each in seen if each.state is SessionState.RUNNING]

    def _name(self, pane: Pane) -> str:
        vm = self._world.vms.get(pane.machine)
        return vm.name if vm is not None else ""

    def _changed(self) -> None:
        """A stream says something else, or a session has ended."""
        self._watch.look(self._panel.machine)
        self._bridge.look_again()

    # -- showing

    def show(self, vm: VmRecord | None, key: str, name: str) -> Widget:
        """The panel shows a machine (None: no record yet); returns what takes the focus there."""
        pane = Pane(key, self.tab(key) if vm is not None else OVERVIEW)
        if pane.tab != OVERVIEW:
            self._panel.terminal(pane)
        view = self._panel.show(pane, name)
        self._news.pop(pane, None)
        self.show_tabs(name)
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if vm is not None:
            self._settling = self._screen.set_timer(_SETTLE, lambda: self._settled(pane))
        return view

    def _settled(self, pane: Pane) -> None:
        if self._panel.machine != pane.machine:
            return
        self._watch.look(pane.machine, FRESH)
        if pane.tab != OVERVIEW and self._panel.pane == pane:
            self.attach(pane)
        self._keep()
        for surplus in self._attachments.surplus(keep=self._panel.panes):
            self.let_go(surplus)

    def tick(self) -> None:
        """Time has passed: a guest may have told somebody else to start something."""
        if self._panel.machine:
            self._watch.look(self._panel.machine, FRESH)

    def split(self) -> None:
        """Show the next terminal beside this one; two of them: this one alone."""
        if len(self._panel.panes) > 1:
            self._panel.unsplit()
            return
        here = self._panel.pane
        ring = [pane for pane in self.ring() if pane not in (here, Pane(here.machine, OVERVIEW))]
        attached = [pane for pane in ring if self._attachments.get(pane)]
        beside = next(iter([*attached, *ring]), None)
        if beside is not None:
            self._panel.terminal(beside)
            self._panel.split(beside)
            self._news.pop(beside, None)
            self.attach(beside)

    # -- streams

    def attach(self, pane: Pane) -> Attachment:
        """Attach a console or a session, if it is not."""
        if pane.tab == SHELL:
            self._shells.add(pane)
        view = self._panel.terminal(pane)
        shell = pane in self._shells
        return self._attachments.attach(pane, view, lambda: self._panel.grid_of(pane), shell=shell)

    def of(self, view: TerminalView) -> Attachment | None:
        """The stream behind a terminal."""
        return self._attachments.of(view)

    def opened(self, pane: Pane) -> None:
        """A shell was just made: its tab opens it anew once it has ended."""
        self._shells.add(pane)

    def seen(self, vm: VmRecord) -> None:
        """A machine may have another state: its streams come and go with it."""
        before = self._states.get(vm.id)
        self._states[vm.id] = vm.state
        if before is vm.state:
            return
        if vm.state in (VmState.STARTING, VmState.RUNNING):
            self._attachments.runs_again(vm.id)
            self._watch.look(vm.id)
        elif vm.state in (VmState.STOPPED, VmState.FAILED):
            self._attachments.ended(vm.id)

    def all_seen(self, vms: dict[str, VmRecord]) -> None:
        """These are all the machines, in these states."""
        self._states = {vm.id: vm.state for vm in vms.values()}

    def gone(self, vm_id: str) -> None:
        """The machine has been deleted."""
        self._tabs.pop(vm_id, None)
        self._states.pop(vm_id, None)
        for pane in self._attachments.panes(vm_id):
            self.let_go(pane)

    def news(self, view: TerminalView, news: News) -> None:
        """Something came in a terminal that is out of sight."""
        pane = self._panel.whose(view)
        attachment = self._attachments.of(view)
        if pane is None or pane in self._panel.panes or attachment is None:
            return
        if attachment.caught_up and self._news.get(pane) != "bell":
            self._news[pane] = news
            self._bridge.look_again()

    def typed(self, view: TerminalView, data: bytes) -> None:
        """Keys for a guest; who types does not wait for the cursor to have rested."""
        attachment = self._attachments.of(view)
        if attachment is None and (pane := self._panel.whose(view)) is not None:
            attachment = self.attach(pane)
        if attachment is not None:
            attachment.send(data)

    def resized(self, view: TerminalView) -> None:
        if attachment := self._attachments.of(view):
            attachment.resized()

    def let_go(self, pane: Pane) -> None:
        """Close a tab; what runs in it runs on."""
        self._news.pop(pane, None)
        self._shells.discard(pane)
        if self._tabs.get(pane.machine) == pane.tab:
            self._tabs[pane.machine] = OVERVIEW

        async def let_go() -> None:
            await self._attachments.drop(pane)
            self._panel.drop(pane)
            self._keep()

        self._screen.run_worker(let_go(), group="let go")
