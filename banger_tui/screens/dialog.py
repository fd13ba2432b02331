"""The frame that all questions and messages share."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip

from banger_tui.widgets.shade import shaded

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A modal box that escape closes without an answer; the screen below lives on in the shade."""

    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = ".-safe"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    _shown = False

    def on_screen_resume(self, event: ScreenResume) -> None:
        # Composed a moment ago, with styles: making them twice would hold up the first frame.
        event.refresh_styles = self._shown
        self._shown = True

    def action_leave(self) -> None:
        self.dismiss(None)

    def render_lines(self, crop: Region) -> list[Strip]:
        stack = self.app.screen_stack
        depth = stack.index(self) if self in stack else 0
        if not depth:
            return super().render_lines(crop)
        shade = self.styles.background
        below = stack[depth - 1]._compositor.render_strips(self.size)
        return [
            shaded(strip.crop(crop.x, crop.right), shade) for strip in below[crop.y : crop.bottom]
        ]
