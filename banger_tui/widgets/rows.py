"""What the machine list shows of a VM: one flat record, made from VM, sample and operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from banger_tui.engine.model import OperationView, StageView, VmRecord, VmState, VmStats
from banger_tui.widgets import units
from banger_tui.widgets.states import MACHINES, Look

#: Kinds of operations that bring a machine into the list before there is a record of it.
CREATES = "create"
#: What such a machine is called until its name is made up.
NAMELESS = "new machine"


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One line of the list. ``key`` is the VM's id, or ``op:ID`` for one that is only being made.

    ``since`` is when it started or stopped (epoch seconds), ``activity`` the stage it is in.
    """

    key: str
    name: str
    state: VmState
    image: str = ""
    cpu: float | None = None
    rss: int | None = None
    memory_mib: int = 0
    port: int = 0
    since: float | None = None
    activity: str = ""
    activity_since: float | None = None

    @property
    def look(self) -> Look:
        return MACHINES[self.state]

    @property
    def words(self) -> str:
        return f"{self.name} {self.image}".lower()


def pending_key(operation_id: str) -> str:
    """The key of a machine that so far is only an operation."""
    return f"op:{operation_id}"


def row(vm: VmRecord, sample: VmStats | None, operation: OperationView | None) -> MachineRow:
    """The line of a VM; ``operation`` is the one that works on it now, if any."""
    running = vm.state is VmState.RUNNING
    stage = innermost(operation)
    return MachineRow(
        key=vm.id,
        name=vm.name,
        state=vm.state,
        image=vm.image,
        cpu=sample.cpu if sample and running else None,
        rss=sample.rss_bytes if sample and running else None,
        memory_mib=vm.memory_mib,
        port=vm.ssh_port,
        since=vm.started_at if running else (vm.stopped_at or vm.created_at),
        activity=units.plain(stage.name, 40) if stage else "",
        activity_since=stage.started if stage else None,
    )


def pending_row(operation: OperationView) -> MachineRow:
    """The line of a machine whose making has begun, before its name is reserved."""
    stage = innermost(operation)
    return MachineRow(
        key=pending_key(operation.id),
        name=operation.subject or NAMELESS,
        state=VmState.CREATING,
        activity=units.plain(stage.name, 40) if stage else "",
        activity_since=stage.started if stage else operation.started,
    )


def innermost(operation: OperationView | None) -> StageView | None:
    """The stage worth a word in the list: the outer one that runs, so that it does not flicker."""
    if operation is None or operation.state.over:
        return None
    return next((s for s in operation.stages if s.started and not s.ended), None)


def pending(
    operations: Iterable[OperationView], vms: Mapping[str, VmRecord]
) -> Iterable[OperationView]:
    """Creates under way that have no VM record yet."""
    names = {vm.name for vm in vms.values()}
    for operation in operations:
        if operation.kind != CREATES or operation.state.over:
            continue
        if operation.subject_id in vms or (operation.subject and operation.subject in names):
            continue
        yield operation
