"""A screen of two lists, what is here and what the catalogs offer: keys reach the engine.

It stays alive out of sight: cursor, filter, order and marks are as they were when it comes back.
"""

from __future__ import annotations

from abc import abstractmethod

from textual import on
from textual.events import ScreenResume

from banger_tui.bridge import Changed, Opened
from banger_tui.engine.events import OperationChanged, StatsSampled
from banger_tui.engine.model import OperationView
from banger_tui.screens.artefact_actions import ArtefactActions
from banger_tui.screens.browser_view import BrowserView, Tab
from banger_tui.widgets.artefact_detail import DetailPage
from banger_tui.widgets.line_list import LineList


class Browser(BrowserView):
    """Base of the screens of images and of kernels."""

    @property
    @abstractmethod
    def actions(self) -> ArtefactActions:
        """What is done with what is selected."""

    def on_mount(self) -> None:
        self.action_show_list("here")
        self.actions.begun = self._begun
        self._keep_in_step()
        self.listing.focus()

    def on_unmount(self) -> None:
        self._bridge.unlisten(self)

    # -- for the command palette

    def places(self) -> list[tuple[str, str, str]]:
        """(key, name, state) of everything listed, for the command palette."""
        rows = [*self.rows_here(self._making()), *self._offered.values()]
        found = {row.key: (row.key, row.name, row.look.word) for row in reversed(rows)}
        return sorted(found.values())

    def go_to(self, name: str) -> None:
        """Put the cursor on one, in the list that has it."""
        for tab in ("here", "catalog"):
            self._lists[tab].filter = ""
            if self._lists[tab].select(name, by_hand=True):
                self.action_show_list(tab)
                return

    def _begun(self, name: str) -> None:
        self.show()
        self.go_to(name)

    # -- what the bridge says

    @on(Opened)
    def _opened(self) -> None:
        self.show()

    @on(ScreenResume)
    def _resumed(self) -> None:
        self.show()

    @on(Changed)
    def _changed(self, message: Changed) -> None:
        for event in message.events:
            if isinstance(event, OperationChanged) and event.operation.state.over:
                self._ended(event.operation)
        if message.events and all(isinstance(event, StatsSampled) for event in message.events):
            if self.in_sight:
                self.show_header()
        else:
            self.show()

    def _ended(self, operation: OperationView) -> None:
        if operation.kind in self.MAKES | self.READS:
            self.actions.ended(operation, seen=self.is_active)

    # -- what the widgets say

    @on(LineList.Moved)
    def _moved(self) -> None:
        if self.is_mounted:
            self.show_detail()
            self.query_one(DetailPage).scroll_home(animate=False)
            self.show_keys()

    @on(LineList.Opened)
    def _open(self) -> None:
        if self._tab == "here":
            self.query_one(DetailPage).focus()
        elif pullable := [name for name in self.chosen if self._can_be_pulled(name)]:
            self.actions.pull_all(pullable)
            self.listing.clear_marks()
        else:
            self.go_to(self.name_at_cursor)

    def _can_be_pulled(self, name: str) -> bool:
        making = self._making().get(name)
        return self.subject(name)[0] is None and (making is None or making.state.over)

    # -- actions

    def action_show_list(self, tab: Tab) -> None:
        if self.has_class("-zoomed"):
            self.action_zoom()
        self._close_filter()
        self._tab = tab
        self.show_tabs()
        self.listing.focus()
        self.show()

    def action_pull(self) -> None:
        self.actions.pull(self.name_at_cursor if self._tab == "catalog" else "")

    def action_delete(self) -> None:
        operation = self.operation
        if not self.listing.marks and operation is not None and not operation.state.over:
            self.cancel(operation)
        elif not self.listing.marks and operation is not None:
            self.actions.put_away([operation])
        elif self._tab == "catalog":
            self.notify("What is here is in the other list: ←", severity="warning", markup=False)
        elif names := [name for name in self.chosen if self.subject(name)[0] is not None]:
            self.actions.delete(names, self.listing.clear_marks)

    def action_cancel(self) -> None:
        operation = self.operation
        if operation is None or operation.state.over:
            live = [o for o in self._world.outermost() if o.kind in self.MAKES | self.READS]
            operation = live[0] if len(live) == 1 else None
        self.cancel(operation)

    def cancel(self, operation: OperationView | None) -> None:
        self.actions.cancel(operation)

    def action_retry(self) -> None:
        operation = self.operation
        if operation is None or not operation.state.over:
            operation = next(reversed(self.failed), None)
        self.actions.retry(operation)

    def action_copy(self) -> None:
        subject, _ = self.subject(self.name_at_cursor)
        if text := getattr(subject, "provenance", "") or getattr(subject, "digest", ""):
            self.app.copy_to_clipboard(text)
            self.notify(text, title="Copied", markup=False)

    def action_update(self) -> None:
        self.actions.update_catalogs()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        (self.query_one(DetailPage) if self.has_class("-zoomed") else self.listing).focus()

    async def action_back(self) -> None:
        """One step back: zoom, detail, filter, marks, failures; then to the machines."""
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif self.listing.filter or self.query("#filter"):
            self.listing.filter = ""
            self._close_filter()
            self.listing.focus()
        elif self.focused is not self.listing:
            self.listing.focus()
        elif self.listing.marks:
            self.listing.clear_marks()
        elif self.failed:
            self.actions.put_away(self.failed)
        else:
            await self.run_action("app.go('machines')")
        self.show_filtered()
