"""What can be done to machines, and what the person is told before it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from banger_tui.engine.model import MIB, VmRecord
from banger_tui.screens.confirm import Question
from banger_tui.widgets import units

Verb = Literal["start", "stop", "restart", "kill", "delete"]

_MOST_NAMED = 6


def question(verb: Verb, vms: Sequence[VmRecord], skipped: int = 0) -> Question | None:
    """What to ask first; None when the verb harms nothing and works on one machine."""
    one = vms[0].name if len(vms) == 1 else ""
    whom = one or f"{len(vms)} machines"
    it = "it" if one else "them"
    lines: list[str] = [] if one else [_names(vms)]
    if skipped:
        lines.append(f"{skipped} more marked: their state does not allow it, they are left alone.")
    match verb:
        case "start":
            if one and not skipped:
                return None
            memory = sum(vm.memory_mib for vm in vms) * MIB
            lines.append(f"Together they take up to {units.size(memory)} of memory.")
            return Question(f"Start {whom}?", lines, "Start", "Leave it" if one else "Leave them")
        case "stop":
            lines.append("Disks are saved, then the power goes off. Programs inside end.")
            return Question(f"Stop {whom}?", lines, "Stop", f"Keep {it} running")
        case "restart":
            lines.append("Disks are saved; programs and shells inside end. Back in seconds.")
            return Question(f"Restart {whom}?", lines, "Restart", f"Keep {it} running")
        case "kill":
            lines.append("This pulls the plug, for a machine that no longer answers.")
            return Question(
                f"Kill {whom}?", lines, "Kill", f"Keep {it} running",
                grave="What the guest has not yet written to its disk is lost.",
            )  # fmt: skip
        case "delete":
            running = sum(vm.running for vm in vms)
            if running:
                who = "It is running and ends" if one else f"{running} of them run and end"
                lines.append(f"{who} at once, as when the plug is pulled.")
            disk = "Its disk goes" if one else "Their disks go"
            return Question(
                f"Delete {whom}?", lines, "Delete", f"Keep {it}",
                grave=f"{disk} with all that was made inside. This can't be undone.",
            )  # fmt: skip


def _names(vms: Sequence[VmRecord]) -> str:
    shown = ", ".join(vm.name for vm in vms[:_MOST_NAMED])
    more = len(vms) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
