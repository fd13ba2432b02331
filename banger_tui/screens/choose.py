"""A question with more answers than yes and no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Button, Static

from banger_tui.screens.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: ``id`` is what comes back, ``key`` one character that gives it too."""

    id: str
    key: str
    text: str


class ChooseScreen(Dialog[str]):
    """The id of the answer; None for the first, which is the safe one and has the focus."""

    def __init__(self, title: str, lines: Sequence[str], choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._lines = tuple(lines)
        self._choices = tuple(choices)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._title)
            safe = self._choices[0]
            keys = " · ".join(f"{c.key} {c.id}" for c in self._choices[1:])
            box.border_subtitle = Content(f"{keys} · {safe.key} or esc {safe.id}")
            yield Static(Content("\n".join(self._lines)), classes="text")
            with Horizontal(classes="answers"):
                for choice in self._choices:
                    classes = "-safe" if choice is safe else ""
                    label = Content(choice.text)
                    yield Button(label, id=choice.id, classes=classes, compact=True)

    def on_key(self, event: Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.dismiss(choice.id)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id)
