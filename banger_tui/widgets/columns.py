"""Which columns the machine list has room for, and how a row reads in each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from banger_tui.engine.model import VmState
from banger_tui.widgets import units
from banger_tui.widgets.rows import MachineRow
from banger_tui.widgets.states import MACHINES

GAP = 2
NAME_MIN, NAME_MAX = 8, 30

_ORDER = {
    VmState.RUNNING: 0,
    VmState.STARTING: 1,
    VmState.CREATING: 1,
    VmState.STOPPING: 2,
    VmState.FAILED: 3,
    VmState.STOPPED: 4,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how wide, on which side its text stands, what it says and how it sorts."""

    id: str
    title: str
    width: int
    right: bool
    text: Callable[[MachineRow, float], str]
    order: Callable[[MachineRow], Any]
    descending: bool = False
    """The direction of the first click: numbers start with the largest."""


def _state(row: MachineRow, now: float) -> str:
    if row.activity:
        took = "" if row.activity_since is None else f" {units.span(now - row.activity_since)}"
        return f"{row.activity}{took}"
    return MACHINES[row.state].word


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


NAME = Column("name", "NAME", NAME_MIN, False, _name, lambda row: row.name)

#: After the name, the most wanted first: those at the end go when there is no room.
REST = (
    Column("state", "STATE", 9, False, _state, lambda r: (_ORDER[r.state], -(r.since or 0.0))),
    Column("up", "UP", 4, True, _since, lambda r: r.since or 0.0, descending=True),
    Column("cpu", "CPU", 4, True, _cpu, lambda r: -1.0 if r.cpu is None else r.cpu, True),
    Column("memory", "MEM", 5, True, _memory, lambda r: -1 if r.rss is None else r.rss, True),
    Column("port", "SSH", 6, True, _port, lambda r: r.port),
    Column("image", "IMAGE", 16, False, _image, lambda r: r.image),
)

ALL = (NAME, *REST)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that fit: (column, x, width) from left to right."""

    places: tuple[tuple[Column, int, int], ...]

    def at(self, x: int) -> Column | None:
        """The column under a cell."""
        for column, start, width in self.places:
            if start <= x < start + width + GAP:
                return column
        return None


def lay_out(width: int, longest_name: int) -> Layout:
    """Fill ``width`` cells: the name first, then what fits; the name gets what is left over."""
    name = max(NAME_MIN, min(longest_name, NAME_MAX))
    name = max(1, min(name, width))
    left = width - name
    chosen: list[Column] = []
    for column in REST:
        if column.width + GAP > left:
            break
        chosen.append(column)
        left -= column.width + GAP
    spare = max(0, longest_name - name)
    grown = min(left, spare)
    name += grown
    left -= grown
    places: list[tuple[Column, int, int]] = [(NAME, 0, name)]
    x = name + GAP
    for column in chosen:
        # What is still left goes to the state: it carries the stage while a machine is made.
        extra = left if column.id == "state" else 0
        places.append((column, x, column.width + extra))
        x += column.width + extra + GAP
    return Layout(tuple(places))
