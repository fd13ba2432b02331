"""Rows of the emulator as Textual strips.

Default colours are left out of the styles, so that the theme shows through. The cells a strip
takes are those of the grid whatever the guest wrote: text that rich measures differently from the
emulator would otherwise shift everything to its right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from .core import Attr, CellStyle, Color, CursorShape, Mark, MarkKind, Row
from .glyphs import REPLACEMENT

_BAR = "\u258f"


@lru_cache(maxsize=4096)
def rich_style(style: CellStyle) -> Style:
    """The rich style of a cell style; attributes not set stay open, for the theme."""
    attrs = style.attrs

    def on(attr: Attr) -> bool | None:
        return True if attrs & attr else None

    double = attrs & Attr.DOUBLE_UNDERLINE
    return Style(
        color=_color(style.fg),
        bgcolor=_color(style.bg),
        bold=on(Attr.BOLD),
        dim=on(Attr.DIM),
        italic=on(Attr.ITALIC),
        underline=None if double else on(Attr.UNDERLINE | Attr.LINK),
        underline2=on(Attr.DOUBLE_UNDERLINE),
        blink=on(Attr.BLINK),
        reverse=on(Attr.REVERSE),
        strike=on(Attr.STRIKE),
        overline=on(Attr.OVERLINE),
    )


def row_strip(row: Row) -> Strip:
    """One row as a strip of exactly the row's cells."""
    segments: list[Segment] = []
    total = 0
    text, previous = "", None
    for run_text, style, cells in row:
        total += cells
        if style.attrs & Attr.CONCEAL:
            # Terminals differ in whether they hide concealed text; blanks always do.
            fitted = " " * cells
        elif run_text.isascii():
            fitted = run_text
        else:
            fitted = fit(run_text, cells)
        if style is not previous and style != previous:
            if previous is not None:
                segments.append(Segment(text, rich_style(previous)))
            text, previous = fitted, style
        else:
            text += fitted
    if previous is not None:
        segments.append(Segment(text, rich_style(previous)))
    return Strip(segments, total)


@lru_cache(maxsize=4096)
def fit(text: str, cells: int) -> str:
    """`text` changed as little as needed for rich to measure it as `cells` columns."""
    if cell_len(text) == cells:
        return text
    if cells in (len(text), 2 * len(text)):
        width = cells // len(text)
        return "".join(_fit_cluster(c, width) for c in text)
    return _fit_cluster(text, cells)


def _fit_cluster(text: str, cells: int) -> str:
    # Variation selectors and joined emoji are what widths differ about: try the bare character.
    for candidate in (text, text[:1]):
        width = cell_len(candidate)
        if width == cells:
            return candidate
        if 0 < width < cells:
            return candidate + " " * (cells - width)
    return REPLACEMENT + " " * (cells - 1)


def with_cursor(
    strip: Strip, x: int, *, focused: bool, shape: CursorShape = CursorShape.BLOCK
) -> Strip:
    """`strip` with the cursor on column `x`, dim underlined when not focused.

    On a wide character the cursor covers all of it. A bar is drawn in a blank cell; on a
    character it is an underlined block, since no cell can hold both.
    """
    if not 0 <= x < strip.cell_length:
        return strip
    segments: list[Segment] = []
    start = 0
    for segment in strip:
        end = start + segment.cell_length
        if start <= x < end:
            before, under, after = _split_at(segment, x - start)
            marked = _cursor_on(under, focused=focused, shape=shape)
            segments += [part for part in (before, marked, after) if part.text]
        else:
            segments.append(segment)
        start = end
    return Strip(segments, strip.cell_length)


def _cursor_on(cell: Segment, *, focused: bool, shape: CursorShape) -> Segment:
    style = cell.style or Style.null()
    reversed_ = Style(reverse=not style.reverse)
    # On underlined text a second line is what can be seen.
    underlined = Style(underline2=True) if style.underline else Style(underline=True)
    if not focused:
        return Segment(cell.text, style + underlined + Style(dim=True))
    if shape is CursorShape.UNDERLINE:
        return Segment(cell.text, style + underlined + Style(bold=True))
    if shape is CursorShape.BAR:
        if cell.text == " " and not style.reverse:
            return Segment(_BAR, style + Style(bold=True))
        return Segment(cell.text, style + reversed_ + underlined)
    return Segment(cell.text, style + reversed_)


def with_marks(strip: Strip, marks: Sequence[Mark], looks: Mapping[MarkKind, Style]) -> Strip:
    """`strip` with marked columns shown in the looks of their kinds; the highest kind wins.

    Where a look is reversed, text that the guest reversed is turned back.
    """
    length = strip.cell_length
    edges = {min(max(edge, 0), length) for mark in marks for edge in (mark.start, mark.end)}
    cuts = sorted(edges | {length})
    segments: list[Segment] = []
    start = 0
    for end, part in zip(cuts, strip.divide(cuts), strict=True):
        kind = max((m.kind for m in marks if m.start <= start and end <= m.end), default=None)
        if kind is None or start == end:
            segments += part
        else:
            look = looks[kind]
            for segment in part:
                style = segment.style or Style.null()
                turned = Style(reverse=not style.reverse) if look.reverse else Style.null()
                segments.append(Segment(segment.text, style + look + turned))
        start = end
    return Strip(segments, length)


def _split_at(segment: Segment, x: int) -> tuple[Segment, Segment, Segment]:
    """What is before, at and after column `x`, never cutting a wide character in two."""
    before, rest = segment.split_cells(x)
    if before.text + rest.text != segment.text:
        before, rest = segment.split_cells(x - 1)
    at, after = rest.split_cells(1)
    if at.text + after.text != rest.text:
        at, after = rest.split_cells(2)
    return before, at, after


def _color(color: Color | None) -> RichColor | None:
    if color is None:
        return None
    if isinstance(color, int):
        return RichColor.from_ansi(color)
    return RichColor.from_rgb(*color)
