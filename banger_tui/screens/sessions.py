"""The screen of sessions: what runs, and has run, in all machines, and the one under the cursor."""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import ScreenResume
from textual.timer import Timer

from banger_tui.bridge import Bridge, Changed, Opened
from banger_tui.engine.model import OperationView, SessionState, SessionView
from banger_tui.engine.paths import Paths
from banger_tui.screens import hints, keys
from banger_tui.screens.counts import counts
from banger_tui.screens.main_screen import MainScreen
from banger_tui.screens.session_actions import SessionActions
from banger_tui.screens.session_watch import SessionWatch
from banger_tui.widgets.artefact_detail import DetailPage
from banger_tui.widgets.key_bar import KeyBar
from banger_tui.widgets.line_list import LineList
from banger_tui.widgets.operation_strip import OperationStrip
from banger_tui.widgets.session_detail import SessionDetail
from banger_tui.widgets.session_rows import SESSIONS, SessionRow

_LOOK_EVERY = 5.0  # seconds an answer is good for while this screen is in sight
_SETTLE = 0.3
_NOTHING = (
    "No sessions.",
    "",
    "A session is a shell or a command that is kept in a machine: it runs on when the app is "
    "closed, or killed.",
    "n starts one; s in the list of machines opens a shell.",
)

Lines = tuple[str, ...]


class SessionsScreen(MainScreen):
    """Sessions of all machines."""

    KEYS = keys.SESSION_KEYS
    BINDINGS: ClassVar[list[BindingType]] = keys.SESSION_KEYS.bindings()
    FILTERED_BY = "name, machine or command"

    def __init__(self, bridge: Bridge, paths: Paths) -> None:
        super().__init__(bridge, paths)
        self._list: LineList[SessionRow] = LineList(SESSIONS, id="sessions")
        self._list.head = Content(SESSIONS.title)  # also above no rows
        self._detail = SessionDetail()
        self._watch = SessionWatch(bridge)
        self._actions = SessionActions(self, bridge, self._watch.look)
        self._said: dict[str, tuple[Lines, Lines]] = {}
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._header
        with Horizontal(id="body"):
            yield self._list
            with DetailPage(id="detail"):
                yield self._detail
        yield self._strip
        yield KeyBar()

    def on_mount(self) -> None:
        self._keep_in_step()
        self._list.focus()

    async def on_unmount(self) -> None:
        self._bridge.unlisten(self)
        await self._watch.close()

    @property
    def listing(self) -> LineList[SessionRow]:
        return self._list

    @property
    def operation(self) -> OperationView | None:
        return None

    def places(self) -> list[tuple[str, str, str]]:
        """(key, name, state) of every session, for the command palette."""
        rows = [SessionRow(seen) for seen in self._sessions()]
        return [(row.key, f"{row.seen.vm_name} {row.name}", row.look.word) for row in rows]

    def go_to(self, key: str) -> None:
        """Put the cursor on one."""
        self._list.filter = ""
        self._list.select(key, by_hand=True)
        self._list.focus()

    # -- what is shown

    def _sessions(self) -> list[SessionView]:
        """Of machines that run: of the others nobody can tell."""
        world = self._world
        return [
            seen
            for vm_id, sessions in world.sessions.items()
            if (vm := world.vms.get(vm_id)) is not None and vm.running
            for seen in sessions
        ]

    @property
    def _current(self) -> SessionView | None:
        return next((s for s in self._sessions() if SessionRow(s).key == self._list.cursor), None)

    @property
    def _chosen(self) -> list[SessionView]:
        wanted = self._list.marks or [self._list.cursor or ""]
        return [seen for seen in self._sessions() if SessionRow(seen).key in wanted]

    def show(self) -> None:
        """Show everything as the world has it now."""
        if self not in self.app.screen_stack:
            return
        self._list.set_rows(map(SessionRow, self._sessions()))
        if self._world.host is not None:
            self._header.show_host(self._world.host)
        self._header.show_counts(counts(self._world))
        self._header.show_summary(self._world.summary)
        self._strip.show(self._world.outermost())
        self._show_detail()
        self.show_keys()

    def _show_detail(self) -> None:
        seen = self._current
        said = self._said.get(self._list.cursor or "", ((), ()))
        nothing = ("Nothing matches; esc shows all.",) if self._list.filter else _NOTHING
        self.query_one(DetailPage).border_title = Content(seen.name if seen else "no session")
        self._detail.show(seen, said, nothing)

    def show_filtered(self) -> None:
        self._show_detail()
        self.show_keys()

    def tick_detail(self) -> None:
        self._watch.look_everywhere(_LOOK_EVERY)
        self._detail.changed()

    def show_keys(self) -> None:
        bar = self.query_one(KeyBar)
        if self._filter_has_focus:
            bar.show(hints.IN_FILTER)
        elif isinstance(self.focused, OperationStrip):
            bar.show(hints.IN_STRIP, hints.SESSIONS_TAIL)
        else:
            seen = self._current
            bar.show(
                hints.for_sessions(
                    some=seen is not None,
                    runs=seen is not None and seen.state is SessionState.RUNNING,
                    marked=len(self._list.marks),
                    filtered=bool(self._list.filter),
                ),
                hints.SESSIONS_TAIL,
            )

    @on(Opened)
    @on(ScreenResume)
    def _resumed(self) -> None:
        self._watch.look_everywhere()
        self.show()

    @on(Changed)
    def _changed(self) -> None:
        self.show()

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._show_detail()
        self.show_keys()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLE, self._settled)

    async def _settled(self) -> None:
        """The cursor rests: what did this one say last?"""
        seen = self._current
        if seen is not None:
            self.run_worker(self._look_at(seen), group="last words", exclusive=True)

    async def _look_at(self, seen: SessionView) -> None:
        out = await self._actions.last_words(seen)
        err = await self._actions.last_words(seen, err=True) if seen.err_bytes else ()
        self._said = {SessionRow(seen).key: (out, err)}
        self._show_detail()

    # -- actions

    @on(LineList.Opened)
    async def _open(self) -> None:
        seen = self._current
        if seen is not None and seen.state is SessionState.RUNNING:
            await self._show_in_panel(seen.vm_id, seen.name)
        elif seen is not None:
            self.query_one(DetailPage).focus()

    async def _show_in_panel(self, vm_id: str, name: str) -> None:
        await self.run_action(f"app.attach({vm_id!r}, {name!r})")

    def action_new_session(self) -> None:
        def begun(vm_id: str, name: str) -> None:
            self.call_later(self._show_in_panel, vm_id, name)

        self._actions.new(begun)

    def action_stop(self) -> None:
        self._actions.stop(self._chosen, self._list.clear_marks)

    def action_signal(self) -> None:
        self._actions.signal(self._chosen, self._list.clear_marks)

    def action_delete(self) -> None:
        self._actions.delete(self._chosen, self._list.clear_marks)

    def action_copy(self) -> None:
        if seen := self._current:
            place = f"{seen.vm_name}/{seen.name}"
            command = shlex.join(("banger-tui", "session", "attach", place))
            self.app.copy_to_clipboard(command)
            self.notify(command, title="Copied", markup=False)

    def cancel(self, operation: OperationView | None) -> None:
        if operation is not None and not operation.state.over:
            from banger_tui.screens.operations import ask_and_cancel

            ask_and_cancel(self, self._bridge, operation)

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        (self.query_one(DetailPage) if self.has_class("-zoomed") else self._list).focus()

    async def action_back(self) -> None:
        """One step back: zoom, filter, detail, marks; then to the machines."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self._list.filter or self.query("#filter"):
            self._list.filter = ""
            self._close_filter()
            self._list.focus()
        elif self.focused is not self._list:
            self._list.focus()
        elif self._list.marks:
            self._list.clear_marks()
        else:
            await self.run_action("app.go('machines')")
        self.show_filtered()
