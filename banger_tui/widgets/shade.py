"""The screen below a dialog, put into the shade.

Textual's own way blends every cell's colours anew for each frame, 20 ms for a terminal of 120 x 36;
a screen has only a few dozen styles, and each is blended once here.
"""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.strip import Strip


def shaded(strip: Strip, shade: Color) -> Strip:
    """The strip under a translucent colour; links and actions are gone."""
    return Strip(
        [
            Segment(text, _shaded(style, shade), control)
            for text, style, control in strip
            if not control
        ],
        strip.cell_length,
    )


@lru_cache(2048)
def _shaded(style: RichStyle | None, shade: Color) -> RichStyle:
    if style is None:
        return RichStyle()
    plain = style.clear_meta_and_links()
    over = RichStyle(
        color=None
        if style.color is None
        else (Color.from_rich_color(style.color) + shade).rich_color,
        bgcolor=None
        if style.bgcolor is None
        else (Color.from_rich_color(style.bgcolor) + shade).rich_color,
    )
    return plain + over
