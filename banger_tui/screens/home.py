"""The home screen: machines at the left, the chosen one at the right, what goes on below."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.events import DescendantBlur, DescendantFocus
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from banger_tui.bridge import Bridge, Changed, Opened, OpenFailed
from banger_tui.engine.events import (
    OperationChanged,
    Resync,
    StatsSampled,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import MIB, OperationState, OperationView, VmRecord, VmState
from banger_tui.engine.paths import Paths
from banger_tui.screens import hints, keys
from banger_tui.screens.attachments import Attachments
from banger_tui.screens.machine_actions import MachineActions
from banger_tui.widgets import rows
from banger_tui.widgets.empty_state import EmptyState, FirstRun
from banger_tui.widgets.header_bar import Counts, HeaderBar
from banger_tui.widgets.key_bar import KeyBar
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.machine_panel import MachinePanel, OverviewPage, Tab
from banger_tui.widgets.operation_strip import OperationStrip
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.settings import Settings
    from banger_tui.screens.filter import FilterInput
    from banger_tui.screens.verbs import Verb

_TICK = 0.2
_SETTLE = 0.15  # the cursor rests this long on a machine before its streams are attached
_TWICE = 0.5
_TOLD_AFTER = 5.0  # an operation shorter than this needs no word at its end


class HomeScreen(Screen[None]):
    """Keeps list, panel and strip in step with the bridge's ``World``."""

    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()

    def __init__(self, bridge: Bridge, defaults: Settings, paths: Paths) -> None:
        super().__init__()
        self._bridge = bridge
        self._world = bridge.world
        self._defaults = defaults
        self._paths = paths
        self._attachments = Attachments(bridge)
        self._actions = MachineActions(self, bridge, defaults, self._begun)
        self._tabs: dict[str, Tab] = {}
        self._states: dict[str, VmState] = {}
        self._pending: dict[str, str] = {}  # operation id -> key of its row
        self._mine: set[str] = set()
        self._follow: str | None = None
        self._failed: list[OperationView] = []
        self._settling: Timer | None = None
        self._left_at = 0.0
        self._ticks = 0

    def compose(self) -> ComposeResult:
        yield HeaderBar()
        with Container(id="nothing"):
            yield EmptyState()
        with Horizontal(id="body"):
            yield MachineList(id="machines")
            yield MachinePanel(id="panel")
        yield OperationStrip()
        yield KeyBar()

    def on_mount(self) -> None:
        self._list = self.query_one(MachineList)
        self._panel = self.query_one(MachinePanel)
        self._strip = self.query_one(OperationStrip)
        self._header = self.query_one(HeaderBar)
        self._list.focus()
        self._show_keys()
        self._bridge.listen(self)
        self.set_interval(_TICK, self._tick)

    async def on_unmount(self) -> None:
        self._bridge.unlisten(self)
        await self._attachments.close()

    # -- for the command palette

    def machines(self) -> list[tuple[str, str, str]]:
        """(key, name, state) of every machine."""
        vms = sorted(self._world.vms.values(), key=lambda vm: vm.name)
        return [(vm.id, vm.name, vm.state.value) for vm in vms]

    def go_to(self, key: str) -> None:
        """Put the cursor on a machine."""
        self._list.filter = ""
        self._list.select(key, by_hand=True)
        self._list.focus()

    # -- what the bridge says

    @on(Opened)
    def _opened(self) -> None:
        if self._world.host is not None:
            self._header.show_host(self._world.host)
        self._fill()
        running = [vm for vm in self._world.vms.values() if vm.running]
        if running:
            newest = max(running, key=lambda vm: vm.started_at or 0.0)
            # Its shell lives on in the guest: the person finds it as it was left.
            self._tabs[newest.id] = "shell"
            if not self._list.select(newest.id) or self._panel.machine == newest.id:
                self._show_machine()

    @on(OpenFailed)
    def _open_failed(self, message: OpenFailed) -> None:
        from banger_tui.screens.error import ErrorScreen

        self._header.show_problem("not open")
        self.app.push_screen(ErrorScreen(message.error, fatal=True))

    @on(Changed)
    def _changed(self, message: Changed) -> None:
        touched: set[str] = set()
        removed: set[str] = set()
        ended: list[OperationView] = []
        for event in message.events:
            match event:
                case VmChanged(vm):
                    touched.add(vm.id)
                case VmDeleted(vm_id):
                    removed.add(vm_id)
                case OperationChanged(operation):
                    if subject := self._vm_of(operation):
                        touched.add(subject.id)
                    if operation.state.over:
                        ended.append(operation)
                case StatsSampled(host, samples):
                    self._header.show_host(host)
                    touched.update(sample.vm_id for sample in samples)
                case Resync():
                    self._fill()
        self._update(touched, removed)
        for operation in ended:
            self._operation_ended(operation)
        self._header.show_summary(self._world.summary)
        self._show_strip()
        self._show_overview()
        self._show_keys()

    def _fill(self) -> None:
        """Show everything anew."""
        self._pending = {o.id: rows.pending_key(o.id) for o in self._pending_operations()}
        pending = [rows.pending_row(o) for o in self._pending_operations()]
        self._list.set_rows([*map(self._row, self._world.vms.values()), *pending])
        self._states = {vm.id: vm.state for vm in self._world.vms.values()}
        self._count()
        self._show_strip()
        self._show_machine()

    def _update(self, touched: set[str], removed: set[str]) -> None:
        """Show some machines anew; rows of machines just being made come and go with them."""
        gone = {vm_id for vm_id in removed if vm_id not in self._world.vms}
        for vm_id in gone:
            self._tabs.pop(vm_id, None)
            self._states.pop(vm_id, None)
            self.run_worker(self._let_go(vm_id), group="let go")
        pending = {o.id: o for o in self._pending_operations()}
        for operation_id in [key for key in self._pending if key not in pending]:
            key = self._pending.pop(operation_id)
            gone.add(key)
            operation = self._world.operations.get(operation_id)
            if operation is not None and (vm := self._vm_of(operation)):
                touched.add(vm.id)
                self._list.replace_key(key, vm.id)
        for operation_id in pending:
            self._pending.setdefault(operation_id, rows.pending_key(operation_id))
        vms = [self._world.vms[key] for key in touched if key in self._world.vms]
        self._list.update_rows(
            [*map(self._row, vms), *map(rows.pending_row, pending.values())], gone
        )
        for vm in vms:
            self._state_seen(vm)
        if self._follow in pending:
            self._list.select(self._pending[self._follow])
        self._count()
        if self._list.cursor != self._panel.machine:
            self._show_machine()

    def _state_seen(self, vm: VmRecord) -> None:
        before = self._states.get(vm.id)
        self._states[vm.id] = vm.state
        if before is not vm.state and vm.state in (VmState.STARTING, VmState.RUNNING):
            self._attachments.runs_again(vm.id)
        elif before is not vm.state and vm.state in (VmState.STOPPED, VmState.FAILED):
            self._attachments.ended(vm.id)

    def _operation_ended(self, operation: OperationView) -> None:
        mine = operation.id in self._mine
        self._mine.discard(operation.id)
        if not mine:
            return
        if operation.state is OperationState.FAILED:
            self._failed.append(operation)
        elif operation.state is OperationState.CANCELLED:
            self.notify("Nothing of it is left.", title=f"Cancelled: {operation.title}",
                        markup=False)  # fmt: skip
        elif operation.kind == rows.CREATES:
            self._created(operation)
        elif operation.elapsed(operation.ended or 0.0) > _TOLD_AFTER:
            self.notify(f"{operation.title}: done", markup=False)
        if self._follow == operation.id:
            self._follow = None

    def _created(self, operation: OperationView) -> None:
        """It is ready: show its shell, unless the person has turned to something else."""
        vm = self._vm_of(operation)
        if vm is None:
            return
        chose_console = self._tabs.get(vm.id) == "console"
        if not chose_console:
            self._tabs[vm.id] = "shell"
        here = self._follow == operation.id and self._list.select(vm.id)
        if here and not chose_console:
            view = self._show_machine()
            elsewhere = not self.is_active or isinstance(self.focused, TerminalView)
            if not elsewhere and not self._filter_has_focus:
                view.focus()
                return
        self._attach_stream(vm.id, "shell")
        self._attach_stream(vm.id, "console")
        self.notify("Its shell is attached.", title=f"{vm.name} is ready", markup=False)

    def _begun(self, operation: OperationView) -> None:
        """An operation of this screen's own."""
        self._mine.add(operation.id)
        self._failed.clear()
        if operation.kind == rows.CREATES:
            self._follow = operation.id
        self._bridge.feed(OperationChanged(self._world.operations.get(operation.id, operation)))

    # -- machines and the panel

    def _row(self, vm: VmRecord) -> rows.MachineRow:
        return rows.row(vm, self._world.stats.get(vm.id), self._world.working_on(vm))

    def _pending_operations(self) -> list[OperationView]:
        return list(rows.pending(self._world.live(), self._world.vms))

    def _vm_of(self, operation: OperationView) -> VmRecord | None:
        if operation.subject_id:
            return self._world.vms.get(operation.subject_id)
        if operation.kind.startswith("pull"):
            return None
        return next((vm for vm in self._world.vms.values() if vm.name == operation.subject), None)

    @property
    def _current(self) -> VmRecord | None:
        return self._world.vms.get(self._list.cursor or "")

    @property
    def _current_operation(self) -> OperationView | None:
        """What is being done to the machine under the cursor."""
        vm = self._current
        if vm is not None:
            return self._world.working_on(vm)
        return next(
            (
                self._world.operations.get(operation_id)
                for operation_id, key in self._pending.items()
                if key == self._list.cursor
            ),
            None,
        )

    def _show_machine(self) -> Widget:
        """The panel shows the machine under the cursor; returns what takes the focus there."""
        vm, key = self._current, self._list.cursor or ""
        tab: Tab = self._tabs.get(key, "overview") if vm is not None else "overview"
        operation = self._current_operation
        name = vm.name if vm else (operation.subject if operation else "")
        if vm is not None and tab != "overview":
            self._panel.terminal(key, tab)
        view = self._panel.show(key, name, tab)
        self._show_overview()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE, self._settled) if vm is not None else None
        self._show_keys()
        return view

    def _show_overview(self) -> None:
        vm = self._current
        stats = self._world.stats.get(vm.id) if vm else None
        self._panel.overview.show(vm, stats, self._current_operation)

    def _settled(self) -> None:
        vm = self._current
        if vm is None:
            return
        tab = self._panel.tab
        if tab != "overview":
            self._attach_stream(vm.id, tab)
            if tab == "shell":
                self._attach_stream(vm.id, "console")
            for surplus in self._attachments.surplus(keep=vm.id):
                self.run_worker(self._let_go(surplus), group="let go")

    def _attach_stream(self, vm_id: str, tab: Tab) -> None:
        if tab != "overview":
            view = self._panel.terminal(vm_id, tab)
            self._attachments.attach(vm_id, tab, view, lambda: self._panel.terminal_grid)

    async def _let_go(self, vm_id: str) -> None:
        await self._attachments.drop(vm_id)
        self._panel.drop(vm_id)

    @on(MachineList.Moved)
    def _moved(self, message: MachineList.Moved) -> None:
        if message.by_hand and message.key != self._pending.get(self._follow or ""):
            vm = self._world.vms.get(message.key or "")
            operation = self._world.operations.get(self._follow or "")
            if operation is None or vm is None or self._vm_of(operation) is not vm:
                self._follow = None
        if self._list.cursor != self._panel.machine:
            self._show_machine()

    @on(MachineList.Opened)
    def _open(self, message: MachineList.Opened) -> None:
        vm = self._world.vms.get(message.key)
        if vm is not None and vm.running and self._panel.tab == "overview":
            self.action_show_tab("shell")
        else:
            self._show_machine().focus()

    @on(MachineList.Marked)
    def _marked(self) -> None:
        self._show_keys()

    @on(MachinePanel.TabChosen)
    def _tab_chosen(self, message: MachinePanel.TabChosen) -> None:
        self.action_show_tab(message.tab)

    # -- terminals

    @on(TerminalView.Input)
    def _typed(self, message: TerminalView.Input) -> None:
        if attachment := self._attachments.of(message.view):
            attachment.send(message.data)

    @on(TerminalView.Resized)
    def _resized(self, message: TerminalView.Resized) -> None:
        if attachment := self._attachments.of(message.view):
            attachment.resized()

    @on(TerminalView.LeaderPressed)
    def _leader(self) -> None:
        self._left_at = time.monotonic()
        self.remove_class("-zoomed")
        self._list.focus()

    @on(TerminalView.Bell)
    def _bell(self) -> None:
        self.app.bell()

    # -- the rest of the screen

    def _count(self) -> None:
        vms = self._world.vms.values()
        total = len(self._world.vms)
        self._header.show_counts(
            Counts(
                total,
                sum(vm.running for vm in vms),
                sum(vm.state is VmState.FAILED for vm in vms),
            )
        )
        empty = self._world.loaded and not total and not self._pending
        if empty:
            defaults, host = self._defaults, self._world.host
            self.query_one(EmptyState).show(
                FirstRun(
                    image=defaults.image,
                    cpus=defaults.cpus,
                    memory_bytes=defaults.memory_mib * MIB,
                    image_here=defaults.image in self._world.images,
                    summary=self._world.summary,
                    disk_free=host.disk_free if host else None,
                )
            )
        if empty != self.has_class("-empty"):
            self.set_class(empty, "-empty")
            if self.is_active or self.focused is None:
                (self.query_one(EmptyState) if empty else self._list).focus()

    def _show_strip(self) -> None:
        live = self._world.live()
        creating = {
            stage.name
            for operation in live
            if operation.kind == rows.CREATES
            for stage in operation.stages
            if stage.started and not stage.ended
        }
        # A pull that a create waits for is told inside it.
        live = [o for o in live if o.kind not in creating]
        self._strip.show([*self._failed, *live])

    def _tick(self) -> None:
        self._ticks += 1
        busy = bool(self._world.live())
        if not self.is_active or not (busy or self._ticks % 5 == 0):
            return
        self._list.tick()
        self._strip.tick()
        if self._panel.tab == "overview":
            self._panel.overview.changed()

    def _show_keys(self) -> None:
        bar = self.query_one(KeyBar)
        focused = self.focused
        vm = self._current
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

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        self._show_keys()

    @on(KeyBar.Chosen)
    async def _hint_chosen(self, message: KeyBar.Chosen) -> None:
        await self.run_action(message.action)

    @on(OperationStrip.Opened)
    def _strip_opened(self, message: OperationStrip.Opened) -> None:
        self._open_operations(message.operation_id)

    @on(OperationStrip.CancelWanted)
    def _cancel_wanted(self, message: OperationStrip.CancelWanted) -> None:
        self._cancel(self._world.operations.get(message.operation_id))

    def _cancel(self, operation: OperationView | None) -> None:
        if operation is not None and not operation.state.over:
            from banger_tui.screens.operations import ask_and_cancel

            ask_and_cancel(self, self._bridge, operation)

    def _open_operations(self, operation_id: str | None) -> None:
        from banger_tui.screens.operations import OperationsScreen

        self.app.push_screen(OperationsScreen(self._bridge, self._paths, operation_id))

    # -- the filter

    @property
    def _filter_has_focus(self) -> bool:
        return self.focused is not None and self.focused.id == "filter"

    def action_filter(self) -> None:
        from banger_tui.screens.filter import FilterInput

        found = self.query(FilterInput)
        if found:
            found.first().focus()
            return
        field = FilterInput(self._list.filter)
        self.mount(field, before=self.query_one(KeyBar))
        field.focus()

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self._list.filter = message.text
        if message.done:
            self._list.focus()
            if not message.text:
                self._close_filter()
        self._show_keys()

    def _close_filter(self) -> None:
        for field in self.query("#filter"):
            field.remove()

    # -- actions

    def action_run_sandbox(self) -> None:
        self._actions.create(self._actions.default_spec())

    def action_new_machine(self) -> None:
        self._actions.form()

    def action_verb(self, verb: Verb) -> None:
        keys_ = self._list.marks or ([self._list.cursor] if self._list.cursor else [])
        vms = [self._world.vms[key] for key in keys_ if key in self._world.vms]
        ending = verb in ("stop", "kill", "delete")
        making = self._current_operation if not self._list.marks else None
        if ending and making is not None and making.kind == rows.CREATES:
            self._cancel(making)
        elif vms:
            self._actions.verb(verb, vms, self._list.clear_marks)

    def action_show_tab(self, tab: Tab) -> None:
        vm = self._current
        if vm is None:
            return
        if tab == "shell" and not vm.running and self._attachments.get(vm.id, "shell") is None:
            self._actions.refuse("open a shell in", [vm])
            return
        self._tabs[vm.id] = tab
        self._show_machine().focus()
        if tab == "overview":
            self._list.focus()

    def action_panel(self) -> None:
        view = self._show_machine()
        if isinstance(view, TerminalView) and time.monotonic() - self._left_at < _TWICE:
            view.send(b"\x1d")
        if isinstance(self.focused, OverviewPage):
            self._list.focus()
        else:
            view.focus()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        if self.has_class("-zoomed"):
            self._show_machine().focus()
        else:
            self._list.focus()

    def action_mark_all(self) -> None:
        self._list.mark_all()

    def action_copy_ssh(self) -> None:
        if vm := self._current:
            if vm.running:
                self._actions.copy_ssh(vm)
            else:
                self._actions.refuse("reach", [vm])

    def action_operations(self) -> None:
        current = self._current_operation or next(iter(self._strip.operations), None)
        self._open_operations(current.id if current else None)

    def action_doctor(self) -> None:
        from banger_tui.screens.doctor import DoctorScreen

        self.app.push_screen(DoctorScreen(self._bridge))

    def action_help(self) -> None:
        from banger_tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def action_back(self) -> None:
        """One step back: zoom, filter, marks, failures; then to the list."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self._list.filter or self.query("#filter"):
            self._list.filter = ""
            self._close_filter()
        elif self._list.marks:
            self._list.clear_marks()
        elif self._failed:
            self._failed.clear()
            self._show_strip()
        (self.query_one(EmptyState) if self.has_class("-empty") else self._list).focus()
        self._show_keys()
