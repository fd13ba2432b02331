"""Each state's glyph, colour and word: whoever sees no colours still sees the state."""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.model import OperationState, StageState, VmState


@dataclass(frozen=True, slots=True)
class Look:
    """``tone`` is the last part of a component class and of a style in ``TONES``."""

    glyph: str
    tone: str
    word: str


#: Styles by tone, in the theme's variables.
TONES = {
    "good": "$text-success",
    "busy": "$text-warning",
    "off": "$foreground-muted",
    "bad": "$text-error",
}

MACHINES = {
    VmState.CREATING: Look("◐", "busy", "creating"),
    VmState.STARTING: Look("◐", "busy", "starting"),
    VmState.RUNNING: Look("●", "good", "running"),
    VmState.STOPPING: Look("◐", "busy", "stopping"),
    VmState.STOPPED: Look("○", "off", "stopped"),
    VmState.FAILED: Look("✗", "bad", "failed"),
}

STAGES = {
    StageState.PENDING: Look("○", "off", "to come"),
    StageState.RUNNING: Look("◐", "busy", "running"),
    StageState.DONE: Look("✓", "good", "done"),
    StageState.FAILED: Look("✗", "bad", "failed"),
    StageState.SKIPPED: Look("–", "off", "not needed"),
    StageState.CANCELLED: Look("⊘", "off", "cancelled"),
}

OPERATIONS = {
    OperationState.RUNNING: Look("◐", "busy", "running"),
    OperationState.DONE: Look("✓", "good", "done"),
    OperationState.FAILED: Look("✗", "bad", "failed"),
    OperationState.CANCELLED: Look("⊘", "off", "cancelled"),
}


def style(look: Look) -> str:
    """The style of a look for ``Content``."""
    return TONES[look.tone]
