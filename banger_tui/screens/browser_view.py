"""What a screen that browses images or kernels shows: what is here, what the catalogs offer, and
the one under the cursor in detail.

It draws from the bridge's ``World`` when it is told to; it decides nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.style import Style

from banger_tui.bridge import Bridge
from banger_tui.engine.model import OperationState, OperationView
from banger_tui.engine.paths import Paths
from banger_tui.screens import hints
from banger_tui.screens.counts import counts
from banger_tui.screens.main_screen import MainScreen
from banger_tui.widgets import stage_text, units
from banger_tui.widgets.artefact_detail import ArtefactDetail, DetailPage, Subject
from banger_tui.widgets.artefact_rows import CatalogRow, by_subject
from banger_tui.widgets.artefact_tables import CATALOG
from banger_tui.widgets.key_bar import Hint, KeyBar
from banger_tui.widgets.line_list import LineList
from banger_tui.widgets.operation_strip import OperationStrip
from banger_tui.widgets.table import Row, Table

Tab = Literal["here", "catalog"]
TABS: tuple[tuple[Tab, str], ...] = (("here", "Here"), ("catalog", "Catalog"))


class BrowserView(MainScreen):
    """The parts of the screen and what stands in each."""

    #: The word for one, and the kinds of operations that make one, and that only read one.
    THING: ClassVar[str]
    MAKES: ClassVar[frozenset[str]]
    READS: ClassVar[frozenset[str]] = frozenset()
    TAIL: ClassVar[tuple[Hint, ...]]

    FILTERED_BY = "name or kind"

    def __init__(self, bridge: Bridge, paths: Paths, shape: Table[Any]) -> None:
        super().__init__(bridge, paths)
        self._lists: dict[Tab, LineList[Any]] = {
            "here": LineList(shape, id="here"),
            "catalog": LineList(CATALOG, id="catalog"),
        }
        self._tab: Tab = "here"
        self._offered: dict[str, CatalogRow] = {}
        self._detail = ArtefactDetail()

    def compose(self) -> ComposeResult:
        yield self._header
        with Horizontal(id="body"):
            yield from self._lists.values()
            with DetailPage(id="detail"):
                yield self._detail
        yield self._strip
        yield KeyBar()

    # -- what a kind of thing says of itself

    @abstractmethod
    def rows_here(self, making: dict[str, OperationView]) -> Iterable[Row]:
        """What is here or being made; ``making``: operations by the name that they work on."""

    @abstractmethod
    def rows_offered(self, making: dict[str, OperationView]) -> Iterable[CatalogRow]:
        """What the catalogs offer."""

    @abstractmethod
    def subject(self, name: str) -> tuple[Subject | None, Sequence[str]]:
        """What is here of this name, and what uses it."""

    @abstractmethod
    def hints(self, on: hints.Browsed) -> list[Hint]:
        """The keys that do something with what is selected."""

    @abstractmethod
    def nothing(self) -> list[Content]:
        """What is said where none is here."""

    # -- what is selected

    @property
    def listing(self) -> LineList[Any]:
        return self._lists[self._tab]

    @property
    def name_at_cursor(self) -> str:
        return self.listing.cursor or ""

    @property
    def chosen(self) -> list[str]:
        """Names that keys act on: the marked ones, or the one under the cursor."""
        return self.listing.marks or ([self.listing.cursor] if self.listing.cursor else [])

    @property
    def operation(self) -> OperationView | None:
        """What is done with the one under the cursor, or has failed."""
        making = self._making()
        found = making.get(self.name_at_cursor)
        return found or self._reading().get(self.name_at_cursor)

    @property
    def failed(self) -> list[OperationView]:
        """What was begun here and has failed, until it is put away."""
        return [
            operation
            for operation in self._world.operations.values()
            if operation.state is OperationState.FAILED
            and operation.kind in self.MAKES | self.READS
            and self._bridge.request(operation.id) is not None
        ]

    def _making(self) -> dict[str, OperationView]:
        return by_subject([*self.failed, *self._world.live()], self.MAKES)

    def _reading(self) -> dict[str, OperationView]:
        return by_subject(self._world.live(), self.READS)

    # -- showing it

    @property
    def in_sight(self) -> bool:
        """Whether it may be seen: under a dialog too."""
        return self in self.app.screen_stack

    def show(self) -> None:
        """Show everything as the world has it now."""
        if not self.in_sight:
            return
        making = self._making()
        offered = tuple(self.rows_offered(making))
        self._offered = {row.key: row for row in offered}
        self._lists["here"].set_rows(self.rows_here(making))
        self._lists["catalog"].set_rows(offered)
        self._strip.show([*self.failed, *self._world.outermost()])
        self.show_header()
        self.show_detail()
        self.show_keys()

    def show_tabs(self) -> None:
        """Show the list of the chosen tab, with all tabs in its border."""
        head = Content.assemble((f"{self.THING.capitalize()}s", "bold"), " ")
        for tab, word in TABS:
            click = Style.from_meta({"@click": f"screen.show_list('{tab}')"})
            looks = "bold reverse" if tab == self._tab else "$foreground-muted"
            head = Content.assemble(head, " ", Content.styled(f" {word} ", looks).stylize(click))
        for tab, listed in self._lists.items():
            listed.head = head
            listed.set_class(tab != self._tab, "-away")

    def show_header(self) -> None:
        if self._world.host is not None:
            self._header.show_host(self._world.host)
        self._header.show_counts(counts(self._world))
        self._header.show_summary(self._world.summary)

    def show_detail(self) -> None:
        name = self.name_at_cursor
        subject, users = self.subject(name)
        problems: list[Content] = []
        if self._tab == "catalog":
            subject, users = self._offered.get(name), ()
            problems = self._problems_of_catalogs()
        page = self.query_one(DetailPage)
        page.border_title = Content(name or f"no {self.THING}")
        nothing = self._no_catalog() if self._tab == "catalog" else self.nothing()
        if self.listing.filter:
            nothing = [Content.styled("Nothing matches; esc shows all.", stage_text.FAINT)]
        self._detail.show(subject, users, self.operation, nothing, problems)

    def _problems_of_catalogs(self) -> list[Content]:
        """Why some of the person's own are not in the list."""
        catalog = self._world.catalog
        return [
            Content.styled(f"! {units.plain(problem, 300)}", "$text-warning")
            for problem in (catalog.problems if catalog else ())
        ]

    def _no_catalog(self) -> list[Content]:
        problem = self._world.catalog_problem
        if problem is None:
            return [Content.styled("Reading the catalogs …", stage_text.FAINT)]
        return stage_text.problem(problem)

    def show_filtered(self) -> None:
        self.show_detail()
        self.show_keys()

    def tick_detail(self) -> None:
        if self.operation is not None:
            self._detail.changed()

    def show_keys(self) -> None:
        bar = self.query_one(KeyBar)
        operation = self.operation
        if self._filter_has_focus:
            bar.show(hints.IN_FILTER)
        elif isinstance(self.focused, OperationStrip):
            bar.show(hints.IN_STRIP, self.TAIL)
        elif isinstance(self.focused, DetailPage):
            bar.show(hints.IN_DETAIL, self.TAIL)
        else:
            on_row = hints.Browsed(
                here=self.subject(self.name_at_cursor)[0] is not None,
                busy=operation is not None and not operation.state.over,
                failed=bool(self.failed),
                catalog=self._tab == "catalog",
                marked=len(self.listing.marks),
                filtered=bool(self.listing.filter),
            )
            bar.show(self.hints(on_row), self.TAIL)
