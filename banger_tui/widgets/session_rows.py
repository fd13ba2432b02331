"""Rows and columns of the list of sessions. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from banger_tui.engine.model import SessionMode, SessionState, SessionView
from banger_tui.widgets import units
from banger_tui.widgets.states import Look
from banger_tui.widgets.table import NAME_MIN, Column, Table

RUNS = Look("●", "good", "runs")
ENDED = Look("○", "off", "ended")
BAD = Look("✗", "bad", "ended badly")
LOST = Look("✗", "bad", "lost")


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of one machine."""

    seen: SessionView

    @property
    def key(self) -> str:
        return f"{self.seen.vm_id}/{self.seen.name}"

    @property
    def name(self) -> str:
        return self.seen.name

    @property
    def look(self) -> Look:
        return look(self.seen)

    @property
    def words(self) -> str:
        return f"{self.seen.name} {self.seen.vm_name} {command(self.seen)}".lower()


def look(seen: SessionView) -> Look:
    """Glyph, tone and word of a session's state."""
    match seen.state:
        case SessionState.RUNNING:
            return RUNS
        case SessionState.LOST:
            return LOST
    return BAD if seen.exit_code else ENDED


def command(seen: SessionView) -> str:
    """What runs in it, as one would type it; one harmless line."""
    return units.plain(shlex.join(seen.argv), 400) if seen.argv else "login shell"


def state(seen: SessionView) -> str:
    """Its state in a word or two: ``runs``, ``waits``, ``exit 3``, ``lost``."""
    if seen.state is SessionState.RUNNING:
        return "waits for a reader" if seen.waiting else "runs"
    if seen.state is SessionState.LOST:
        return "lost"
    return f"exit {seen.exit_code}" if seen.exit_code is not None else "ended"


def _since(row: SessionRow, now: float) -> str:
    return units.age(now - row.seen.started)


def _said(row: SessionRow) -> int:
    return row.seen.out_bytes + row.seen.err_bytes


SESSIONS: Table[SessionRow] = Table(
    "Sessions",
    (
        Column("name", "NAME", NAME_MIN, False, lambda r, _: r.name,
               lambda r: (r.name, r.seen.vm_name)),
        Column("machine", "MACHINE", 12, False, lambda r, _: units.plain(r.seen.vm_name, 30),
               lambda r: r.seen.vm_name),
        Column("state", "STATE", 7, False, lambda r, _: state(r.seen),
               lambda r: (r.seen.state, r.seen.exit_code or 0), state=True),
        Column("since", "AGE", 4, True, _since, lambda r: r.seen.started, descending=True),
        Column("command", "COMMAND", 12, False, lambda r, _: command(r.seen),
               lambda r: command(r.seen)),
        Column("said", "OUTPUT", 6, True, lambda r, _: units.size(_said(r)), _said,
               descending=True),
        Column("mode", "AS", 4, False, lambda r, _: r.seen.mode.value,
               lambda r: r.seen.mode is SessionMode.PIPE),
    ),
    grows="command",
)  # fmt: skip
