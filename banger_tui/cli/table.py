"""Aligned columns without borders. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from banger_tui.cli.style import Style
from banger_tui.cli.text import cells, fit, padded, printable

_GAP = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and its colours; ``text`` may come from anywhere and is made printable."""

    text: str
    colours: tuple[str, ...] = ()


def render(
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell | str]],
    style: Style,
    width: int | None = None,
) -> list[str]:
    """Lines of a table; a header that begins with ``>`` means a column aligned to the right.

    A column without any value is left out.

    Args:
        width: columns of the terminal. The widest cells of the last column are cut to it; then
            columns go, the last first, and the first one never. None: as wide as it gets.
    """
    grid = [[_cell(value) for value in row] for row in rows]
    filled = [i for i in range(len(headers)) if i == 0 or any(row[i].text for row in grid)]
    grid = [[row[i] for i in filled] for row in grid]
    right = [headers[i].startswith(">") for i in filled]
    names = [headers[i].lstrip(">") for i in filled]
    widths = [
        max([cells(name), *(cells(row[i].text) for row in grid)]) for i, name in enumerate(names)
    ]
    shown = len(names)
    if width is not None:
        while shown > 1 and _total(widths[:shown]) - widths[shown - 1] + 8 > width:
            shown -= 1
        widths[shown - 1] = min(
            widths[shown - 1], max(1, width - _total(widths[: shown - 1], True))
        )
    lines = [_line([Cell(name, ("dim",)) for name in names[:shown]], widths, right, style)]
    lines += [_line(row[:shown], widths, right, style) for row in grid]
    return lines


def pairs(values: Sequence[tuple[str, str]], style: Style) -> list[str]:
    """Names and values below each other; a pair without a value is left out."""
    named = [(name, value) for name, value in values if value]
    width = max((cells(name) for name, _ in named), default=0)
    return [
        f"{style.paint(padded(name, width), 'dim')}  {style.glyphs(value)}" for name, value in named
    ]


def _cell(value: Cell | str) -> Cell:
    cell = Cell(value) if isinstance(value, str) else value
    return Cell(printable(cell.text), cell.colours)


def _total(widths: Sequence[int], trailing: bool = False) -> int:
    return sum(widths) + _GAP * (len(widths) - (0 if trailing else 1))


def _line(row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool], style: Style) -> str:
    parts = []
    for i, cell in enumerate(row):
        text = fit(cell.text, widths[i])
        blanks = " " * (widths[i] - cells(text))
        painted = style.paint(style.glyphs(text), *cell.colours)
        last = i == len(row) - 1
        parts.append(blanks + painted if right[i] else painted if last else painted + blanks)
    return (" " * _GAP).join(parts).rstrip()
