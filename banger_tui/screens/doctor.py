"""What this host can do, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError
from banger_tui.screens.dialog import Dialog
from banger_tui.widgets import units

if TYPE_CHECKING:
    from banger_tui.engine.host import Check


class DoctorScreen(Dialog[None]):
    """One line a check; those that are not well also say why and what to do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "check", "Check again", show=False),
        Binding("q,5", "leave", "Close", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide -safe") as box:
            box.border_title = Content("Doctor")
            box.border_subtitle = Content("r checks again · esc closes")
            yield Static(
                Content.styled("checking …", "$foreground-muted"), id="checks", classes="text"
            )

    def on_mount(self) -> None:
        self.action_check()

    def action_check(self) -> None:
        self.run_worker(self._check(), exclusive=True)

    async def _check(self) -> None:
        shown = self.query_one("#checks", Static)
        try:
            checks = await self._bridge.engine.doctor()
        except BangerError as error:
            shown.update(
                Content("\n").join(
                    [
                        Content.styled(f"✗ {units.plain(error.title)}", "bold $text-error"),
                        Content(units.plain(error.detail)),
                        Content(f"→ {units.plain(error.hint)}"),
                    ]
                )
            )
            return
        width = max(40, shown.content_size.width)
        shown.update(Content("\n").join(_lines(checks, width)))


def _lines(checks: list[Check], width: int) -> list[Content]:
    room = max((len(check.name) for check in checks), default=0) + 2
    lines: list[Content] = []
    for check in checks:
        glyph, tone = {
            True: ("✓", "$text-success"),
            False: ("✗", "$text-error"),
            None: ("–", "$foreground-muted"),
        }[check.ok]
        told = [Content.styled(units.plain(check.value), "" if check.ok else tone)]
        if check.detail and check.ok is not True:
            told.append(Content.styled(units.plain(check.detail), "$foreground-muted"))
        if check.hint and check.ok is not True:
            told.append(Content.assemble(("→ ", "$primary"), units.plain(check.hint)))
        texts = [line for text in told for line in text.wrap(max(20, width - room - 2))]
        head = Content.assemble((f"{glyph} ", tone), units.plain(check.name).ljust(room))
        for text in texts or [Content("")]:
            lines.append(Content.assemble(head, text))
            head = Content(" " * (room + 2))
    missing = sum(check.ok is False for check in checks)
    lines.append(Content(""))
    verdict = "Everything needed is here." if not missing else f"{missing} needed, missing."
    lines.append(Content.styled(verdict, "bold"))
    return lines
