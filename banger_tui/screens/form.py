"""A dialog of fields, each judged while it is typed."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Button, Input, Label, Static

from banger_tui.engine.errors import BangerError
from banger_tui.screens.dialog import Dialog
from banger_tui.widgets import units

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class TextField:
    """One line of text.

    Args:
        id: of its input; also its label, unless ``label`` is another.
        judge: the value of a text; raises BangerError where it makes no sense.
        about: what is worth knowing of a text that is well, in a few cells beside it.
        says: the same on the line below it.
        look: what the disk says of a text that is well: as ``says``, or raises BangerError.
            Blocking; it is done beside, a moment after the text was typed.
        wide: it takes the whole line; there is no ``about``.
    """

    id: str
    judge: Callable[[str], Any]
    value: str = ""
    placeholder: str = ""
    about: Callable[[str], str] = lambda text: ""  # noqa: ARG005  # nothing is
    says: Callable[[str], str] = lambda text: ""  # noqa: ARG005  # nothing is
    look: Callable[[str], str] | None = None
    suggester: Suggester | None = None
    label: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """One of a few words; ``meaning`` says what they stand for."""

    id: str
    values: tuple[str, ...]
    value: str
    meaning: str = ""
    label: str = ""


Field = TextField | ChoiceField


class Cycle(Static, can_focus=True):
    """One of a few words; space, left and right change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right", "turn(1)", show=False),
        Binding("left", "turn(-1)", show=False),
    ]

    def __init__(self, values: tuple[str, ...], value: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._values = values
        self.value = value

    def on_mount(self) -> None:
        self.action_turn(0)

    def action_turn(self, by: int) -> None:
        here = self._values.index(self.value)
        self.value = self._values[(here + by) % len(self._values)]
        self.update(Content(f"◂ {self.value} ▸"))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_turn(1)


class CompletingInput(Input):
    """Takes what is suggested with tab, as a shell does, before tab leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", show=False)]

    def action_complete(self) -> None:
        if self._suggestion and self.cursor_at_end:
            self.action_cursor_right()
        else:
            self.screen.focus_next()


class Form(Dialog[Answer]):
    """An answer when the person gives one, None when not.

    Args:
        title: stands in the border.
        fields: the first has the focus.
        verb: what the button says.
    """

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Submit", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, fields: Sequence[Field], verb: str) -> None:
        super().__init__()
        self._title = title
        self._fields = tuple(fields)
        self._verb = verb
        self._seen: dict[tuple[str, str], str | BangerError] = {}

    @abstractmethod
    def answer(self, values: Mapping[str, Any]) -> Answer:
        """The answer; ``values`` are those of the fields by their ids."""

    @property
    def _texts(self) -> tuple[TextField, ...]:
        return tuple(field for field in self._fields if isinstance(field, TextField))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._title)
            completes = any(field.suggester for field in self._texts)
            keys = f"enter {self._verb.lower()}s · esc leaves"
            box.border_subtitle = Content(f"tab completes · {keys}" if completes else keys)
            with VerticalScroll(classes="fields", can_focus=False):
                for field in self._fields:
                    yield from self._place(field)
            with Horizontal(classes="answers"):
                yield Button("Leave", id="leave", compact=True)
                yield Button(self._verb, id="submit", compact=True)

    @staticmethod
    def _place(field: Field) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label(field.label or field.id)
            if isinstance(field, ChoiceField):
                yield Cycle(field.values, field.value, id=field.id)
                meaning = Content.styled(field.meaning, "$foreground-muted")
                yield Static(meaning, classes="meaning")
                return
            kind = CompletingInput if field.suggester else Input
            yield kind(
                field.value,
                placeholder=field.placeholder,
                suggester=field.suggester,
                id=field.id,
                compact=True,
            )
            about = Static("", id=f"{field.id}-about", classes="about")
            about.display = not field.wide
            yield about
        yield Static("", id=f"{field.id}-note", classes="note")

    # -- judging

    def on_mount(self) -> None:
        for field in self._texts:
            self._judge(field)

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Judge what is typed."""
        self.judge(event.input.id or "")

    def judge(self, field_id: str) -> None:
        """Judge a field anew: what it stands on may have changed."""
        for field in self._texts:
            if field.id == field_id:
                self._judge(field)

    def _judge(self, field: TextField) -> Any:
        """The field's value; None and a line below the field when it makes no sense."""
        entry = self.query_one(f"#{field.id}", Input)
        note = self.query_one(f"#{field.id}-note", Static)
        about = self.query_one(f"#{field.id}-about", Static)
        text = entry.value.strip()
        seen = self._seen.get((field.id, text))
        try:
            value = field.judge(text)
            if isinstance(seen, BangerError):
                raise seen
        except BangerError as error:
            # Hints with options are for the command line: there the reason says more.
            more = error.hint if error.hint and "--" not in error.hint else error.detail
            said = ". ".join(part.rstrip(".") for part in (error.title, more) if part)
            # Nobody is blamed for what they have not yet typed.
            mark, tone = ("✗ ", "$text-error") if text else ("", "$foreground-muted")
            note.update(Content.styled(f"{mark}{units.plain(said, 200)}", tone))
            about.update("")
            entry.add_class("-wrong")
            self._sum_up()
            return None
        entry.remove_class("-wrong")
        says = Content.styled(units.plain(seen or field.says(text), 200), "$text-success")
        note.update(says)
        if field.look is not None and seen is None and text:
            looking = self._look(field, field.look, text)
            self.run_worker(looking, group=f"look at {field.id}", exclusive=True)
        about.update(Content.styled(field.about(text), "$foreground-muted"))
        self._sum_up()
        return value

    async def _look(self, field: TextField, look: Callable[[str], str], text: str) -> None:
        try:
            self._seen[field.id, text] = await asyncio.to_thread(look, text)
        except BangerError as error:
            self._seen[field.id, text] = error
        if self.is_mounted:
            self._judge(field)

    def _sum_up(self) -> None:
        self.query_one("#submit", Button).disabled = bool(self.query(".-wrong"))

    # -- ends

    @on(Input.Submitted)
    @on(Button.Pressed, "#submit")
    def action_submit(self) -> None:
        values: dict[str, Any] = {}
        for field in self._fields:
            if isinstance(field, ChoiceField):
                values[field.id] = self.query_one(f"#{field.id}", Cycle).value
                continue
            values[field.id] = self._judge(field)
            entry = self.query_one(f"#{field.id}", Input)
            if entry.has_class("-wrong"):
                entry.focus()
                return
        self.dismiss(self.answer(values))

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)
