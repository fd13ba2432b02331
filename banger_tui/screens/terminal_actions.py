"""What a terminal asks of its screen: other tabs, the clipboard, links, one more shell."""

from __future__ import annotations

import asyncio
import time
import webbrowser
from collections.abc import Callable

from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import SessionSpec, VmRecord
from banger_tui.screens import keys
from banger_tui.screens.actions import Actions
from banger_tui.screens.machine_streams import MachineStreams
from banger_tui.widgets import units
from banger_tui.widgets.machine_panel import MachinePanel
from banger_tui.widgets.tabs import OVERVIEW, Pane, session
from banger_tui.widgets.terminal import TerminalView

_TOLD_EVERY = 60.0  # seconds between words about a clipboard that a guest may not have


class TerminalActions(Actions):
    """Works for the screen with the panel.

    Args:
        go: show a pane and give it the keyboard.
        leave: give the keyboard back to the list.
        zoom: the panel as large as the screen, or not.
    """

    def __init__(
        self,
        screen: Screen[None],
        bridge: Bridge,
        panel: MachinePanel,
        streams: MachineStreams,
        *,
        go: Callable[[Pane], None],
        leave: Callable[[], None],
        zoom: Callable[[], None],
    ) -> None:
        super().__init__(screen, bridge)
        self._panel = panel
        self._streams = streams
        self._go = go
        self._leave = leave
        self._zoom = zoom
        self._told: dict[str, float] = {}

    # -- keys after the leader

    def command(self, view: TerminalView, name: str) -> None:
        """Do what a key after the leader stands for; see ``terminal.leader``."""
        pane = self._panel.whose(view)
        if pane is None:
            return
        verb, _, number = name.partition(":")
        match verb:
            case "detach":
                self._leave()
            case "full_screen":
                self._zoom()
                view.focus()
            case "next_tab":
                self._go_to(self._streams.beside(1))
            case "previous_tab":
                self._go_to(self._streams.beside(-1))
            case "tab":
                line = [shown.pane for shown in self._streams.line() if shown.pane.tab != OVERVIEW]
                self._go_to(line[int(number) - 1] if int(number) <= len(line) else None)
            case "split":
                self._streams.split()
                self._go(self._panel.pane)
            case "other":
                self._other()
            case "new_shell":
                self.new_shell(pane.machine)
            case "close":
                self._close(pane)
            case "take":
                if attachment := self._streams.of(view):
                    attachment.take_over()
            case "fit":
                if attachment := self._streams.of(view):
                    attachment.fit()
            case "allow_clipboard":
                self._allow_clipboard(pane)
            case "help":
                from banger_tui.screens.help import HelpScreen

                self._screen.app.push_screen(HelpScreen(keys.TERMINAL_KEYS))

    def _go_to(self, pane: Pane | None) -> None:
        if pane is not None:
            self._go(pane)

    def _other(self) -> None:
        others = [pane for pane in self._panel.panes if pane != self._panel.pane]
        for pane in others:
            self._go(pane)

    def _close(self, pane: Pane) -> None:
        beside = self._streams.beside(-1)
        self._streams.let_go(pane)
        if beside is not None and beside != pane and len(self._panel.panes) == 1:
            self._go(beside)
        elif len(self._panel.panes) == 1:
            self._leave()

    def new_shell(self, vm_id: str) -> None:
        """One more shell in a machine."""

        async def start() -> None:
            made = await self._bridge.engine.sessions.start(
                vm_id, SessionSpec(), self._panel.terminal_grid
            )
            pane = Pane(vm_id, session(made.name))
            self._streams.opened(pane)
            self._go(pane)

        self.guard(start())

    # -- the clipboard

    def copied(self, text: str) -> None:
        """The person copied something."""
        self._screen.app.copy_to_clipboard(text)
        lines = text.count("\n") + 1
        what = f"{len(text)} characters" if lines == 1 else f"{lines} lines"
        self._screen.notify(f"{what} copied", timeout=2, markup=False)

    def paste(self, view: TerminalView, text: str, lines: int) -> None:
        """Ask before many lines go to a guest: each may be a command."""
        from banger_tui.screens.confirm import ConfirmScreen, Question

        first = units.plain(next(iter(text.strip().splitlines()), ""), 60)
        size = units.size(len(text.encode()))
        question = Question(
            f"Paste {lines} lines?",
            (f"They begin with: {first}", f"In all {size}. A shell may run them at once."),
            "Paste",
            "Leave it",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                view.paste(text)
            view.focus()

        self._screen.app.push_screen(ConfirmScreen(question), answered)

    def clipboard_asked(self, view: TerminalView, text: str) -> None:
        """A guest wants to write to the clipboard: only where the person has allowed it."""
        vm = self._machine(view)
        attachment = self._streams.of(view)
        if vm is None or attachment is None or not attachment.caught_up:
            return  # what is told again was copied long ago
        if vm.clipboard:
            self._screen.app.copy_to_clipboard(text)
            name = units.plain(vm.name)
            self._screen.notify(f"{name} copied {len(text)} characters", timeout=2, markup=False)
        elif time.monotonic() - self._told.get(vm.id, -_TOLD_EVERY) >= _TOLD_EVERY:
            self._told[vm.id] = time.monotonic()
            self.say(
                "ctrl+] y in its terminal allows it, from then on.",
                f"{vm.name} wants to write to your clipboard",
            )

    def _allow_clipboard(self, pane: Pane) -> None:
        vm = self._world.vms.get(pane.machine)
        if vm is None:
            return
        allowed = not vm.clipboard

        async def allow() -> None:
            await self._bridge.engine.vms.allow_clipboard(vm.id, allowed)
            may = "may write to your clipboard" if allowed else "may not write to your clipboard"
            self._screen.notify(f"Programs in {vm.name} {may}.", markup=False)

        self.guard(allow())

    # -- links

    def link_chosen(self, view: TerminalView, address: str) -> None:
        """Ask before something outside is opened: the guest chose the address."""
        from banger_tui.screens.choose import Choice, ChooseScreen

        vm = self._machine(view)
        lines = (units.plain(address, 600), f"{vm.name if vm else 'The guest'} gave this address.")
        choices = (
            Choice("leave", "n", "Leave it"),
            Choice("copy", "c", "Copy it"),
            Choice("open", "o", "Open it"),
        )

        def answered(answer: str | None) -> None:
            if answer == "copy":
                self.copied(address)
            elif answer == "open":
                self.guard(self._open(address))
            view.focus()

        self._screen.app.push_screen(ChooseScreen("Open this link?", lines, choices), answered)

    async def _open(self, address: str) -> None:
        # It starts a program and may wait for it.
        if not await asyncio.to_thread(webbrowser.open, address):
            raise BangerError(
                "The link can't be opened",
                "No browser was found on this host.",
                "Copy it instead: choose the link again, then c.",
            )

    def _machine(self, view: TerminalView) -> VmRecord | None:
        pane = self._panel.whose(view)
        return self._world.vms.get(pane.machine) if pane is not None else None
