"""What goes on, at the bottom of the screen; not there when nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from banger_tui.engine.model import OperationState, OperationView
from banger_tui.widgets import clock, stage_text, units
from banger_tui.widgets.lines import Lines

_MOST = 4


class OperationStrip(Lines, can_focus=True):
    """Operations under way and those that just failed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False),
        Binding("c", "cancel", "Cancel", show=False),
    ]

    class Opened(Message):
        """The person wants to see the operation's timeline."""

        def __init__(self, operation_id: str) -> None:
            super().__init__()
            self.operation_id = operation_id

    class CancelWanted(Message):
        """The person wants the operation to end."""

        def __init__(self, operation_id: str) -> None:
            super().__init__()
            self.operation_id = operation_id

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._operations: list[OperationView] = []
        self._titled = ("", "")
        self.display = False

    @property
    def operations(self) -> list[OperationView]:
        return self._operations

    def show(self, operations: Sequence[OperationView]) -> None:
        """Show these; none: the strip is not there."""
        self._operations = list(operations)
        self.display = bool(operations)
        failed = any(o.state is OperationState.FAILED for o in operations)
        self.set_class(failed, "-failed")
        if operations:
            self._titles()
            self.changed()

    def tick(self) -> None:
        """Time has passed."""
        if self._operations:
            self._titles()
            self.changed()

    def _titles(self) -> None:
        live = [o for o in self._operations if not o.state.over]
        if len(self._operations) == 1:
            only = self._operations[0]
            elapsed = units.span(only.elapsed(clock.now()))
            how = "Failed" if only.state is OperationState.FAILED else "Working on"
            title = f"{how}: {stage_text.title(only)} · {elapsed}"
        else:
            title = f"{len(live)} under way" if live else "Failed"
        keys = "o opens · tab here, c cancels" if live else "o opens · esc puts away"
        if self.has_focus:
            keys = "enter opens · c cancels" if live else "enter opens · esc puts away"
        if (title, keys) != self._titled:
            self._titled = (title, keys)
            self.border_title = Content(title)
            self.border_subtitle = Content(keys)

    def lines(self, width: int) -> list[Content]:
        now = clock.now()
        narrow = self.app.size.width < 100
        if len(self._operations) == 1:
            only = self._operations[0]
            if only.state is OperationState.FAILED:
                return stage_text.failure(only, width)
            if narrow:
                return [stage_text.line(only, now, width)]
            return [
                *stage_text.flow(only.stages, now, width, 2),
                Content.assemble("  ", stage_text.activity(only, now, width - 2)),
            ]
        failed = [o for o in self._operations if o.state is OperationState.FAILED]
        shown = [o for o in self._operations if o.state is not OperationState.FAILED]
        lines = stage_text.failure(failed[-1], width) if failed else []
        lines += [stage_text.line(o, now, width) for o in shown[:_MOST]]
        more = len(shown) - _MOST + max(0, len(failed) - 1)
        if len(shown) > _MOST or len(failed) > 1:
            lines.append(Content.styled(f"and {max(1, more)} more: o", stage_text.FAINT))
        return lines

    def _first(self, *, live: bool = False) -> OperationView | None:
        for operation in self._operations:
            if not live or not operation.state.over:
                return operation
        return None

    def on_focus(self) -> None:
        self._titles()

    def on_blur(self) -> None:
        self._titles()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if (operation := self._first()) is not None:
            self.post_message(self.Opened(operation.id))

    def action_cancel(self) -> None:
        if (operation := self._first(live=True)) is not None:
            self.post_message(self.CancelWanted(operation.id))
