"""The one key that is not the guest's, and what the key after it means."""

from __future__ import annotations

LEADER = "ctrl+right_square_bracket"

VIEW_COMMANDS = {"/": "search", "[": "scroll", "c": "copy", "p": "paste"}
"""Characters after the leader that the terminal itself obeys."""

SCREEN_COMMANDS = {
    "d": "detach",
    "f": "full_screen",
    "n": "next_tab",
    "N": "previous_tab",
    **{str(number): f"tab:{number}" for number in range(1, 10)},
    "|": "split",
    "o": "other",
    "s": "new_shell",
    "x": "close",
    "t": "take",
    "r": "fit",
    "y": "allow_clipboard",
    "?": "help",
}
"""Characters after the leader that are told to the screen as `messages.Command`."""

MENU = "d leave  f full  / search  [ scroll  c copy  p paste  ? help"

_CHARACTERS = {"right_square_bracket": "]", "left_square_bracket": "[", "backslash": "\\"}


def shown(key: str) -> str:
    """A key of Textual's naming as hints write it: `ctrl+]`."""
    modifiers, plus, base = key.rpartition("+")
    return f"{modifiers}{plus}{_CHARACTERS.get(base, base)}"
