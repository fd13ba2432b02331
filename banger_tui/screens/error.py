"""A failure: what failed, why, and what to do."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from banger_tui.engine.errors import BangerError
from banger_tui.screens.dialog import Dialog
from banger_tui.widgets import units


class ErrorScreen(Dialog[None]):
    """Three lines, never a traceback. ``fatal``: the app can do nothing but end."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit", show=False)]

    def __init__(self, error: BangerError, *, fatal: bool = False) -> None:
        super().__init__()
        self.error = error
        self.fatal = fatal

    def compose(self) -> ComposeResult:
        error = self.error
        with Vertical(classes="dialog -failed") as box:
            box.border_title = Content("This did not work")
            box.border_subtitle = Content("q quits" if self.fatal else "esc closes")
            title = Content.assemble(("✗ ", "$text-error"), (units.plain(error.title), "bold"))
            yield Static(title, classes="text", id="title")
            if error.detail:
                yield Static(Content(units.plain(error.detail, 1000)), classes="text", id="reason")
            if error.hint:
                hint = Content.assemble(("→ ", "$primary"), units.plain(error.hint, 1000))
                yield Static(hint, classes="text", id="hint")
            with Horizontal(classes="answers"):
                if self.fatal:
                    yield Button("Look around", id="close", compact=True)
                    yield Button("Quit", id="quit", classes="-safe", compact=True)
                else:
                    yield Button("Close", id="close", classes="-safe", compact=True)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#quit")
    async def _quit(self) -> None:
        await self.run_action("app.quit")
