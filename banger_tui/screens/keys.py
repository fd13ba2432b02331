"""Every key of the home screen, once: bindings, help and command palette are made from this."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key, how it is shown, its action and what that does, in a few words."""

    keys: str
    shown: str
    action: str
    text: str
    group: str


MACHINES, PANEL, LIST, APP = "Machines", "Panel", "List", "App"

HOME: tuple[Key, ...] = (
    Key("r", "r", "run_sandbox", "run a sandbox with the defaults", MACHINES),
    Key("n", "n", "new_machine", "new machine, with choices", MACHINES),
    Key("S", "S", "verb('start')", "start", MACHINES),
    Key("x", "x", "verb('stop')", "stop: save everything, then power off", MACHINES),
    Key("R", "R", "verb('restart')", "restart", MACHINES),
    Key("K", "K", "verb('kill')", "kill: pull the plug", MACHINES),
    Key("d,delete", "d", "verb('delete')", "delete, with its disk", MACHINES),
    Key("y", "y", "copy_ssh", "copy the ssh command", MACHINES),
    Key("s", "s", "show_tab('shell')", "shell", PANEL),
    Key("c", "c", "show_tab('console')", "console (the serial line)", PANEL),
    Key("v", "v", "show_tab('overview')", "overview", PANEL),
    Key("ctrl+right_square_bracket", "ctrl+]", "panel", "into the panel and out of it", PANEL),
    Key("plus", "+", "zoom", "panel as large as the screen, and back", PANEL),
    Key("slash", "/", "filter", "filter by name or image", LIST),
    Key("ctrl+a", "ctrl+a", "mark_all", "mark all, or none", LIST),
    Key("o", "o", "operations", "operations and their timelines", APP),
    Key("5", "5", "doctor", "doctor: what this host can do", APP),
    Key("question_mark,f1", "?", "help", "this help", APP),
    Key("escape", "esc", "back", "back: filter, marks, failure put away", APP),
    Key("q", "q", "app.quit", "quit; machines run on", APP),
)

#: Keys that a widget handles itself: for the help only.
ELSEWHERE: tuple[Key, ...] = (
    Key("", "enter", "", "open: the shell of a running machine", PANEL),
    Key("", "space", "", "mark; keys then act on all marked", LIST),
    Key("", "t  T", "", "sort by the next column; turn round", LIST),
    Key("", "j k g G", "", "down, up, first, last (as the arrows)", LIST),
    Key("", "tab", "", "next part of the screen", APP),
    Key("", "ctrl+p", "", "command palette", APP),
    Key("", "shift+pgup", "", "scroll back in a terminal", PANEL),
)


def bindings() -> list[BindingType]:
    """The keys as Textual bindings."""
    return [Binding(key.keys, key.action, key.text, show=False) for key in HOME]
