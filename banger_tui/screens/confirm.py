"""A question: what will happen, to what, and what can't be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from banger_tui.screens.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Question:
    """``title`` asks, ``lines`` say what will happen; ``yes`` and ``no`` name the answers.

    ``grave``: what can't be undone, in one sentence; empty when it can.
    """

    title: str
    lines: Sequence[str]
    yes: str
    no: str = "Keep it"
    grave: str = ""


class ConfirmScreen(Dialog[bool]):
    """True when the person wants it; the safe answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n", "answer(False)", "No", show=False),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        question = self.question
        with Vertical(classes="dialog") as box:
            box.border_title = Content(question.title)
            box.border_subtitle = Content("y yes · n or esc no")
            yield Static(Content("\n".join(question.lines)), classes="text")
            if question.grave:
                grave = Content.styled(question.grave, "$text-error")
                yield Static(grave, classes="text grave")
            with Horizontal(classes="answers"):
                yield Button(Content(question.no), id="no", classes="-safe", compact=True)
                yield Button(Content(question.yes), id="yes", compact=True)

    @on(Button.Pressed, "#yes")
    def _yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(False)

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)

    def action_leave(self) -> None:
        self.dismiss(False)
