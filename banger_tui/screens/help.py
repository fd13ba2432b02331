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

_BETWEEN = 3  # cells between the columns
_WIDE = 108  # cells of the screen from which on they stand side by side


class HelpScreen(Dialog[None]):
    """All keys; any of escape, q and ? closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,f1", "leave", "Close", show=False)
    ]

    def __init__(self, shown: keys.Keys) -> None:
        super().__init__()
        self._keys = shown

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide -safe") as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("↑↓ scroll · esc closes")
            groups = self._keys.groups
            wide = self.app.size.width >= _WIDE and len(groups) == 2
            if wide:
                columns = [self._column(*pair) for pair in groups]
                height = max(len(column) for column in columns)
                for column in columns:
                    column.extend([Content("")] * (height - len(column)))
                room = max(line.cell_length for line in columns[0]) + _BETWEEN
                lines = [
                    Content.assemble(left.pad_right(max(0, room - left.cell_length)), right)
                    for left, right in zip(*columns, strict=True)
                ]
            else:
                lines = [line for pair in groups for line in self._column(*pair)]
            if self._keys.states:
                lines.append(
                    Content("    ").join(
                        Content.assemble((f"{glyph} ", style), word)
                        for glyph, style, word in self._keys.states
                    )
                )
            yield Static(Content("\n").join(lines), classes="text")

    def _column(self, *groups: str) -> list[Content]:
        every = [key for key in (*self._keys.bound, *self._keys.elsewhere) if key.group in groups]
        room = max(len(key.shown) for key in every) + 2
        lines: list[Content] = []
        for group in groups:
            lines.append(Content.styled(group, "bold"))
            lines.extend(
                Content.assemble((f"  {key.shown:<{room}}", "bold $primary"), key.text)
                for key in every
                if key.group == group
            )
            lines.append(Content(""))
        return lines
