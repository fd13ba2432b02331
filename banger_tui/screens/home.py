"""The home screen: what happens in the world reaches the view, what is pressed the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType

from banger_tui.bridge import Changed, Opened, OpenFailed
from banger_tui.engine.events import (
    OperationChanged,
    Resync,
    StatsSampled,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import OperationState, OperationView
from banger_tui.screens import keys
from banger_tui.screens.home_terminals import HomeTerminals
from banger_tui.screens.machine_streams import SHELL
from banger_tui.widgets import rows, stage_text
from banger_tui.widgets.empty_state import EmptyState
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, Pane
from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.screens.verbs import Verb

_TOLD_AFTER = 5.0  # an operation shorter than this needs no word at its end


class HomeScreen(HomeTerminals):
    """Keeps what is shown in step with the bridge's ``World``, and does what the keys say."""

    KEYS: ClassVar[keys.Keys] = keys.HOME
    BINDINGS: ClassVar[list[BindingType]] = KEYS.bindings()

    def on_mount(self) -> None:
        self._list.focus()
        self.show_keys()
        self._keep_in_step()

    async def on_unmount(self) -> None:
        self._bridge.unlisten(self)
        await self._streams.close()

    # -- for the command palette

    def places(self) -> list[tuple[str, str, str]]:
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
        self.run_worker(self._restore(), group="restore")

    async def _restore(self) -> None:
        """Shells live on in their guests: the person finds them as they were left."""
        last = await self._streams.restore()
        running = [vm for vm in self._world.vms.values() if vm.running]
        if not last and running:
            last = max(running, key=lambda vm: vm.started_at or 0.0).id
            self._streams.keep_tab(last, SHELL)
        if last and (not self._list.select(last) or self._panel.machine == last):
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
                    if subject := self._rows.subject(operation):
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
        self.show_keys()

    def _fill(self) -> None:
        """Show everything anew."""
        self._rows.fill()
        self._streams.all_seen(self._world.vms)
        self._count()
        self._show_strip()
        self._show_machine()

    def _update(self, touched: set[str], removed: set[str]) -> None:
        """Show some machines anew."""
        gone = {vm_id for vm_id in removed if vm_id not in self._world.vms}
        for vm_id in gone:
            self._streams.gone(vm_id)
        for vm in self._rows.update(touched, gone):
            self._streams.seen(vm)
        if key := self._rows.pending.get(self._own.following or ""):
            self._list.select(key)
        self._count()
        if self._list.cursor != self._panel.machine:
            self._show_machine()

    def _operation_ended(self, operation: OperationView) -> None:
        if not self._own.ended(operation):
            return
        if operation.state is OperationState.DONE:
            if operation.kind == rows.CREATES:
                self._created(operation)
            elif operation.elapsed(operation.ended or 0.0) > _TOLD_AFTER:
                self.notify(f"{operation.title}: done", markup=False)
            return
        if operation.state is OperationState.CANCELLED:
            title = f"Cancelled: {stage_text.title(operation)}"
            self.notify("Nothing of it is left.", title=title, markup=False)
        if self._own.followed(operation) and (before := self._own.way_back()):
            self._list.select(before)

    def _created(self, operation: OperationView) -> None:
        """It is ready: show its shell, unless the person has turned to something else."""
        vm = self._rows.subject(operation)
        followed = self._own.followed(operation)
        if vm is None:
            return
        chose_console = self._streams.tab(vm.id) == CONSOLE
        if not chose_console:
            self._streams.keep_tab(vm.id, SHELL)
        here = followed and self._list.select(vm.id)
        if here and not chose_console:
            view = self._show_machine()
            elsewhere = not self.is_active or isinstance(self.focused, TerminalView)
            if not elsewhere and not self._filter_has_focus:
                view.focus()
                return
        self._streams.attach(Pane(vm.id, SHELL))
        self.notify("Its shell is attached.", title=f"{vm.name} is ready", markup=False)

    def _begun(self, operation: OperationView) -> None:
        """An operation of this screen's own."""
        self._own.begun(operation, self._list.cursor)
        self._bridge.feed(OperationChanged(self._world.operations.get(operation.id, operation)))

    # -- machines and the panel

    @on(MachineList.Moved)
    def _moved(self, message: MachineList.Moved) -> None:
        following = self._own.following
        if message.by_hand and following and message.key != self._rows.pending.get(following):
            vm = self._world.vms.get(message.key or "")
            operation = self._world.operations.get(following)
            if operation is None or vm is None or self._rows.subject(operation) is not vm:
                self._own.person_moved()
        if self._list.cursor != self._panel.machine:
            self._show_machine()

    @on(MachineList.Opened)
    def _open(self, message: MachineList.Opened) -> None:
        vm = self._world.vms.get(message.key)
        if vm is not None and vm.running and self._panel.tab == OVERVIEW:
            self.action_shell()
        else:
            self._show_machine().focus()

    # -- actions

    def action_run_sandbox(self) -> None:
        self._actions.create(self._actions.default_spec())

    def run_image(self, image: str) -> None:
        """A sandbox with the defaults, but from this image."""
        self._actions.create(replace(self._actions.default_spec(), image=image))

    def action_new_machine(self) -> None:
        self._actions.form()

    def action_verb(self, verb: Verb) -> None:
        keys_ = self._list.marks or ([self._list.cursor] if self._list.cursor else [])
        vms = [self._world.vms[key] for key in keys_ if key in self._world.vms]
        ending = verb in ("stop", "kill", "delete")
        making = self.operation if not self._list.marks else None
        if ending and making is not None and making.kind == rows.CREATES:
            self.cancel(making)
        elif vms:
            self._actions.verb(verb, vms, self._list.clear_marks)

    def cancel(self, operation: OperationView | None) -> None:
        if operation is not None and not operation.state.over:
            from banger_tui.screens.operations import ask_and_cancel

            ask_and_cancel(self, self._bridge, operation)

    def action_promote(self) -> None:
        if vm := self._rows.current:
            self._actions.promote(vm)

    def action_copy_ssh(self) -> None:
        if vm := self._rows.current:
            if vm.running:
                self._actions.copy_ssh(vm)
            else:
                self._actions.refuse("reach", [vm])

    def action_back(self) -> None:
        """One step back: zoom, filter, marks, failures; then to the list."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self._list.filter or self.query("#filter"):
            self._list.filter = ""
            self._close_filter()
        elif self._list.marks:
            self._list.clear_marks()
        elif self._own.failed:
            self._own.failed.clear()
            self._show_strip()
        (self.query_one(EmptyState) if self.has_class("-empty") else self._list).focus()
        self.show_keys()
