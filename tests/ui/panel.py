"""The panel of the running app, in words for tests: machines, tabs, what a guest says."""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.hypervisors.fake_guest import Tape
from banger_tui.engine.model import VmRecord, VmSpec
from banger_tui.screens.attachment import Attachment
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.machine_panel import MachinePanel
from banger_tui.widgets.tabs import Pane, session
from banger_tui.widgets.terminal import TerminalView
from tests.ui.conftest import Running

LEADER = "ctrl+right_square_bracket"
SHELL = session("shell")


async def machines(ui: Running, *names: str) -> list[VmRecord]:
    """Make machines by the engine; they run, and the list shows them."""
    engine = ui.app.bridge.engine
    for name in names:
        await (await engine.vms.create(VmSpec(name=name))).result()
    await ui.until(lambda: all(n in ui.vms and ui.vms[n].running for n in names), "they run")
    return [ui.vms[name] for name in names]


@dataclass(frozen=True, slots=True)
class Panel:
    """What the panel shows, and keys for it."""

    ui: Running

    @property
    def widget(self) -> MachinePanel:
        return self.ui.home.query_one(MachinePanel)

    @property
    def pane(self) -> Pane:
        return self.widget.pane

    @property
    def view(self) -> TerminalView:
        """The terminal with the keyboard."""
        view = self.ui.app.focused
        assert isinstance(view, TerminalView), view
        return view

    @property
    def cursor(self) -> str | None:
        """Key of the machine under the list's cursor."""
        return self.ui.home.query_one(MachineList).cursor

    @property
    def attachment(self) -> Attachment:
        """The stream of the terminal with the keyboard."""
        found = self.ui.home._streams.of(self.view)
        assert found is not None
        return found

    def tape(self, vm: VmRecord, name: str = "shell") -> Tape:
        """What a session of a machine has said; writing to it says more."""
        return self.ui.driver.shells[vm.id][name]

    def border(self) -> str:
        """The line of tabs."""
        return next(line for line in self.ui.shown().splitlines() if "Overview" in line)

    async def leader(self, *keys: str) -> None:
        """Each key after the leader."""
        for key in keys:
            await self.ui.press(LEADER, key)

    async def on(self, vm: VmRecord, name: str = "shell") -> TerminalView:
        """Wait until a session has the keyboard and the guest is at its other end."""
        pane = Pane(vm.id, session(name))
        await self.ui.until(
            lambda: isinstance(self.ui.app.focused, TerminalView) and self.pane == pane,
            f"{name} of {vm.name} has the keyboard",
        )
        await self.ui.until(
            lambda: (a := self.ui.home._streams.of(self.view)) is not None and a.live,
            f"{name} of {vm.name} is attached",
        )
        await self.says("~#")
        return self.view

    async def says(self, text: str) -> None:
        """Wait until the terminal with the keyboard shows a text."""
        await self.ui.until(lambda: text in self.view.text(), f"{text!r} in the terminal")

    async def shell(self, vm: VmRecord) -> TerminalView:
        """Open a machine's shell from the list."""
        self.ui.home.go_to(vm.id)
        await self.ui.press("s")
        return await self.on(vm)

    async def caught_up(self) -> None:
        """Wait until what comes counts as news."""
        found = self.attachment
        await self.ui.until(lambda: found.caught_up, "it is told what there was")
