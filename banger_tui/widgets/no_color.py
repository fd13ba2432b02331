"""NO_COLOR: no colour at all is written; what colours say is said by attributes instead.

Textual's own filter writes greys, which are colours too (no-color.org). Here the theme is black and
white, so that a style's brightness tells what it means: faint text becomes dim, a bright background
becomes reverse video. The style sheet's ``:nocolor`` rules say the rest.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

BLACK_AND_WHITE = Theme(
    name="no-color",
    primary="#FFFFFF",
    secondary="#FFFFFF",
    accent="#FFFFFF",
    success="#FFFFFF",
    warning="#FFFFFF",
    error="#FFFFFF",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
)

_FAINT = 200  # of 255: greys below it are dim
_BRIGHT = 110  # of 255: backgrounds with a channel above it are reverse video
_GREY = 16  # of 255: channels of a grey differ by less


@lru_cache(4096)
def plain_style(style: Style) -> Style:
    """The style without its colours; links, actions and attributes stay."""
    reverse = bool(style.reverse) ^ _is_bright(style.bgcolor)
    dim = not reverse and (bool(style.dim) or _is_faint(style.color))
    plain = style.without_color + Style(reverse=reverse, dim=dim)
    return plain + Style.from_meta(style.meta) if style.meta else plain


class WithoutColors(LineFilter):
    """Puts attributes in the place of colours."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else plain_style(style), control)
            for text, style, control in segments
        ]


def _is_faint(color: RichColor | None) -> bool:
    if color is None or color.is_default:
        return False
    channels = color.get_truecolor(DEFAULT_TERMINAL_THEME, foreground=True)
    # What a guest's program paints in a dark colour is no less worth reading.
    return max(channels) < _FAINT and max(channels) - min(channels) < _GREY


def _is_bright(color: RichColor | None) -> bool:
    if color is None or color.is_default:
        return False
    return max(color.get_truecolor(DEFAULT_TERMINAL_THEME, foreground=False)) > _BRIGHT
