"""The panel beside the list: overview, console and sessions of machines, one or two at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from banger_tui.widgets import tabs, units
from banger_tui.widgets.overview import Overview
from banger_tui.widgets.tabs import OVERVIEW, Pane, Tab
from banger_tui.widgets.terminal import TerminalView

_SMALLEST = (20, 5)
_BORDER = 4  # cells of the border that its title can't have
_NARROW = 100  # cells of the panel from which on two halves stand side by side


#: Textual's names of keys that a leader may be made of.
_KEY_NAMES = {
    "@": "at", "[": "left_square_bracket", "\\": "backslash", "]": "right_square_bracket",
    "^": "circumflex_accent", "_": "underscore",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TerminalStyle:
    """How terminals behave: the key that is not the guest's, lines kept, copying at once."""

    leader: str = "ctrl+]"
    scrollback: int = 10_000
    copy_on_select: bool = False


class OverviewPage(VerticalScroll, can_focus=True):
    """The overview, scrollable when it is longer than the panel."""


class MachinePanel(Vertical):
    """Tabs of machines, in one pane or in two. Terminals stay alive, out of sight, while others
    are shown."""

    class PaneChosen(Message):
        """A tab in the border was clicked."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(
        self,
        style: TerminalStyle | None = None,
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """
        Args:
            style: how terminals behave; None: by default.
        """
        super().__init__(id=id)
        self._style = style or TerminalStyle()
        self._terminals: dict[Pane, TerminalView] = {}
        self._panes: list[Pane] = [Pane("", OVERVIEW)]
        self._active = 0
        self._machine_name = ""
        self._tabs: tuple[tabs.Shown, ...] = ()
        self._hint = self._note = ""

    def compose(self) -> ComposeResult:
        with OverviewPage(id="overview"):
            yield Overview()

    @property
    def overview(self) -> Overview:
        return self.query_one(Overview)

    # -- what is shown

    @property
    def pane(self) -> Pane:
        """What the pane shows that has the keyboard, or would get it."""
        return self._panes[self._active]

    @property
    def panes(self) -> tuple[Pane, ...]:
        """What is shown: one pane, or two."""
        return tuple(self._panes)

    @property
    def tab(self) -> Tab:
        return self.pane.tab

    @property
    def machine(self) -> str:
        """Key of the machine shown."""
        return self.pane.machine

    @property
    def view(self) -> Widget:
        """What takes the focus of the pane."""
        return self._half(self.pane)

    def show(self, pane: Pane, name: str) -> Widget:
        """Show a machine's tab in the pane that is active; returns what to focus for it."""
        self._machine_name = name
        others = [other for index, other in enumerate(self._panes) if index != self._active]
        if pane in others:
            # It is in sight already: the panes would show one terminal twice.
            self._active = self._panes.index(pane)
        else:
            self._panes[self._active] = pane
        self._lay_out()
        return self.view

    def split(self, pane: Pane) -> None:
        """Show a second pane beside the first."""
        if pane not in self._panes:
            self._panes = [self.pane, pane]
            self._active = 1
            self._lay_out()

    def unsplit(self) -> None:
        """Show the active pane alone."""
        self._panes, self._active = [self.pane], 0
        self._lay_out()

    def activate(self, view: Widget) -> bool:
        """The pane with this widget is the active one; False when it was, or is in none."""
        for index, pane in enumerate(self._panes):
            if self._half(pane) is view and index != self._active:
                self._active = index
                return True
        return False

    def _lay_out(self) -> None:
        shown = {view for pane in self._panes if (view := self._terminals.get(pane)) is not None}
        self.query_one(OverviewPage).display = any(p not in self._terminals for p in self._panes)
        for terminal in self._terminals.values():
            terminal.display = terminal in shown
        self.set_class(len(self._panes) > 1, "-split")
        self._in_order()
        self._aside()

    def _in_order(self) -> None:
        """The first pane stands before the second."""
        first, last = (self._half(self._panes[index]) for index in (0, -1))
        if self.children.index(first) > self.children.index(last):
            self.move_child(last, after=first)

    def _half(self, pane: Pane) -> Widget:
        return self._terminals.get(pane) or self.query_one(OverviewPage)

    def _aside(self) -> None:
        self.set_class(self.size.width >= _NARROW, "-aside")

    # -- terminals

    @property
    def terminal_grid(self) -> tuple[int, int]:
        """(columns, rows) a terminal has here, also before one is shown."""
        size = self.content_size
        if not size.width or not size.height:
            return (80, 24)
        return max(size.width, _SMALLEST[0]), max(size.height, _SMALLEST[1])

    def grid_of(self, pane: Pane) -> tuple[int, int]:
        """(columns, rows) of a pane's terminal; of one never shown, those it will have."""
        view = self._terminals.get(pane)
        grid = self.terminal_grid
        return grid if view is None or view.prepare(*grid) else view.grid

    def terminal(self, pane: Pane) -> TerminalView:
        """The terminal of a pane, made when it is not there yet."""
        view = self._terminals.get(pane)
        if view is None:
            view = TerminalView(
                name=f"{pane.tab.kind} {pane.tab.session} {pane.machine}",
                leader=_key_name(self._style.leader),
                scrollback_lines=self._style.scrollback,
                copy_on_select=self._style.copy_on_select,
            )
            view.display = False
            self._terminals[pane] = view
            self.mount(view)
        return view

    def whose(self, view: TerminalView) -> Pane | None:
        """Machine and tab of a terminal."""
        return next((pane for pane, known in self._terminals.items() if known is view), None)

    def drop(self, pane: Pane) -> None:
        """A terminal is not wanted any more."""
        if view := self._terminals.pop(pane, None):
            if len(self._panes) > 1 and pane in self._panes:
                self._active = 1 - self._panes.index(pane)
                self.unsplit()
            view.remove()

    # -- the border

    def show_tabs(self, name: str, shown: Sequence[tabs.Shown], hint: str, note: str = "") -> None:
        """Draw tabs into the border, and below what keys do where no terminal says it.

        ``note``, where there is one, matters more: what stands between the person and the guest.
        """
        self._machine_name, self._tabs = name, tuple(shown)
        self._hint, self._note = hint, note
        self._title()

    def _title(self) -> None:
        terminal = self._terminals.get(self.pane)
        title = terminal.title if terminal is not None else ""
        width = self.size.width - _BORDER
        self.border_title = tabs.line(self._machine_name, self._tabs, width, title)
        focused = self.app.focused
        if isinstance(focused, TerminalView) and self.has_focus_within:
            key = self._style.leader
            hint = Content.assemble((f"{key} d", "bold"), " leaves the panel, ")
            hint = Content.assemble(hint, (f"{key} ?", "bold"), " helps")
            said = focused.status or self._note
            self.border_subtitle = Content(said) if said else hint
        else:
            self.border_subtitle = Content(self._note or self._hint)
        for tab in self._tabs:
            view = self._terminals.get(tab.pane)
            if view is not None and view.display:
                name = units.plain(tab.name or self._machine_name, 40)
                view.border_title = Content(f" {name} · {tab.pane.tab.label} ")

    def on_terminal_view_status_changed(self) -> None:
        self._title()

    def on_terminal_view_title_changed(self) -> None:
        self._title()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._title()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._title()

    def on_resize(self) -> None:
        self._aside()
        self._title()

    def action_choose_pane(self, index: int) -> None:
        if index < len(self._tabs):
            self.post_message(self.PaneChosen(self._tabs[index].pane))


def _key_name(key: str) -> str:
    """``ctrl+]`` as Textual calls it."""
    modifier, plus, base = key.rpartition("+")
    return f"{modifier}{plus}{_KEY_NAMES.get(base, base)}"
