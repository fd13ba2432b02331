"""bittty's cells as runs of styled text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .core import PLAIN, Attr, CellStyle, Color, Row, Run
from .glyphs import safe_cells, safe_cluster

_MAX_STYLES = 4096
_ATTRIBUTES = {
    "bold": Attr.BOLD, "dim": Attr.DIM, "italic": Attr.ITALIC, "underline": Attr.UNDERLINE,
    "blink": Attr.BLINK, "reverse": Attr.REVERSE, "conceal": Attr.CONCEAL,
    "strike": Attr.STRIKE, "overline": Attr.OVERLINE,
}  # fmt: skip


class RowMaker:
    """Makes rows, and remembers the styles it has met."""

    def __init__(self) -> None:
        self._styles: dict[Any, CellStyle] = {}

    def row(self, cells: Sequence[Any], cols: int) -> Row:
        """A row of `cols` columns from (style, character) cells: cut or filled up."""
        runs: list[Run] = []
        text, current, x = "", None, 0
        while x < min(cols, len(cells)):
            style, character = cells[x]
            wide = x + 1 < len(cells) and cells[x + 1][1] == ""
            if style is not current or wide or len(character) != 1:
                if text:
                    runs.append(Run(safe_cells(text), self._style(current), len(text)))
                    text = ""
                current = style
            if wide and x + 1 < cols:
                runs.append(Run(safe_cluster(str(character)), self._style(style), 2))
                x += 1
            elif len(character) > 1 and not wide:
                runs.append(Run(safe_cluster(str(character)), self._style(style), 1))
            else:
                text += character if len(character) == 1 and not wide else " "
            x += 1
        if text:
            runs.append(Run(safe_cells(text), self._style(current), len(text)))
        if x < cols:
            runs.append(Run(" " * (cols - x), PLAIN, cols - x))
        return tuple(runs)

    def _style(self, style: Any) -> CellStyle:
        found = self._styles.get(style)
        if found is None:
            if len(self._styles) >= _MAX_STYLES:
                self._styles.clear()
            attrs = 0
            for name, attr in _ATTRIBUTES.items():
                attrs |= int(attr) if getattr(style, name) else 0
            if attrs & Attr.UNDERLINE and style.underline_style == "double":
                attrs |= Attr.DOUBLE_UNDERLINE
            if style.hyperlink:
                attrs |= Attr.LINK
            found = CellStyle(_color(style.fg), _color(style.bg), attrs)
            self._styles[style] = found
        return found


def characters_of(cells: Sequence[Any]) -> list[str]:
    """What each column shows, harmless to copy; "" for the right half of a wide character."""
    return [
        str(character) if len(character) == 1 and character.isprintable()
        else safe_cluster(str(character)) if character else ""
        for _, character in cells
    ]  # fmt: skip


def _color(color: Any) -> Color | None:
    if color is None or color.mode == "default":
        return None
    if color.mode == "indexed":
        return int(color.value) & 255
    red, green, blue = (int(part) & 255 for part in color.value)
    return red, green, blue
