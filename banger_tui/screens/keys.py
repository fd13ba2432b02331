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
IMAGES, KERNELS = "Images", "Kernels"

_FILTER = Key("slash", "/", "filter", "filter by name or image", LIST)
_MARK_ALL = Key("ctrl+a", "ctrl+a", "mark_all", "mark all, or none", LIST)
_GO = (
    Key("1", "1", "app.go('machines')", "machines", APP),
    Key("2", "2", "app.go('images')", "images, and what can be pulled", APP),
    Key("3", "3", "app.go('kernels')", "kernels", APP),
)
_OPERATIONS = Key("o", "o", "operations", "operations and their timelines", APP)
_APP = (
    Key("5", "5", "doctor", "doctor: what this host can do", APP),
    Key("question_mark,f1", "?", "help", "this help", APP),
    Key("escape", "esc", "back", "back: filter, marks, failure put away", APP),
    Key("q", "q", "app.quit", "quit; machines run on", APP),
)
_LISTS = (
    Key("", "space", "", "mark; keys then act on all marked", LIST),
    Key("", "t  T", "", "sort by the next column; turn round", LIST),
    Key("", "j k g G", "", "down, up, first, last (as the arrows)", LIST),
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
        Key("S", "S", "verb('start')", "start", MACHINES),
        Key("x", "x", "verb('stop')", "stop: save everything, then power off", MACHINES),
        Key("R", "R", "verb('restart')", "restart", MACHINES),
        Key("K", "K", "verb('kill')", "kill: pull the plug", MACHINES),
        Key("d,delete", "d", "verb('delete')", "delete, with its disk", MACHINES),
        Key("m", "m", "promote", "make an image of it, once it is stopped", MACHINES),
        Key("y", "y", "copy_ssh", "copy the ssh command", MACHINES),
        Key("s", "s", "show_tab('shell')", "shell", PANEL),
        Key("c", "c", "show_tab('console')", "console (the serial line)", PANEL),
        Key("v", "v", "show_tab('overview')", "overview", PANEL),
        Key("ctrl+right_square_bracket", "ctrl+]", "panel", "into the panel and out of it", PANEL),
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
        Key("", "shift+pgup", "", "scroll back in a terminal", PANEL),
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
