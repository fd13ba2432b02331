"""From a key to the engine, for images and kernels: ask where it matters, begin, tell the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from banger_tui.bridge import Bridge, Request
from banger_tui.engine.errors import InUse
from banger_tui.engine.model import OperationState, OperationView
from banger_tui.screens import artefact_questions
from banger_tui.screens.actions import Actions
from banger_tui.screens.requests import ExportImage, PullImage, PushImage
from banger_tui.widgets import stage_text, units

if TYPE_CHECKING:
    from banger_tui.screens.form import Form


class ArtefactActions(Actions, ABC):
    """Works for one screen, on things of one kind."""

    def __init__(self, screen: Screen[None], bridge: Bridge, thing: str) -> None:
        super().__init__(screen, bridge)
        self._thing = thing
        self._told: set[str] = set()
        self.begun: Callable[[str], object] = lambda _: None
        """Called with the name of what a form has begun to make."""

    # -- what the kinds differ in

    @abstractmethod
    def pull(self, name: str) -> None:
        """Ask what to pull, and pull it; ``name``: what the cursor is on in a catalog, or ""."""

    @abstractmethod
    def pull_all(self, names: Iterable[str]) -> None:
        """Pull these of the catalog."""

    @abstractmethod
    async def remove(self, name: str) -> None:
        """Delete one. Raises BangerError."""

    @abstractmethod
    def users(self) -> dict[str, list[str]]:
        """What uses one, by its name."""

    # -- what they have in common

    def begin(self, request: Request, *, show: bool = False) -> None:
        """Begin what is asked for; that it has failed before is told no more.

        Args:
            show: have the screen put its cursor there.
        """

        async def begin() -> None:
            begun = await self._bridge.begin(request)
            if show:
                self.begun(begun.subject)
            for other in self._world.operations.values():
                same = (other.kind, other.subject) == (begun.kind, begun.subject)
                if same and other.state.over:
                    self._bridge.forget(other.id)

        self.guard(begin())

    def ask(self, form: Form[Any]) -> None:
        """Begin what the person asks for in a form."""

        def answered(request: Request | None) -> None:
            if request is not None:
                self.begin(request, show=True)

        self._screen.app.push_screen(form, answered)

    def retry(self, operation: OperationView | None) -> None:
        """Begin once more what has failed."""
        if operation is None:
            self.say("Nothing has failed.")
        elif (request := self._request(operation)) is None:
            self.say("It was begun elsewhere; p pulls it from here.")
        else:
            self._bridge.forget(operation.id)
            self.begin(request)

    def _request(self, operation: OperationView) -> Request | None:
        if known := self._bridge.request(operation.id):
            return known
        # One that goes on from an earlier run of the app was begun by the engine.
        spec = self._bridge.engine.images.spec(operation.id)
        return None if spec is None else PullImage(spec)

    def cancel(self, operation: OperationView | None) -> None:
        """Cancel an operation, after a question."""
        from banger_tui.screens.operations import ask_and_cancel

        if operation is None or operation.state.over:
            self.say("Nothing of it is under way.")
        else:
            ask_and_cancel(self._screen, self._bridge, operation)

    def put_away(self, failed: Iterable[OperationView]) -> None:
        """Show these failures no more."""
        for operation in failed:
            self._bridge.forget(operation.id)
        self._bridge.look_again()

    def delete(self, names: Sequence[str], done: Callable[[], None]) -> None:
        """Delete what is not in use, after one question for all."""
        known = self._world.images if self._thing == "image" else self._world.kernels
        records = [known[name] for name in names if name in known]
        users = self.users()
        asked = artefact_questions.delete(self._thing, records, users)
        if isinstance(asked, InUse):
            self.show_error(asked)
            return
        from banger_tui.screens.confirm import ConfirmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                done()
                for record in records:
                    if not users.get(record.name):
                        self.guard(self.remove(record.name))

        self._screen.app.push_screen(ConfirmScreen(asked), answered)

    def update_catalogs(self) -> None:
        """Read the catalogs anew."""

        async def update() -> None:
            await self._bridge.read_catalogs(refresh=True)
            if self._world.catalog_problem is not None:
                raise self._world.catalog_problem
            catalog = self._world.catalog
            for problem in catalog.problems if catalog else ():
                self.say(units.plain(problem, 300))
            self._screen.notify("The catalogs are read anew.", markup=False)

        self.guard(update())

    def ended(self, operation: OperationView, *, seen: bool) -> None:
        """Tell the end of what was begun here, once; ``seen``: the screen shows failures itself."""
        request = self._bridge.request(operation.id)
        if request is None or operation.id in self._told:
            return
        self._told.add(operation.id)
        title = stage_text.title(operation)
        if operation.state is OperationState.FAILED:
            if not seen and operation.failure is not None:
                text = units.plain(operation.failure.title)
                self._screen.notify(text, title=f"Failed: {title}", severity="error", markup=False)
            return
        self._bridge.forget(operation.id)
        if operation.state is OperationState.CANCELLED:
            text = stage_text.left_behind(operation)
            self._screen.notify(text, title=f"Cancelled: {title}", markup=False)
        else:
            self._screen.notify(_outcome(operation, request), markup=False)


def _outcome(operation: OperationView, request: Request) -> str:
    match request:
        case ExportImage(name, target):
            return f"{name} is in {target}"
        case PushImage(name, reference):
            return f"{name} is pushed to {reference}"
    return f"{units.plain(operation.subject, 60)} is here"
