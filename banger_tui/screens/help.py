"""Every key, by what it is about."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from banger_tui.screens import keys
from banger_tui.screens.dialog import Dialog

_STATES = (
    ("●", "$text-success", "running"),
    ("◐", "$text-warning", "on its way"),
    ("○", "$foreground-muted", "stopped"),
    ("✗", "$text-error", "failed"),
)


class HelpScreen(Dialog[None]):
    """All keys; any of escape, q and ? closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,f1", "leave", "Close", show=False)
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide -safe") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("↑↓ scroll · esc closes")
            wide = self.app.size.width >= 100
            groups = (
                (keys.MACHINES, keys.PANEL),
                (keys.LIST, keys.APP),
            )
            if wide:
                columns = [self._column(*pair) for pair in groups]
                height = max(len(column) for column in columns)
                for column in columns:
                    column.extend([Content("")] * (height - len(column)))
                lines = [
                    Content.assemble(left.pad_right(max(0, 52 - left.cell_length)), right)
                    for left, right in zip(*columns, strict=True)
                ]
            else:
                lines = [line for pair in groups for line in self._column(*pair)]
            lines.append(
                Content("    ").join(
                    Content.assemble((f"{glyph} ", style), word) for glyph, style, word in _STATES
                )
            )
            yield Static(Content("\n").join(lines), classes="text")

    @staticmethod
    def _column(*groups: str) -> list[Content]:
        lines: list[Content] = []
        for group in groups:
            lines.append(Content.styled(group, "bold"))
            lines.extend(
                Content.assemble((f"  {key.shown:<11}", "bold $primary"), key.text)
                for key in (*keys.HOME, *keys.ELSEWHERE)
                if key.group == group
            )
            lines.append(Content(""))
        return lines
