"""The frame that all questions and messages share."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A modal box that escape closes without an answer."""

    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ".-safe"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def action_leave(self) -> None:
        self.dismiss(None)
