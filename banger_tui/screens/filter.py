"""The line in which a list is filtered."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterInput(Input):
    """Filters while it is typed; enter keeps the filter, escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", show=False),
        Binding("down", "keep", show=False),
    ]

    class Filtered(Message):
        """The filter is ``text`` now; ``done``: the list takes over again."""

        def __init__(self, text: str, *, done: bool) -> None:
            super().__init__()
            self.text = text
            self.done = done

    def __init__(self, text: str, placeholder: str) -> None:
        super().__init__(text, placeholder=placeholder, id="filter", compact=True)

    @on(Input.Changed)
    def _filter(self) -> None:
        self.post_message(self.Filtered(self.value, done=False))

    @on(Input.Submitted)
    def action_keep(self) -> None:
        self.post_message(self.Filtered(self.value, done=True))

    def action_clear(self) -> None:
        self.value = ""
        self.post_message(self.Filtered("", done=True))
