"""The rows of the machine list: kept in step with the world, also for machines just being made.

A machine whose making has begun has a row before there is a record of it; when the record comes,
the row goes on as the machine's, with cursor and mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from banger_tui.bridge import World
from banger_tui.engine.model import OperationView, VmRecord
from banger_tui.widgets import rows
from banger_tui.widgets.machine_list import MachineList


class MachineRows:
    """Fills one list from one world, and knows what is under its cursor."""

    def __init__(self, world: World, machines: MachineList) -> None:
        self._world = world
        self._list = machines
        self._pending: dict[str, str] = {}  # operation id -> key of its row

    @property
    def pending(self) -> Mapping[str, str]:
        """The row's key of each operation that makes a machine of which there is no record yet."""
        return self._pending

    def fill(self) -> None:
        """Show everything anew."""
        operations = self._operations()
        self._pending = {o.id: rows.pending_key(o.id) for o in operations}
        shown = [*map(self._row, self._world.vms.values()), *map(rows.pending_row, operations)]
        self._list.set_rows(shown)

    def update(self, touched: Iterable[str], gone: Iterable[str]) -> list[VmRecord]:
        """Show some machines anew, by their ids; those that are still there."""
        touched, gone = set(touched), set(gone)
        pending = {o.id: o for o in self._operations()}
        for operation_id in [key for key in self._pending if key not in pending]:
            key = self._pending.pop(operation_id)
            gone.add(key)
            operation = self._world.operations.get(operation_id)
            if operation is not None and (vm := self.subject(operation)):
                touched.add(vm.id)
                self._list.replace_key(key, vm.id)
        for operation_id in pending:
            self._pending.setdefault(operation_id, rows.pending_key(operation_id))
        vms = [self._world.vms[key] for key in touched if key in self._world.vms]
        changed = [*map(self._row, vms), *map(rows.pending_row, pending.values())]
        self._list.update_rows(changed, gone)
        return vms

    def subject(self, operation: OperationView) -> VmRecord | None:
        """The machine that an operation works on."""
        if operation.subject_id:
            return self._world.vms.get(operation.subject_id)
        if operation.kind.startswith("pull"):
            return None
        return next((vm for vm in self._world.vms.values() if vm.name == operation.subject), None)

    # -- under the cursor

    @property
    def current(self) -> VmRecord | None:
        """The machine under the cursor, when there is a record of it."""
        return self._world.vms.get(self._list.cursor or "")

    @property
    def operation(self) -> OperationView | None:
        """What is being done to the machine under the cursor."""
        vm = self.current
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

    @property
    def name(self) -> str:
        """What to call the machine under the cursor; empty when there is none."""
        if (vm := self.current) is not None:
            return vm.name
        operation = self.operation
        return "" if operation is None else operation.subject or rows.NAMELESS

    def _row(self, vm: VmRecord) -> rows.MachineRow:
        return rows.row(vm, self._world.stats.get(vm.id), self._world.working_on(vm))

    def _operations(self) -> list[OperationView]:
        return list(rows.pending(self._world.live(), self._world.vms))
