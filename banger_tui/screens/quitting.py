"""What the person is asked who quits while something goes on. Pure but for the screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.screen import ModalScreen

from banger_tui.engine.model import OperationView
from banger_tui.screens.choose import Choice, ChooseScreen
from banger_tui.screens.confirm import ConfirmScreen, Question
from banger_tui.widgets import clock, stage_text

ID = "quit"
LEAVE, CANCEL = "leave", "cancel"
_MOST = 6


def screen(
    live: Sequence[OperationView], outermost: Collection[OperationView]
) -> ModalScreen[str] | ModalScreen[bool]:
    """The question: pulls that somebody asked for can go on at the next start.

    Args:
        live: all that is under way here; ``outermost``: without pulls that creates wait for.
    """
    own = {operation.id for operation in outermost}
    pulls = [o for o in live if o.kind == "pull image" and o.id in own]
    asked = _with_pulls(live, pulls) if pulls else _without(live)
    asked.id = ID
    return asked


def _without(live: Sequence[OperationView]) -> ConfirmScreen:
    question = Question(
        "Quit now?",
        [*_named(live), "",
         "Quitting cancels, and takes away what was made so far.",
         "Running machines run on."],
        "Cancel and quit",
        "Stay",
    )  # fmt: skip
    return ConfirmScreen(question)


def _with_pulls(live: Sequence[OperationView], pulls: Sequence[OperationView]) -> ChooseScreen:
    one = len(pulls) == 1
    lines = [
        *_named(live),
        "",
        f"Leaving stops {'the pull' if one else 'the pulls'}; with what is downloaded by then, "
        f"{'it goes' if one else 'they go'} on at the next start.",
    ]
    if len(live) > len(pulls):
        lines.append("All else is cancelled, and what it made so far is taken away.")
    lines.append("Running machines run on.")
    choices = (
        Choice("stay", "w", "Go on waiting"),
        Choice(LEAVE, "l", "Leave and resume later"),
        Choice(CANCEL, "c", "Cancel and quit"),
    )
    return ChooseScreen("Quit now?", lines, choices)


def _named(live: Sequence[OperationView]) -> list[str]:
    these = "This operation is" if len(live) == 1 else f"{len(live)} operations are"
    now = clock.now()
    titles = [
        f"· {stage_text.title(operation)}  {stage_text.brief(operation, now)}"
        for operation in live[:_MOST]
    ]
    if len(live) > _MOST:
        titles.append(f"· and {len(live) - _MOST} more")
    return [f"{these} still under way:", *titles]
