"""A failure: what failed, why, and what to do."""

from __future__ import annotations

import re
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

# Hints name a command behind a colon, and go on behind it in brackets or after a semicolon.
_COMMAND = re.compile(r":\s+((?:sudo|mv|usermod|banger-tui)\s[^;(]*[^;(\s.])\s*(?=[;(.]|$)")
_NARROW = 64  # cells that the ordinary box has for a command


def command_in(hint: str) -> str:
    """The command that a hint tells to run; empty when it names none."""
    found = _COMMAND.search(hint)
    return found[1] if found else ""


class ErrorScreen(Dialog[None]):
    """Three lines, never a traceback. ``fatal``: the app can do nothing but end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.quit", "Quit", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, error: BangerError, *, fatal: bool = False) -> None:
        super().__init__()
        self.error = error
        self.fatal = fatal
        self.command = command_in(error.hint)

    def compose(self) -> ComposeResult:
        error = self.error
        with Vertical(classes="dialog -failed") as box:
            box.border_title = Content("This did not work")
            box.set_class(len(self.command) > _NARROW, "wide")
            copies = "y copies the command" if self.command else "y copies the hint"
            ends = "q quits" if self.fatal else "esc closes"
            box.border_subtitle = Content(f"{copies} · {ends}" if error.hint else ends)
            title = Content.assemble(("✗ ", "$text-error"), (units.plain(error.title), "bold"))
            yield Static(title, classes="text", id="title")
            if error.detail:
                yield Static(Content(units.plain(error.detail, 1000)), classes="text", id="reason")
            if error.hint:
                before, _, after = error.hint.partition(self.command or "\n")
                yield _hint(units.plain(before.strip(), 1000), "hint")
                if self.command:
                    # On a line of its own: the terminal's own selection takes it whole.
                    command = Content.styled(units.plain(self.command, 1000), "bold")
                    yield Static(command, classes="text command", id="command")
                if after := after.strip():
                    yield _hint(units.plain(after, 1000), "after")
            with Horizontal(classes="answers"):
                if self.fatal:
                    yield Button("Look around", id="close", compact=True)
                    yield Button("Quit", id="quit", classes="-safe", compact=True)
                else:
                    yield Button("Close", id="close", classes="-safe", compact=True)

    def action_copy(self) -> None:
        if text := self.command or self.error.hint:
            self.app.copy_to_clipboard(text)
            self.notify(units.plain(text, 200), title="Copied", markup=False)

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#quit")
    async def _quit(self) -> None:
        await self.run_action("app.quit")


def _hint(text: str, id: str) -> Static:  # noqa: A002  # as widgets have it
    mark = ("→ ", "$primary") if id == "hint" else ("  ", "")
    return Static(Content.assemble(mark, text), classes="text", id=id)
