"""Operations: which there are, and the timeline and log of one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from banger_tui.bridge import Bridge, Changed, Opened
from banger_tui.engine.errors import BangerError
from banger_tui.engine.events import OperationChanged, Resync
from banger_tui.engine.model import OperationView
from banger_tui.engine.paths import Paths
from banger_tui.screens.confirm import ConfirmScreen, Question
from banger_tui.widgets import clock, stage_text, units
from banger_tui.widgets.key_bar import Hint, KeyBar
from banger_tui.widgets.states import OPERATIONS, style
from banger_tui.widgets.timeline import Timeline

_TAIL = 16 * 1024
_KEYS = (
    Hint("esc", "back", "leave"),
    Hint("c", "cancel", "cancel"),
    Hint("tab", "timeline, log", "app.focus_next"),
    Hint("y", "copy the log's path", "copy_log"),
)


class OperationsScreen(Screen[None]):
    """A list at the left (above, when narrow); the chosen one's timeline and log beside it."""

    ESCAPE_TO_MINIMIZE = False
    AUTO_FOCUS = "#operations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,o,q", "leave", "Back", show=False),
        Binding("c", "cancel", "Cancel", show=False),
        Binding("y", "copy_log", "Copy the log's path", show=False),
    ]

    def __init__(self, bridge: Bridge, paths: Paths, chosen: str | None = None) -> None:
        super().__init__()
        self._bridge = bridge
        self._paths = paths
        self._chosen = chosen
        self._shown_log: str | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            options = OptionList(id="operations", markup=False)
            options.border_title = Content("Operations")
            yield options
            with Vertical(id="opened"):
                with VerticalScroll(id="timeline") as box:
                    box.border_title = Content("Timeline")
                    yield Timeline()
                with VerticalScroll(id="log") as box:
                    box.border_title = Content("Log")
                    yield Static("", id="log-text", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(KeyBar).show(_KEYS)
        self._fill()
        self._bridge.listen(self)
        self.set_interval(0.25, self._tick)
        self.set_interval(1.0, self._read_log)
        self._read_log()

    def on_unmount(self) -> None:
        self._bridge.unlisten(self)

    # -- data

    def _sorted(self) -> list[OperationView]:
        found = list(self._bridge.world.operations.values())
        return sorted(found, key=lambda o: (o.state.over, -o.started))

    def _fill(self) -> None:
        """List them anew, the cursor staying on the same one."""
        options = self.query_one("#operations", OptionList)
        operations = self._sorted()
        if self._chosen not in self._bridge.world.operations:
            self._chosen = operations[0].id if operations else None
        now = clock.now()
        options.set_options([Option(_line(o, now), id=o.id) for o in operations])
        if self._chosen is not None:
            options.highlighted = options.get_option_index(self._chosen)
        else:
            nothing = Content.styled("Nothing has been done yet.", "$foreground-muted")
            options.add_option(Option(nothing, disabled=True))
        self._show()

    def _show(self) -> None:
        operation = self._operation
        self.query_one(Timeline).show(operation)

    @property
    def _operation(self) -> OperationView | None:
        return self._bridge.world.operations.get(self._chosen or "")

    @on(Changed)
    def _world_changed(self, message: Changed) -> None:
        touched = [e.operation for e in message.events if isinstance(e, OperationChanged)]
        if any(isinstance(e, Resync) for e in message.events) or any(
            o.state.over or not self._listed(o.id) for o in touched
        ):
            self._fill()
        elif any(o.id == self._chosen for o in touched):
            self._show()

    @on(Opened)
    def _opened(self) -> None:
        self._fill()

    def _listed(self, operation_id: str) -> bool:
        options = self.query_one("#operations", OptionList)
        return any(option.id == operation_id for option in options.options)

    def _tick(self) -> None:
        live = self._bridge.world.live()
        if not live or not self.is_active:
            return
        options = self.query_one("#operations", OptionList)
        now = clock.now()
        for operation in live:
            if self._listed(operation.id):
                options.replace_option_prompt(operation.id, _line(operation, now))
        if self._operation in live:
            self.query_one(Timeline).changed()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option.id is not None and event.option.id != self._chosen:
            self._chosen = event.option.id
            self._shown_log = None
            self._show()
            self._read_log()

    def _read_log(self) -> None:
        if self._chosen is not None:
            self.run_worker(self._tail(self._chosen), group="log", exclusive=True)

    async def _tail(self, operation_id: str) -> None:
        text = await asyncio.to_thread(_read_tail, self._paths.operation_log(operation_id))
        if operation_id == self._chosen and text != self._shown_log:
            first = self._shown_log is None
            self._shown_log = text
            lines = [units.plain(line, 400) for line in text.splitlines()[-200:]]
            box = self.query_one("#log", VerticalScroll)
            # A failed create's log ends with the guest's console: its end is what is wanted first.
            follow = first or box.scroll_offset.y >= box.max_scroll_y - 1
            self.query_one("#log-text", Static).update(Content("\n".join(lines) or "no output"))
            if follow:
                box.call_after_refresh(box.scroll_end, animate=False)

    # -- actions

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_copy_log(self) -> None:
        if self._chosen is not None:
            path = str(self._paths.operation_log(self._chosen))
            self.app.copy_to_clipboard(path)
            self.notify(path, title="Copied", markup=False)

    def action_cancel(self) -> None:
        operation = self._operation
        if operation is None:
            return
        if operation.state.over:
            self.notify(f"{stage_text.title(operation)} is over", severity="warning", markup=False)
            return
        ask_and_cancel(self, self._bridge, operation)

    @on(KeyBar.Chosen)
    async def _hint_chosen(self, message: KeyBar.Chosen) -> None:
        await self.run_action(message.action)


def ask_and_cancel(screen: Screen[None], bridge: Bridge, operation: OperationView) -> None:
    """Ask whether an operation should be cancelled, and do it."""

    async def answered(yes: bool | None) -> None:
        if yes:
            try:
                await bridge.engine.operations.cancel(operation.id)
            except BangerError as error:
                screen.notify(str(error), severity="error", markup=False)

    keeps = operation.kind == "pull image"
    question = Question(
        f"Cancel {stage_text.title(operation)}?",
        [
            "It ends, and what it has made so far is taken away again.",
            *(["What is downloaded is kept: the next pull goes on from there."] if keeps else []),
        ],
        "Cancel it",
        "Let it go on",
    )
    screen.app.push_screen(ConfirmScreen(question), answered)


def _line(operation: OperationView, now: float) -> Content:
    look = OPERATIONS[operation.state]
    when = "" if not operation.ended else f"  {units.ago(operation.ended, now)}"
    return Content.assemble(
        (f"{look.glyph} ", style(look)),
        stage_text.title(operation, 40),
        (f"  {units.span(operation.elapsed(now))}{when}", "$foreground-muted"),
    )


def _read_tail(path: Path) -> str:
    """The last lines of a log; nothing when there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
