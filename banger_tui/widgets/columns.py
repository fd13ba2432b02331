"""Columns of the list of machines. Pure."""

from __future__ import annotations

from banger_tui.engine.model import VmState
from banger_tui.widgets import units
from banger_tui.widgets.rows import MachineRow
from banger_tui.widgets.table import NAME_MIN, Column, Table

_ORDER = {
    VmState.RUNNING: 0,
    VmState.STARTING: 1,
    VmState.CREATING: 1,
    VmState.STOPPING: 2,
    VmState.FAILED: 3,
    VmState.STOPPED: 4,
}


def _state(row: MachineRow, now: float) -> str:
    if row.activity:
        took = "" if row.activity_since is None else f" {units.span(now - row.activity_since)}"
        return f"{row.activity}{took}"
    return row.look.word


def _cpu(row: MachineRow, now: float) -> str:  # noqa: ARG001
    return "" if row.cpu is None else units.percent(row.cpu)


def _memory(row: MachineRow, now: float) -> str:  # noqa: ARG001
    return "" if row.rss is None else units.size(row.rss)


def _since(row: MachineRow, now: float) -> str:
    if row.since is None or row.activity:
        return ""
    if row.state is VmState.RUNNING:
        return units.age(now - row.since)
    return ""


def _port(row: MachineRow, now: float) -> str:  # noqa: ARG001
    return f":{row.port}" if row.port and row.state is VmState.RUNNING else ""


def _name(row: MachineRow, now: float) -> str:  # noqa: ARG001
    return row.name


def _image(row: MachineRow, now: float) -> str:  # noqa: ARG001
    return row.image


MACHINES: Table[MachineRow] = Table(
    "Machines",
    (
        Column("name", "NAME", NAME_MIN, False, _name, lambda r: r.name),
        # It grows: it carries the stage while a machine is made.
        Column("state", "STATE", 9, False, _state,
               lambda r: (_ORDER[r.state], -(r.since or 0.0)), state=True),
        Column("up", "UP", 4, True, _since, lambda r: r.since or 0.0, descending=True),
        Column("cpu", "CPU", 4, True, _cpu, lambda r: -1.0 if r.cpu is None else r.cpu, True),
        Column("memory", "MEM", 5, True, _memory, lambda r: -1 if r.rss is None else r.rss, True),
        Column("port", "SSH", 6, True, _port, lambda r: r.port),
        Column("image", "IMAGE", 16, False, _image, lambda r: r.image),
    ),
    grows="state",
)  # fmt: skip
