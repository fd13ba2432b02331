"""The sixteen colours that programs ask for by number: Tango's, which most people know from their
own terminal. Textual's are made to go with a theme, and its blue, which is violet, surprises in a
file manager."""

from __future__ import annotations

from typing import Final

from rich.terminal_theme import TerminalTheme

_NORMAL: Final = [
    (46, 52, 54), (204, 0, 0), (78, 154, 6), (196, 160, 0),
    (52, 101, 164), (117, 80, 123), (6, 152, 154), (211, 215, 207),
]  # fmt: skip
_BRIGHT: Final = [
    (85, 87, 83), (239, 41, 41), (138, 226, 52), (252, 233, 79),
    (114, 159, 207), (173, 127, 168), (52, 226, 226), (238, 238, 236),
]  # fmt: skip

DARK: Final = TerminalTheme((20, 23, 28), (214, 218, 224), _NORMAL, _BRIGHT)
LIGHT: Final = TerminalTheme((250, 250, 250), (40, 44, 52), _NORMAL, _BRIGHT)
