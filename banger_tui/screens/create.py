"""The form for a new machine; every field is judged while it is typed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Static

from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.model import MIB, NetworkMode, VmSpec
from banger_tui.engine.vms import spec as limits
from banger_tui.screens.dialog import Dialog
from banger_tui.widgets import units


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form starts with and offers. ``images`` here, ``catalog`` can be pulled."""

    defaults: VmSpec
    images: tuple[str, ...] = ()
    catalog: tuple[str, ...] = ()
    taken: Collection[str] = ()


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


class CreateScreen(Dialog[VmSpec]):
    """A ``VmSpec`` when the person makes one, None when not."""

    AUTO_FOCUS = "#name"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "create", "Create", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    FIELDS = ("name", "image", "cpus", "memory", "disk")

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._choices = choices
        self._judges: dict[str, Callable[[str], object]] = {
            "name": self._judge_name,
            "image": self._judge_image,
            "cpus": _cpus,
            "memory": _memory,
            "disk": _disk,
        }

    def compose(self) -> ComposeResult:
        choices = self._choices
        defaults = choices.defaults
        offered = dict.fromkeys((*choices.images, *choices.catalog))
        with Vertical(classes="dialog") as box:
            box.border_title = Content("New machine")
            box.border_subtitle = Content("enter creates · esc leaves")
            with VerticalScroll(classes="fields", can_focus=False):
                yield from self._field("name", "", "one is made up")
                yield from self._field(
                    "image", defaults.image, defaults.image,
                    suggester=SuggestFromList(offered, case_sensitive=False),
                )  # fmt: skip
                yield from self._field("cpus", str(defaults.cpus), str(defaults.cpus))
                memory = units.size(defaults.memory_mib * MIB)
                yield from self._field("memory", memory, memory)
                disk = "" if defaults.disk_bytes is None else units.size(defaults.disk_bytes)
                yield from self._field("disk", disk, "as large as the image's")
                with Horizontal(classes="field"):
                    yield Label("network")
                    modes = tuple(mode.value for mode in NetworkMode)
                    yield Cycle(modes, defaults.network.value, id="network")
                    meaning = "user: reaches out · isolated: reaches nothing"
                    yield Static(Content.styled(meaning, "$foreground-muted"), classes="meaning")
            with Horizontal(classes="answers"):
                yield Button("Leave", id="leave", compact=True)
                yield Button("Create", id="create", compact=True)

    def _field(
        self, name: str, value: str, placeholder: str, suggester: SuggestFromList | None = None
    ) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Label(name)
            yield Input(value, placeholder=placeholder, suggester=suggester, id=name, compact=True)
            yield Static("", id=f"{name}-about", classes="about")
        yield Static("", id=f"{name}-note", classes="note")

    # -- judging

    def _judge_name(self, text: str) -> str | None:
        if not text:
            return None
        limits.validate_name(text)
        if text in self._choices.taken:
            raise InvalidInput(f"There is a machine called {text} already")
        return text

    def _judge_image(self, text: str) -> str:
        choices = self._choices
        known = (*choices.images, *choices.catalog)
        if text and known and text not in known:
            raise InvalidInput(f"No image is called {text}", "", f"There is: {', '.join(known)}")
        return text or choices.defaults.image

    def on_mount(self) -> None:
        for name in self.FIELDS:
            self._judge(name)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if event.input.id in self._judges:
            self._judge(event.input.id)

    def _judge(self, name: str) -> object | None:
        """The field's value; None and a line below the field when it makes no sense."""
        field = self.query_one(f"#{name}", Input)
        note = self.query_one(f"#{name}-note", Static)
        about = self.query_one(f"#{name}-about", Static)
        try:
            value = self._judges[name](field.value.strip())
        except BangerError as error:
            # Hints with options are for the command line: there the reason says more.
            more = error.hint if error.hint and "--" not in error.hint else error.detail
            text = ". ".join(part.rstrip(".") for part in (error.title, more) if part)
            note.update(Content.styled(f"✗ {units.plain(text, 200)}", "$text-error"))
            about.update("")
            field.add_class("-wrong")
            self._sum_up()
            return None
        field.remove_class("-wrong")
        note.update("")
        about.update(Content.styled(self._about(name, field.value.strip()), "$foreground-muted"))
        self._sum_up()
        return value

    def _about(self, name: str, text: str) -> str:
        """What is worth knowing of a field that is well."""
        choices = self._choices
        if name == "image":
            if text in choices.images:
                return "it is here"
            return "is built or pulled first" if text in choices.catalog else ""
        if name == "memory":
            return f"this host has {units.size(limits.memory_total())}"
        return ""

    def _sum_up(self) -> None:
        wrong = any(self.query_one(f"#{name}", Input).has_class("-wrong") for name in self.FIELDS)
        self.query_one("#create", Button).disabled = wrong

    # -- ends

    @on(Input.Submitted)
    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        values: dict[str, object] = {}
        for key in self.FIELDS:
            values[key] = self._judge(key)
            field = self.query_one(f"#{key}", Input)
            if field.has_class("-wrong"):
                field.focus()
                return
        name, disk = values["name"], values["disk"]
        memory, cpus = values["memory"], values["cpus"]
        assert isinstance(memory, int)
        assert isinstance(cpus, int)
        self.dismiss(
            VmSpec(
                name=name if isinstance(name, str) else None,
                image=str(values["image"]),
                cpus=cpus,
                memory_mib=memory // MIB,
                disk_bytes=disk if isinstance(disk, int) else None,
                network=NetworkMode(self.query_one("#network", Cycle).value),
            )
        )

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.dismiss(None)


def _cpus(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f"{text!r} is no number of cpus", "", "For example: 2")
    limits.validate(VmSpec(cpus=int(text)))
    return int(text)


def _memory(text: str) -> int:
    size = limits.parse_size(text)
    limits.validate(VmSpec(memory_mib=size // MIB))
    return size


def _disk(text: str) -> int | None:
    if not text:
        return None
    size = limits.parse_size(text)
    limits.validate(VmSpec(disk_bytes=size))
    return size
