"""How the machine list's header and its rows are painted: segments from texts, nothing kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from banger_tui.widgets import columns
from banger_tui.widgets.rows import MachineRow
from banger_tui.widgets.states import MACHINES

#: Cells before the first column: cursor bar, mark, glyph, space.
LEAD = 4

#: The style of a part by the last word of its component class, e.g. "faint".
Styles = Callable[[str], Style]


def header(layout: columns.Layout, sort: columns.Column, styles: Styles) -> list[Segment]:
    """The titles of the columns, the one sorted by accented."""
    base = styles("row")
    segments = [Segment(" " * LEAD, base)]
    for column, _, room in layout.places:
        style = base + styles("accent" if column is sort else "header")
        segments.append(Segment(_cell(column.title, room, column.right), style))
        segments.append(Segment(" " * columns.GAP, base))
    return segments


def line(
    row: MachineRow,
    texts: Sequence[str],
    layout: columns.Layout,
    styles: Styles,
    *,
    here: bool,
    focused: bool,
    marked: bool,
) -> list[Segment]:
    """One machine; ``texts`` are its columns', ``here``: the cursor is on it."""
    base = styles("row")
    if here:
        base = base + styles("cursor")
    look = MACHINES[row.state]
    tone = base + styles(look.tone)
    faint = base + styles("faint")
    accent = base + styles("accent")
    bar = "▌" if here and focused else ("│" if here else " ")
    segments = [
        Segment(bar, accent),
        Segment("✓" if marked else " ", accent),
        Segment(f"{look.glyph} ", tone),
    ]
    for column, text, room in _cells(texts, layout):
        if column.id == "name":
            style = base + Style(bold=True) if here or marked else base
        elif column.id == "state":
            style = tone
        else:
            style = faint
        segments.append(Segment(_cell(text, room, column.right), style))
        segments.append(Segment(" " * columns.GAP, base))
    return segments


def strip(segments: list[Segment], width: int) -> Strip:
    """The segments as a line of ``width`` cells; what is left over looks like the last of them."""
    return Strip(segments).adjust_cell_length(width, segments[-1].style)


def _cells(
    texts: Sequence[str], layout: columns.Layout
) -> Iterator[tuple[columns.Column, str, int]]:
    """Column, text and width of a row; a long state takes the empty cells to its right."""
    cells: list[tuple[columns.Column, str, int]] = []
    for (column, _, room), text in zip(layout.places, texts, strict=True):
        if cells and not text:
            before, said, width = cells[-1]
            if before.id == "state" and len(said) > width:
                cells[-1] = (before, said, width + columns.GAP + room)
                continue
        cells.append((column, text, room))
    yield from cells


def _cell(text: str, width: int, right: bool) -> str:
    if len(text) > width:
        text = text[: width - 1] + "…" if width > 1 else text[:width]
    return text.rjust(width) if right else text.ljust(width)
