"""From a key to the engine: ask where it matters, begin the operation, show what went wrong."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from banger_tui.bridge import Bridge, Request
from banger_tui.engine.model import OperationView, VmRecord, VmSpec, VmState
from banger_tui.screens.actions import Actions
from banger_tui.widgets.states import MACHINES

if TYPE_CHECKING:
    from banger_tui.engine.operations import Operation
    from banger_tui.engine.settings import Settings
    from banger_tui.screens.verbs import Verb

_INSTEAD = {
    VmState.RUNNING: "x stops it.",
    VmState.STOPPED: "u starts it.",
    VmState.FAILED: "u starts it again.",
}


class MachineActions(Actions):
    """Works for one screen; ``begun`` is told of every operation that it starts."""

    def __init__(
        self,
        screen: Screen[None],
        bridge: Bridge,
        defaults: Settings,
        begun: Callable[[OperationView], None],
    ) -> None:
        super().__init__(screen, bridge)
        self._defaults = defaults
        self._begun = begun

    def default_spec(self) -> VmSpec:
        defaults = self._defaults
        return VmSpec(
            image=defaults.image,
            cpus=defaults.cpus,
            memory_mib=defaults.memory_mib,
            network=defaults.network,
        )

    def create(self, spec: VmSpec) -> None:
        """Begin to make a machine."""

        async def begin() -> None:
            operation = await self._bridge.engine.vms.create(spec)
            self._begun(operation.view)

        self.guard(begin())

    def form(self) -> None:
        """Ask for the particulars, then begin."""

        async def ask() -> None:
            # Late: the form's widgets are not needed for the first paint.
            from banger_tui.screens.create import Choices, CreateScreen

            world = self._world
            catalog = await self._bridge.engine.images.catalog()
            choices = Choices(
                defaults=self.default_spec(),
                images={image.name: image.size_bytes for image in world.images.values()},
                catalog={e.name: e.download_bytes for e in catalog.images.values()},
                taken={vm.name for vm in world.vms.values()},
            )

            def chosen(spec: VmSpec | None) -> None:
                if spec is not None:
                    self.create(spec)

            self._screen.app.push_screen(CreateScreen(choices), chosen)

        self.guard(ask())

    def verb(self, verb: Verb, vms: Sequence[VmRecord], done: Callable[[], None]) -> None:
        """Do something to machines whose state allows it, after asking where it matters."""
        from banger_tui.engine.vms.state import legal

        targets = [vm for vm in vms if legal(vm.state, verb)]
        if not targets:
            self.refuse(verb, vms)
            return
        from banger_tui.screens.confirm import ConfirmScreen
        from banger_tui.screens.verbs import question

        def answered(yes: bool | None) -> None:
            if yes:
                done()
                for vm in targets:
                    self.guard(self._begin(verb, vm))

        asked = question(verb, targets, skipped=len(vms) - len(targets))
        if asked is None:
            answered(True)
        else:
            self._screen.app.push_screen(ConfirmScreen(asked), answered)

    def promote(self, vm: VmRecord) -> None:
        """Ask for a name, and make an image of a stopped machine."""
        if vm.state not in (VmState.STOPPED, VmState.FAILED):
            self.refuse("make an image of", [vm])
            return
        from banger_tui.screens.image_forms import PromoteScreen

        async def promote(request: Request) -> None:
            operation = await request.begin(self._bridge.engine)
            self._begun(operation.view)

        def answered(request: Request | None) -> None:
            if request is not None:
                self.guard(promote(request))

        world = self._world
        form = PromoteScreen(tuple(world.vms.values()), frozenset(world.images), vm.name)
        self._screen.app.push_screen(form, answered)

    def refuse(self, doing: str, vms: Sequence[VmRecord]) -> None:
        """Say why nothing happens, and what would."""
        if len(vms) == 1:
            vm = vms[0]
            instead = _INSTEAD.get(vm.state, "A moment; o shows what goes on.")
            title = f"Can't {doing} {vm.name}"
            text = f"It is {MACHINES[vm.state].word}. {instead}"
        else:
            title, text = f"Nothing to {doing}", "No marked machine is in a state for it."
        self.say(text, title)

    async def _begin(self, verb: Verb, vm: VmRecord) -> None:
        vms = self._bridge.engine.vms
        calls: dict[str, Callable[[str], Awaitable[Operation[Any]]]] = {
            "start": vms.start,
            "stop": vms.stop,
            "restart": vms.restart,
            "kill": vms.kill,
            "delete": vms.delete,
        }
        operation = await calls[verb](vm.id)
        self._begun(operation.view)

    def copy_ssh(self, vm: VmRecord) -> None:
        """Put the machine's ssh command into the clipboard."""

        async def copy() -> None:
            command = shlex.join(await self._bridge.engine.vms.ssh_command(vm.id))
            self._screen.app.copy_to_clipboard(command)
            self._screen.notify(command, title="Copied", markup=False)

        self.guard(copy())
