"""An app with a terminal between other widgets, for tests of the terminal."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import ClassVar, TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widgets import Button, Static

from banger_tui.widgets.terminal import TerminalView
from banger_tui.widgets.terminal.messages import ViewMessage

Said = TypeVar("Said", bound=ViewMessage)
LEADER = "ctrl+right_square_bracket"


class TerminalApp(App[None]):
    """A terminal under bindings that all want its keys; notes what it says."""

    CSS = "#status { height: 1; } Button { height: 3; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"steal('{key}')", priority=True)
            for key in ("ctrl+c", "tab", "escape", "f1", "a", "enter", "ctrl+right_square_bracket")
        ),
        Binding("b", "steal('b')"),
        Binding("pageup", "steal('pageup')"),
    ]

    def __init__(self, *, read_only: bool = False) -> None:
        super().__init__()
        self.read_only = read_only
        self.stolen: list[str] = []
        self.inputs = bytearray()
        self.said: list[ViewMessage] = []

    def compose(self) -> ComposeResult:
        yield Static("status", id="status")
        yield TerminalView(id="terminal", read_only=self.read_only)
        yield Button("other", id="other")

    @property
    def terminal(self) -> TerminalView:
        return self.query_one("#terminal", TerminalView)

    def on_mount(self) -> None:
        self.terminal.focus()

    def action_steal(self, key: str) -> None:
        self.stolen.append(key)

    @on(TerminalView.Input, "#terminal")
    def _input(self, message: TerminalView.Input) -> None:
        self.inputs += message.data

    @on(TerminalView.Resized)
    @on(TerminalView.TitleChanged)
    @on(TerminalView.StatusChanged)
    @on(TerminalView.Command)
    @on(TerminalView.Copied)
    @on(TerminalView.PasteAsked)
    @on(TerminalView.ClipboardAsked)
    @on(TerminalView.LinkChosen)
    @on(TerminalView.Unseen)
    @on(TerminalView.Bell)
    def _say(self, message: ViewMessage) -> None:
        self.said.append(message)

    def heard(self, kind: type[Said]) -> list[Said]:
        """The messages of a kind so far."""
        return [message for message in self.said if isinstance(message, kind)]

    @property
    def commands(self) -> list[str]:
        """The names of the leader's commands so far."""
        return [message.name for message in self.heard(TerminalView.Command)]

    @property
    def copied(self) -> list[str]:
        """The texts copied so far."""
        return [message.text for message in self.heard(TerminalView.Copied)]


async def until(pilot: Pilot[None], condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that will become true."""
    end = perf_counter() + seconds
    while not condition():
        assert perf_counter() < end, "it never happened"
        await pilot.pause(0.01)


def screen_text(app: App[None]) -> str:
    """What the whole screen shows, from the composed strips."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
