"""Which keys the bottom line names: those that do something with what is selected now. Pure."""

from __future__ import annotations

from banger_tui.engine.model import VmRecord, VmState
from banger_tui.widgets.key_bar import Hint

TAIL = (Hint("?", "help", "help"), Hint("q", "quit", "app.quit"))

_RUN = Hint("r", "run", "run_sandbox")
_NEW = Hint("n", "new", "new_machine")
_SHELL = Hint("s", "shell", "show_tab('shell')")
_CONSOLE = Hint("c", "console", "show_tab('console')")
_START = Hint("S", "start", "verb('start')")
_STOP = Hint("x", "stop", "verb('stop')")
_RESTART = Hint("R", "restart", "verb('restart')")
_DELETE = Hint("d", "delete", "verb('delete')")
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
            return [_RUN, _NEW, _START, _CONSOLE, _DELETE, *common]
    return [_RUN, _NEW, _CONSOLE, *common]


IN_TERMINAL = (
    Hint("ctrl+]", "gives the keyboard back to the list; twice: to the guest", ""),
    Hint("shift+pgup", "scrolls back", ""),
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
