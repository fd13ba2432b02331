"""Which keys the bottom line names: those that do something with what is selected now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.model import VmRecord, VmState
from banger_tui.widgets.key_bar import Hint

_HELP = (Hint("?", "help", "help"), Hint("q", "quit", "app.quit"))
TAIL = (
    Hint("2", "images", "app.go('images')"),
    Hint("4", "sessions", "app.go('sessions')"),
    *_HELP,
)
SESSIONS_TAIL = (Hint("1", "machines", "app.go('machines')"), *_HELP)
IMAGES_TAIL = (
    Hint("1", "machines", "app.go('machines')"),
    Hint("3", "kernels", "app.go('kernels')"),
    *_HELP,
)
KERNELS_TAIL = (
    Hint("1", "machines", "app.go('machines')"),
    Hint("2", "images", "app.go('images')"),
    *_HELP,
)

_RUN = Hint("r", "run", "run_sandbox")
_NEW = Hint("n", "new", "new_machine")
_SHELL = Hint("s", "shell", "shell")
_CONSOLE = Hint("c", "console", "console")
_START = Hint("u", "start", "verb('start')")
_STOP = Hint("x", "stop", "verb('stop')")
_RESTART = Hint("R", "restart", "verb('restart')")
_DELETE = Hint("d", "delete", "verb('delete')")
_PROMOTE = Hint("m", "make image", "promote")
_FILTER = Hint("/", "filter", "filter")
_OPERATIONS = Hint("o", "operations", "operations")
_MARK = Hint("space", "mark")
_ZOOM = Hint("+", "zoom", "zoom")


def for_list(vm: VmRecord | None, *, making: bool, marked: int, filtered: bool) -> list[Hint]:
    """Hints while the list has the focus; ``making``: the cursor is on one being made."""
    if marked:
        return [Hint("", f"{marked} marked:"), _START, _STOP, _RESTART, _DELETE,
                Hint("esc", "unmark", "back")]  # fmt: skip
    back = [Hint("esc", "all machines", "back")] if filtered else []
    common = [*back, _FILTER, _OPERATIONS, _MARK, _ZOOM]
    if making:
        return [_RUN, _NEW, _CONSOLE, Hint("x", "cancel", "verb('stop')"), *common]
    if vm is None:
        return [_RUN, _NEW, *back, _OPERATIONS, Hint("5", "doctor", "doctor")]
    match vm.state:
        case VmState.RUNNING:
            return [_RUN, _NEW, _SHELL, _CONSOLE, _STOP, _RESTART, _DELETE, *common]
        case VmState.STOPPED | VmState.FAILED:
            return [_RUN, _NEW, _START, _CONSOLE, _DELETE, _PROMOTE, *common]
    return [_RUN, _NEW, _CONSOLE, *common]


IN_TERMINAL = (
    Hint("ctrl+]", "is the only key the guest does not get; then", ""),
    Hint("d", "leaves", ""),
    Hint("f", "full screen", ""),
    Hint("n", "next tab", ""),
    Hint("s", "shell", ""),
    Hint("/", "search", ""),
    Hint("?", "more", ""),
)
IN_FILTER = (Hint("enter", "keep"), Hint("esc", "all machines"), Hint("↓", "to the list"))
IN_STRIP = (
    Hint("enter", "timeline", "operations"),
    Hint("c", "cancel"),
    Hint("tab", "next"),
    Hint("esc", "put away", "back"),
)
IN_OVERVIEW = (
    Hint("ctrl+]", "list", "panel"),
    _SHELL,
    _CONSOLE,
    Hint("y", "copy ssh", "copy_ssh"),
    _ZOOM,
)
EMPTY = (_RUN, _NEW, _OPERATIONS, Hint("5", "doctor", "doctor"))

_PULL = Hint("p", "pull", "pull")
_CATALOG = Hint("→", "catalog", "show_list('catalog')")
_HERE = Hint("←", "here", "show_list('here')")
_CANCEL = Hint("c", "cancel", "cancel")
_RETRY = Hint("R", "retry", "retry")
_REMOVE = Hint("d", "delete", "delete")
_IMPORT = Hint("i", "import", "import")
_UNMARK = Hint("esc", "unmark", "back")


@dataclass(frozen=True, slots=True)
class Browsed:
    """What the cursor of a browser is on.

    Args:
        here: there is a record of it; ``busy`` and ``failed``: an operation on it is, or has.
        catalog: the catalog's list is shown.
    """

    here: bool = False
    busy: bool = False
    failed: bool = False
    catalog: bool = False
    marked: int = 0
    filtered: bool = False


def for_images(on: Browsed) -> list[Hint]:
    """Hints while a list of images has the focus."""
    if on.catalog:
        return _for_catalog(on, Hint("r", "run", "run"))
    if on.marked:
        return [Hint("", f"{on.marked} marked:"), _REMOVE, _UNMARK]
    own = [Hint("r", "run", "run"), _REMOVE, Hint("e", "export", "export")] if on.here else []
    return [_PULL, _CATALOG, *_under_way(on), *own, *_common(on), Hint("x", "prune", "prune")]


def for_kernels(on: Browsed) -> list[Hint]:
    """Hints while a list of kernels has the focus."""
    if on.catalog:
        return _for_catalog(on)
    if on.marked:
        return [Hint("", f"{on.marked} marked:"), _REMOVE, _UNMARK]
    own = [_REMOVE] if on.here else []
    return [_PULL, _CATALOG, _IMPORT, *_under_way(on), *own, *_common(on)]


def _for_catalog(on: Browsed, *more: Hint) -> list[Hint]:
    if on.marked:
        return [Hint("", f"{on.marked} marked:"), Hint("enter", "pull them"), _UNMARK]
    pull = [] if on.here or on.busy else [Hint("enter", "pull")]
    return [
        *pull, *_under_way(on), _HERE, *more, _PULL, *_common(on), Hint("u", "update", "update"),
    ]  # fmt: skip


def _under_way(on: Browsed) -> list[Hint]:
    return [_CANCEL] if on.busy else [_RETRY] if on.failed else []


def _common(on: Browsed) -> list[Hint]:
    back = [Hint("esc", "all", "back")] if on.filtered else []
    return [*back, _FILTER, _OPERATIONS, _MARK]


IN_DETAIL = (Hint("esc", "list", "back"), _ZOOM, Hint("y", "copy digest", "copy"), _OPERATIONS)


def for_sessions(*, some: bool, runs: bool, marked: int, filtered: bool) -> list[Hint]:
    """Hints while the list of sessions has the focus; ``some``: the cursor is on one, ``runs``: it
    does."""
    stop, delete = Hint("x", "stop", "stop"), Hint("d", "delete", "delete")
    if marked:
        return [Hint("", f"{marked} marked:"), stop, delete, _UNMARK]
    new = Hint("n", "new", "new_session")
    if not (some or filtered):
        return [new]
    back = [Hint("esc", "all", "back")] if filtered else []
    own = [Hint("enter", "attach"), stop, Hint("i", "signal", "signal")] if runs else []
    copy = [Hint("y", "copy command", "copy")] if runs else []
    return [
        new, *own, *([delete] if some else []), *copy, *back,
        _FILTER, _MARK, _ZOOM,
    ]  # fmt: skip
