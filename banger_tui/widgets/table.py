"""The columns of a list: which there is room for, and how a row is painted in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from banger_tui.widgets.states import Look

GAP = 2
#: Cells before the first column: cursor bar, mark, glyph, space.
LEAD = 4
NAME_MIN, NAME_MAX = 8, 30


class Row(Protocol):
    """What every row has; ``key`` is unique in its list."""

    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def look(self) -> Look:
        """Glyph and tone of its state."""
        ...

    @property
    def words(self) -> str:
        """What a filter is looked for in; lower case."""
        ...


R = TypeVar("R", bound=Row)

#: The style of a part by the last word of its component class, e.g. "faint".
Styles = Callable[[str], Style]


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: how wide, on which side its text stands, what it says and how it sorts."""

    id: str
    title: str
    width: int
    right: bool
    text: Callable[[R, float], str]
    order: Callable[[R], Any]
    descending: bool = False
    """The direction of the first click: numbers start with the largest."""
    state: bool = False
    """It has the tone of the row's state, and a long text takes the empty cells to its right."""


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """The columns of a list, the first of them the name. Of the others those at the end go when
    there is no room; ``grows`` is the one that gets what is left over."""

    title: str
    columns: tuple[Column[R], ...]
    grows: str

    @property
    def name(self) -> Column[R]:
        return self.columns[0]


@dataclass(frozen=True, slots=True)
class Layout(Generic[R]):
    """The columns that fit: (column, x, width) from left to right."""

    places: tuple[tuple[Column[R], int, int], ...]

    def at(self, x: int) -> Column[R] | None:
        """The column under a cell."""
        for column, start, width in self.places:
            if start <= x < start + width + GAP:
                return column
        return None


def lay_out(table: Table[R], width: int, longest_name: int) -> Layout[R]:
    """Fill ``width`` cells: the name first, then what fits; what is left over goes to the name as
    far as it is longer, then to the column that grows, or to the last where that has no room."""
    name = min(max(NAME_MIN, min(longest_name, NAME_MAX)), max(1, width))
    left = width - name
    chosen: list[Column[R]] = []
    for column in table.columns[1:]:
        if column.width + GAP > left:
            break
        chosen.append(column)
        left -= column.width + GAP
    grown = min(left, max(0, longest_name - name))
    name += grown
    left -= grown
    grows = next((c for c in chosen if c.id == table.grows), chosen[-1] if chosen else None)
    places = [(table.name, 0, name)]
    x = name + GAP
    for column in chosen:
        room = column.width + (left if column is grows else 0)
        places.append((column, x, room))
        x += room + GAP
    return Layout(tuple(places))


def header(layout: Layout[R], sort: Column[R], styles: Styles) -> list[Segment]:
    """The titles of the columns, the one sorted by accented."""
    base = styles("row")
    segments = [Segment(" " * LEAD, base)]
    for column, _, room in layout.places:
        style = base + styles("accent" if column is sort else "header")
        segments.append(Segment(_cell(column.title, room, column.right), style))
        segments.append(Segment(" " * GAP, base))
    return segments


def line(
    row: R,
    texts: Sequence[str],
    layout: Layout[R],
    styles: Styles,
    *,
    here: bool,
    focused: bool,
    marked: bool,
) -> list[Segment]:
    """One row; ``texts`` are its columns', ``here``: the cursor is on it."""
    base = styles("row")
    if here:
        base = base + styles("cursor")
    tone = base + styles(row.look.tone)
    faint = base + styles("faint")
    accent = base + styles("accent")
    bar = "▌" if here and focused else ("│" if here else " ")
    segments = [
        Segment(bar, accent),
        Segment("✓" if marked else " ", accent),
        Segment(f"{row.look.glyph} ", tone),
    ]
    for column, text, room in _cells(texts, layout):
        if column.id == "name":
            style = base + Style(bold=True) if here or marked else base
        else:
            style = tone if column.state else faint
        segments.append(Segment(_cell(text, room, column.right), style))
        segments.append(Segment(" " * GAP, base))
    return segments


def strip(segments: list[Segment], width: int) -> Strip:
    """The segments as a line of ``width`` cells; what is left over looks like the last of them."""
    return Strip(segments).adjust_cell_length(width, segments[-1].style)


def _cells(texts: Sequence[str], layout: Layout[R]) -> Iterator[tuple[Column[R], str, int]]:
    """Column, text and width of a row; a long state takes the empty cells to its right."""
    cells: list[tuple[Column[R], str, int]] = []
    for (column, _, room), text in zip(layout.places, texts, strict=True):
        if cells and not text:
            before, said, width = cells[-1]
            if before.state and len(said) > width:
                cells[-1] = (before, said, width + GAP + room)
                continue
        cells.append((column, text, room))
    yield from cells


def _cell(text: str, width: int, right: bool) -> str:
    if len(text) > width:
        text = text[: width - 1] + "…" if width > 1 else text[:width]
    return text.rjust(width) if right else text.ljust(width)
