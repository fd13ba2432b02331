"""A list of rows in columns: a line-API widget that draws only what is in sight.

Sorting and filtering happen when data changes, never while painting, so that ten thousand rows
scroll like ten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from banger_tui.widgets import clock, table, units
from banger_tui.widgets.table import Column, R, Table

#: Lines above the rows.
HEADER = 1


class RowList(ScrollView, Generic[R], can_focus=True):
    """Rows with a cursor, marks, an order and a filter."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--header",
        "list--row",
        "list--cursor",
        "list--faint",
        "list--accent",
        "list--good",
        "list--busy",
        "list--off",
        "list--bad",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "to(0)", "First", show=False),
        Binding("end,G", "to(-1)", "Last", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("t", "next_order", "Sort by the next column", show=False),
        Binding("T", "reverse", "Turn the order round", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row; ``key`` is None when the list is empty."""

        def __init__(self, key: str | None, *, by_hand: bool) -> None:
            super().__init__()
            self.key = key
            self.by_hand = by_hand

    class Opened(Message):
        """Enter or a double click on a row."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Marked(Message):
        """The set of marked rows is another one."""

    def __init__(self, shape: Table[R], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = shape
        self._head = Content(shape.title)
        self._rows: dict[str, R] = {}
        self._order: list[str] = []
        self._marks: set[str] = set()
        self._cursor: str | None = None
        self._sort = shape.name
        self._descending = False
        self._filter = ""
        self._layout_width = -1
        self._longest = 0
        self._layout = table.lay_out(shape, 20, 8)
        self._styles: dict[str, Style] = {}
        self._painted: dict[str, tuple[str, ...]] = {}
        self._strips: LRUCache[object, Strip] = LRUCache(256)

    # -- data

    def set_rows(self, rows: Iterable[R]) -> None:
        """Show these and no others."""
        rows = tuple(rows)
        self.update_rows(rows, self._rows.keys() - {row.key for row in rows})

    def update_rows(self, changed: Iterable[R], removed: Iterable[str] = ()) -> None:
        """Change some rows; the order is made anew only where it can have changed."""
        rearrange = False
        for key in tuple(removed):
            rearrange |= self._rows.pop(key, None) is not None
            self._marks.discard(key)
        touched = set()
        for row in changed:
            before = self._rows.get(row.key)
            if before == row:
                continue
            self._rows[row.key] = row
            touched.add(row.key)
            rearrange |= (
                before is None
                or before.name != row.name
                or before.words != row.words
                or self._sort.order(before) != self._sort.order(row)
            )
        if rearrange:
            self._arrange()
        elif touched:
            self._refresh_rows(touched)

    @property
    def cursor(self) -> str | None:
        """Key of the row under the cursor."""
        return self._cursor

    @property
    def marks(self) -> list[str]:
        """Keys of the marked rows in sight, in list order."""
        return [key for key in self._order if key in self._marks]

    @property
    def keys(self) -> list[str]:
        """Keys of the rows in sight, in list order."""
        return list(self._order)

    @property
    def filter(self) -> str:
        return self._filter

    @filter.setter
    def filter(self, text: str) -> None:
        self._filter = text.strip().lower()
        self._arrange()

    @property
    def sort(self) -> tuple[str, bool]:
        """The column sorted by and whether the order is descending."""
        return self._sort.id, self._descending

    def sort_by(self, column: Column[R], descending: bool | None = None) -> None:
        """Order by a column; by the same one again: the other way round."""
        if descending is None:
            again = column is self._sort
            descending = not self._descending if again else column.descending
        self._sort, self._descending = column, descending
        self._arrange()

    def select(self, key: str, *, by_hand: bool = False) -> bool:
        """Put the cursor on a row; False when it is not in sight."""
        if key not in self._order:
            return False
        if key != self._cursor:
            before, self._cursor = self._cursor, key
            self._refresh_rows({key, before} if before else {key})
            self.post_message(self.Moved(key, by_hand=by_hand))
        self._show_cursor()
        return True

    def clear_marks(self) -> None:
        if self._marks:
            self._marks.clear()
            self.refresh()
            self._told()

    def mark_all(self) -> None:
        """Mark everything in sight, or nothing when all of it is marked."""
        everything = set(self._order)
        self._marks = set() if everything <= self._marks else self._marks | everything
        self.refresh()
        self._told()

    def _told(self) -> None:
        self._subtitle()
        self.post_message(self.Marked())

    def _arrange(self) -> None:
        """Filter and sort anew, keeping the cursor on its row or at its place."""
        place = self._order.index(self._cursor) if self._cursor in self._order else 0
        wanted = self._filter.split()
        rows = [r for r in self._rows.values() if all(word in r.words for word in wanted)]
        rows.sort(key=self._table.name.order)
        if self._sort is not self._table.name or self._descending:
            rows.sort(key=self._sort.order, reverse=self._descending)
        self._order = [row.key for row in rows]
        self._longest = max((len(row.name) for row in rows), default=0)
        if self._cursor not in self._order:
            self._cursor = self._order[min(place, len(self._order) - 1)] if self._order else None
            self.post_message(self.Moved(self._cursor, by_hand=False))
        self.virtual_size = Size(0, len(self._order) + HEADER)
        self._layout_width = -1
        self._painted.clear()
        self._subtitle()
        self.refresh()

    def _subtitle(self) -> None:
        arrow = "↓" if self._descending else "↑"
        shown, total = len(self._order), len(self._rows)
        count = f"{total}" if shown == total else f"{shown} of {total}"
        marked = f"{len(self._marks)} marked · " if self._marks else ""
        matching = f" matching {units.plain(self._filter, 30)}" if self._filter else ""
        self.border_title = Content.assemble(self._head, matching)
        self.border_subtitle = f"{marked}{self._sort.title.lower()} {arrow} · {count}"

    # -- painting

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(f"list--{name}")
            if name not in ("row", "cursor"):
                # Of the others only the colour counts: the background is the row's.
                style = Style(color=style.color)
            self._styles[name] = style
        return style

    def _lay_out(self, width: int) -> None:
        if width != self._layout_width:
            self._layout_width = width
            room = max(1, width - table.LEAD - 1)
            self._layout = table.lay_out(self._table, room, self._longest)
            self._strips.clear()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        self._lay_out(width)
        if y < HEADER:
            return table.strip(table.header(self._layout, self._sort, self._style), width)
        index = y - HEADER + round(self.scroll_offset.y)
        if index >= len(self._order):
            return self._beyond(y, width)
        row = self._rows[self._order[index]]
        texts = self._painted[row.key] = self._texts(row, clock.now())
        here, marked = row.key == self._cursor, row.key in self._marks
        key = (row.key, row.look, texts, here, marked, self.has_focus, width)
        strip = self._strips.get(key)
        if strip is None:
            painted = table.line(
                row, texts, self._layout, self._style,
                here=here, focused=self.has_focus, marked=marked,
            )  # fmt: skip
            strip = self._strips[key] = table.strip(painted, width)
        return strip

    def _beyond(self, y: int, width: int) -> Strip:
        """Line ``y`` of the widget, below the last row."""
        return Strip.blank(width, self._style("row"))

    def _refresh_rows(self, keys: set[str]) -> None:
        top = round(self.scroll_offset.y)
        width, height = self.size
        for y in range(HEADER, height):
            index = top + y - HEADER
            if index >= len(self._order):
                break
            if self._order[index] in keys:
                self.refresh(Region(0, y, width, 1))

    def tick(self) -> None:
        """Time has passed: paint the rows in sight whose words change with it (ages, stages)."""
        top = round(self.scroll_offset.y)
        now = clock.now()
        stale = {
            key
            for key in self._order[top : top + self.size.height]
            if self._painted.get(key) != self._texts(self._rows[key], now)
        }
        if stale:
            self._refresh_rows(stale)

    def _texts(self, row: R, now: float) -> tuple[str, ...]:
        return tuple(column.text(row, now) for column, _, _ in self._layout.places)

    def _show_cursor(self) -> None:
        if self._cursor is None or self.size.height <= HEADER:
            return
        index = self._order.index(self._cursor)
        room = self.size.height - HEADER
        top = round(self.scroll_offset.y)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + room:
            self.scroll_to(y=index - room + 1, animate=False)

    # -- events

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < HEADER:
            column = self._layout.at(offset.x - table.LEAD)
            if column is not None:
                self.sort_by(column)
            return
        index = offset.y - HEADER + round(self.scroll_offset.y)
        if index < len(self._order):
            key = self._order[index]
            self.select(key, by_hand=True)
            if event.chain == 2:
                self.post_message(self.Opened(key))

    # -- actions

    def action_move(self, by: int) -> None:
        if self._order:
            here = self._order.index(self._cursor) if self._cursor in self._order else 0
            there = max(0, min(len(self._order) - 1, here + by))
            self.select(self._order[there], by_hand=True)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - HEADER - 1))

    def action_to(self, index: int) -> None:
        if self._order:
            self.select(self._order[index], by_hand=True)

    def action_mark(self) -> None:
        if self._cursor is not None:
            self._marks ^= {self._cursor}
            self._refresh_rows({self._cursor})
            self._told()
            self.action_move(1)

    def action_next_order(self) -> None:
        shown = [column for column, _, _ in self._layout.places]
        here = shown.index(self._sort) if self._sort in shown else -1
        column = shown[(here + 1) % len(shown)]
        self.sort_by(column, column.descending)

    def action_reverse(self) -> None:
        self.sort_by(self._sort)

    def action_open(self) -> None:
        if self._cursor is not None:
            self.post_message(self.Opened(self._cursor))
