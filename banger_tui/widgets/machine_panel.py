"""The panel beside the list: overview, console and shell of the machine under the cursor."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from banger_tui.widgets.overview import Overview
from banger_tui.widgets.terminal import TerminalView

Tab = Literal["overview", "console", "shell"]
TABS: tuple[Tab, ...] = ("overview", "console", "shell")
_SMALLEST = (20, 5)


class OverviewPage(VerticalScroll, can_focus=True):
    """The overview, scrollable when it is longer than the panel."""


class MachinePanel(Vertical):
    """One machine in three tabs. Terminals stay alive, out of sight, while others are shown."""

    class TabChosen(Message):
        """A tab in the border was clicked."""

        def __init__(self, tab: Tab) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._terminals: dict[tuple[str, Tab], TerminalView] = {}
        self._machine = ""
        self._machine_name = ""
        self._tab: Tab = "overview"

    def compose(self) -> ComposeResult:
        with OverviewPage(id="overview"):
            yield Overview()

    @property
    def overview(self) -> Overview:
        return self.query_one(Overview)

    @property
    def tab(self) -> Tab:
        return self._tab

    @property
    def machine(self) -> str:
        """Key of the machine shown."""
        return self._machine

    @property
    def terminal_grid(self) -> tuple[int, int]:
        """(columns, rows) a terminal has here, also before one is shown."""
        size = self.content_size
        if not size.width or not size.height:
            return (80, 24)
        return max(size.width, _SMALLEST[0]), max(size.height, _SMALLEST[1])

    def show(self, machine: str, name: str, tab: Tab) -> Widget:
        """Show a machine's tab; returns what to focus for it."""
        self._machine, self._machine_name, self._tab = machine, name, tab
        page = self.query_one(OverviewPage)
        wanted = self._terminals.get((machine, tab))
        page.display = wanted is None
        for terminal in self._terminals.values():
            terminal.display = terminal is wanted
        self.titles()
        return wanted or page

    def rename(self, name: str) -> None:
        """The machine shown has got a name, or another."""
        if name != self._machine_name:
            self._machine_name = name
            self.titles()

    def terminal(self, machine: str, tab: Tab) -> TerminalView:
        """The terminal of a machine's tab, made when it is not there yet."""
        view = self._terminals.get((machine, tab))
        if view is None:
            view = TerminalView(name=f"{tab}:{machine}")
            view.display = False
            self._terminals[machine, tab] = view
            self.mount(view)
        return view

    def whose(self, view: TerminalView) -> tuple[str, Tab] | None:
        """Machine and tab of a terminal."""
        return next((key for key, known in self._terminals.items() if known is view), None)

    def drop(self, machine: str) -> None:
        """The machine is gone: so are its terminals."""
        for key in [key for key in self._terminals if key[0] == machine]:
            self._terminals.pop(key).remove()

    def titles(self) -> None:
        """Draw tabs and keys into the border."""
        title = Content.assemble((self._machine_name or "no machine", "bold"), " ")
        for tab in TABS if self._machine else ():
            mark = Style.from_meta({"@click": f"choose_tab('{tab}')"})
            looks = "bold reverse" if tab == self._tab else "$foreground-muted"
            label = Content.styled(f" {tab.capitalize()} ", looks).stylize(mark)
            title = Content.assemble(title, " ", label)
        self.border_title = title
        inside = isinstance(self.app.focused, TerminalView) and self.has_focus_within
        if inside:
            hint = Content.assemble(("ctrl+]", "bold"), " leaves the panel")
        elif self._tab != "overview":
            hint = Content("enter types here")
        else:
            hint = Content("")
        self.border_subtitle = hint

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.titles()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self.titles()

    def action_choose_tab(self, tab: Tab) -> None:
        self.post_message(self.TabChosen(tab))
