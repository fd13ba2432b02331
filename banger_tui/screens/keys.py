"""Every key of the main screens, once: bindings, help and command palette are made from this."""

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


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one screen.

    Args:
        bound: those that the screen handles.
        elsewhere: those that a widget handles itself: for the help only.
        groups: in the help, column by column.
        states: glyph, style and meaning of each state.
    """

    bound: tuple[Key, ...]
    elsewhere: tuple[Key, ...]
    groups: tuple[tuple[str, ...], ...]
    states: tuple[tuple[str, str, str], ...]

    def bindings(self) -> list[BindingType]:
        """The keys as Textual bindings."""
        return [Binding(key.keys, key.action, key.text, show=False) for key in self.bound]


MACHINES, PANEL, LIST, APP = "Machines", "Panel", "List", "App"
IMAGES, KERNELS, SESSIONS = "Images", "Kernels", "Sessions"
TERMINAL, COPYING = "After ctrl+] in a terminal", "In scroll mode"

_FILTER = Key("slash", "/", "filter", "filter by name or image", LIST)
_MARK_ALL = Key("ctrl+a", "ctrl+a", "mark_all", "mark all, or none", LIST)
_GO = (
    Key("1", "1", "app.go('machines')", "machines", APP),
    Key("2", "2", "app.go('images')", "images, and what can be pulled", APP),
    Key("3", "3", "app.go('kernels')", "kernels", APP),
    Key("4,S", "4 S", "app.go('sessions')", "sessions of all machines", APP),
)
_OPERATIONS = Key("o", "o", "operations", "operations and their timelines", APP)
_APP = (
    Key("5", "5", "doctor", "doctor: what this host can do", APP),
    Key("question_mark,f1", "?", "help", "this help", APP),
    Key("escape", "esc", "back", "back: filter, marks, failures", APP),
    Key("q", "q", "app.quit", "quit; machines run on", APP),
)
_LISTS = (
    Key("", "space", "", "mark; keys then act on all marked", LIST),
    Key("", "t  T", "", "sort by the next column; turn round", LIST),
    Key("", "j k g G", "", "down, up, first, last", LIST),
)
_EVERYWHERE = (
    Key("", "tab", "", "next part of the screen", APP),
    Key("", "ctrl+p", "", "command palette", APP),
)
_FAILED = ("✗", "$text-error", "failed")
_COMING = ("◐", "$text-warning", "on its way")

HOME = Keys(
    bound=(
        Key("r", "r", "run_sandbox", "run a sandbox with the defaults", MACHINES),
        Key("n", "n", "new_machine", "new machine, with choices", MACHINES),
        Key("u", "u", "verb('start')", "start (up)", MACHINES),
        Key("x", "x", "verb('stop')", "stop: save everything, then power off", MACHINES),
        Key("R", "R", "verb('restart')", "restart", MACHINES),
        Key("K", "K", "verb('kill')", "kill: pull the plug", MACHINES),
        Key("d,delete", "d", "verb('delete')", "delete, with its disk", MACHINES),
        Key("m", "m", "promote", "make an image of it, once it is stopped", MACHINES),
        Key("y", "y", "copy_ssh", "copy the ssh command", MACHINES),
        Key("s", "s", "shell", "shell; made when there is none", PANEL),
        Key("c", "c", "console", "console (the serial line)", PANEL),
        Key("v", "v", "overview", "overview", PANEL),
        Key("ctrl+right_square_bracket", "ctrl+]", "panel", "into the panel", PANEL),
        Key("plus", "+", "zoom", "panel as large as the screen, and back", PANEL),
        _FILTER,
        _MARK_ALL,
        *_GO[1:],
        _OPERATIONS,
        *_APP,
    ),
    elsewhere=(
        Key("", "enter", "", "open: the shell of a running machine", PANEL),
        *_LISTS,
        *_EVERYWHERE,
        Key("", "ctrl+] ?", "", "in a terminal: its own keys", PANEL),
    ),
    groups=((MACHINES, PANEL), (LIST, APP)),
    states=(
        ("●", "$text-success", "running"),
        _COMING,
        ("○", "$foreground-muted", "stopped"),
        _FAILED,
    ),
)


def _browser(group: str, own: tuple[Key, ...], elsewhere: tuple[Key, ...]) -> Keys:
    """The keys of a screen that browses what is here and what the catalogs offer."""
    return Keys(
        bound=(
            *own,
            Key("d,delete", "d", "delete", "delete; what is in use stays", group),
            Key("c", "c", "cancel", "cancel what is under way", group),
            Key("R", "R", "retry", "retry what failed", group),
            Key("y", "y", "copy", "copy its digest", group),
            Key("left", "←", "show_list('here')", "what is here", LIST),
            Key("right", "→", "show_list('catalog')", "what the catalogs offer", LIST),
            Key("u", "u", "update", "read the catalogs anew, the web's too", LIST),
            Key("slash", "/", "filter", "filter by name or kind", LIST),
            _MARK_ALL,
            Key("plus", "+", "zoom", "detail as large as the screen, and back", LIST),
            *_GO,
            _OPERATIONS,
            *_APP,
        ),
        elsewhere=(*elsewhere, *_LISTS, *_EVERYWHERE),
        groups=((group, LIST), (APP,)),
        states=(
            ("●", "$text-success", "here"),
            _COMING,
            ("○", "$foreground-muted", "in the catalog only"),
            _FAILED,
        ),
    )


IMAGE_KEYS = _browser(
    IMAGES,
    (
        Key("p", "p", "pull", "pull: name, container, URL or file", IMAGES),
        Key("r", "r", "run", "run a sandbox from it", IMAGES),
        Key("e", "e", "export", "export to a bundle file", IMAGES),
        Key("P", "P", "push", "push to a registry", IMAGES),
        Key("i", "i", "register", "register a root filesystem on disk", IMAGES),
        Key("m", "m", "promote", "make an image of a stopped machine", IMAGES),
        Key("x", "x", "prune", "prune downloads that no image needs", IMAGES),
    ),
    (Key("", "enter", "", "its detail; in the catalog: pull it", IMAGES),),
)

KERNEL_KEYS = _browser(
    KERNELS,
    (
        Key("p", "p", "pull", "pull one of the catalog", KERNELS),
        Key("i", "i", "import", "import one of yours, or the host's", KERNELS),
    ),
    (Key("", "enter", "", "its detail; in the catalog: pull it", KERNELS),),
)

SESSION_KEYS = Keys(
    bound=(
        Key("n", "n", "new_session", "new: a command, kept in a machine", SESSIONS),
        Key("i", "i", "signal", "send a signal", SESSIONS),
        Key("x", "x", "stop", "stop: TERM, then KILL", SESSIONS),
        Key("d,delete", "d", "delete", "delete, with what it has said", SESSIONS),
        Key("y", "y", "copy", "copy the command that attaches to it", SESSIONS),
        Key("slash", "/", "filter", "filter by name, machine or command", LIST),
        _MARK_ALL,
        Key("plus", "+", "zoom", "detail as large as the screen, and back", LIST),
        *_GO,
        _OPERATIONS,
        *_APP,
    ),
    elsewhere=(
        Key("", "enter", "", "attach to it, in the panel", SESSIONS),
        *_LISTS,
        *_EVERYWHERE,
    ),
    groups=((SESSIONS, LIST), (APP,)),
    states=(
        ("●", "$text-success", "runs"),
        ("○", "$foreground-muted", "has ended"),
        ("✗", "$text-error", "ended badly, or lost with its machine"),
    ),
)

TERMINAL_KEYS = Keys(
    bound=(),
    elsewhere=(
        Key("", "d", "", "leave it; what runs in it runs on", TERMINAL),
        Key("", "f", "", "full screen, and back", TERMINAL),
        Key("", "n  N", "", "next, previous tab", TERMINAL),
        Key("", "1 … 9", "", "that tab", TERMINAL),
        Key("", "s", "", "one more shell", TERMINAL),
        Key("", "x", "", "close the tab; a session runs on", TERMINAL),
        Key("", "|  o", "", "side by side, or one; the other half", TERMINAL),
        Key("", "[", "", "scroll mode (shift+pgup just scrolls)", TERMINAL),
        Key("", "/", "", "search", TERMINAL),
        Key("", "c  p", "", "copy what is selected; paste", TERMINAL),
        Key("", "t", "", "take over from another client", TERMINAL),
        Key("", "r", "", "tell a console the window's size", TERMINAL),
        Key("", "y", "", "the guest may use the clipboard, or not", TERMINAL),
        Key("", "ctrl+]", "", "the guest gets this key", TERMINAL),
        Key("", "j k g G", "", "down, up, top, bottom", COPYING),
        Key("", "pgup pgdn", "", "by pages (ctrl+u, ctrl+d: halves)", COPYING),
        Key("", "/  n  N", "", "search; next, previous match", COPYING),
        Key("", "v  V", "", "select; whole lines", COPYING),
        Key("", "w b 0 $", "", "words, begin and end of the line", COPYING),
        Key("", "y enter", "", "copy", COPYING),
        Key("", "esc  q", "", "back to the live screen", COPYING),
        Key("", "drag", "", "select (2 clicks: words, 3: lines)", COPYING),
        Key("", "shift+drag", "", "where the guest has the mouse", COPYING),
        Key("", "ctrl+click", "", "open a link", COPYING),
    ),
    groups=((TERMINAL,), (COPYING,)),
    states=(),
)
