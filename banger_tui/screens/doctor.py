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
            yield Static(Content.styled("checking …", "$text-muted"), id="checks", classes="text")

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
        shown.update(Content("\n").join(_lines(checks)))


def _lines(checks: list[Check]) -> list[Content]:
    room = max((len(check.name) for check in checks), default=0) + 2
    lines: list[Content] = []
    for check in checks:
        glyph, tone = {
            True: ("✓", "$text-success"),
            False: ("✗", "$text-error"),
            None: ("–", "$text-muted"),
        }[check.ok]
        lines.append(
            Content.assemble(
                (f"{glyph} ", tone),
                units.plain(check.name).ljust(room),
                (units.plain(check.value), "" if check.ok else tone),
            )
        )
        indent = " " * (room + 2)
        if check.detail and check.ok is not True:
            lines.append(Content.assemble(indent, (units.plain(check.detail), "$text-muted")))
        if check.hint and check.ok is not True:
            lines.append(Content.assemble(indent, ("→ ", "$primary"), units.plain(check.hint)))
    missing = sum(check.ok is False for check in checks)
    lines.append(Content(""))
    verdict = "Everything needed is here." if not missing else f"{missing} needed, missing."
    lines.append(Content.styled(verdict, "bold"))
    return lines
