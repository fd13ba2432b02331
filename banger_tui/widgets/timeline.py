"""The stages of one operation as a timeline."""

from __future__ import annotations

from textual.content import Content

from banger_tui.engine.model import OperationState, OperationView
from banger_tui.widgets import clock, stage_text, stage_tree, units
from banger_tui.widgets.lines import Lines
from banger_tui.widgets.states import OPERATIONS, style


class Timeline(Lines):
    """Head line, the failure if it is one, stages."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._operation: OperationView | None = None

    def show(self, operation: OperationView | None) -> None:
        self._operation = operation
        self.changed()

    def lines(self, width: int) -> list[Content]:
        if self._operation is None:
            return [Content("")]
        # While it goes on, what goes on has to be in sight.
        return describe(self._operation, width, folded=not self._operation.state.over)


def describe(operation: OperationView, width: int, *, folded: bool = False) -> list[Content]:
    """The lines of one operation; ``folded``: without what is inside finished stages."""
    now = clock.now()
    look = OPERATIONS[operation.state]
    elapsed = units.span(operation.elapsed(now))
    words = {
        OperationState.RUNNING: f"for {elapsed} now",
        OperationState.DONE: f"done in {elapsed}",
        OperationState.FAILED: f"failed after {elapsed}",
        OperationState.CANCELLED: f"cancelled after {elapsed}, nothing of it is left",
    }
    said = words[operation.state]
    if operation.cancel_requested and not operation.state.over:
        said = f"cancelling, cleaning up ({elapsed})"
    head = Content.assemble(
        (stage_text.title(operation), "bold"), "  ", (f"{look.glyph} {said}", style(look))
    )
    lines = [head.truncate(width, ellipsis=True), Content("")]
    if operation.failure is not None and operation.state is OperationState.FAILED:
        told = operation.failure
        lines += Content.styled(units.plain(told.title), "bold $text-error").wrap(width)
        if told.detail:
            lines += Content(units.plain(told.detail)).wrap(width)
        if told.hint:
            hint = Content.assemble(("→ ", "$primary"), units.plain(told.hint))
            lines += hint.wrap(width)
        lines.append(Content(""))
    lines += stage_tree.timeline(operation, now, width, folded=folded)
    return lines
