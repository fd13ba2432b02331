"""Keys in the kitty keyboard protocol, as far as the "disambiguate" flag (1) asks.

Keys that write text send it; all others send one sequence each, so that a guest can tell escape
from the start of a sequence, ctrl+i from tab and shift+enter from enter. The flags for key
releases, alternate keys and text as sequences are not offered: the host's terminal says too
little about keys. See https://sw.kovidgoyal.net/kitty/keyboard-protocol/.
"""

from __future__ import annotations

from .key_names import (
    CURSOR_KEYS,
    FUNCTION_KEYS,
    NUMBERED_KEYS,
    SHIFT,
    character_of,
)

_CODED_KEYS = {
    "escape": 27, "enter": 13, "return": 13, "tab": 9, "backspace": 127,
    "scroll_lock": 57359, "num_lock": 57360, "print_screen": 57361, "pause": 57362,
    "menu": 57363, "f13": 57376, "f14": 57377, "f15": 57378, "f16": 57379, "f17": 57380,
    "f18": 57381, "f19": 57382, "f20": 57383, "f21": 57384, "f22": 57385, "f23": 57386,
    "f24": 57387, "f25": 57388, "f26": 57389, "f27": 57390, "f28": 57391, "f29": 57392,
    "f30": 57393, "f31": 57394, "f32": 57395, "f33": 57396, "f34": 57397, "f35": 57398,
}  # fmt: skip
_PLAIN_UNMODIFIED = frozenset({"enter", "return", "tab", "backspace"})
"""Sent as ever when pressed alone, so that a shell is usable after a program that crashed."""


def encode_kitty(modifiers: int, base: str) -> bytes | None:
    """The sequence of a key; None when the key is sent as it is without the protocol."""
    if base in _CODED_KEYS:
        if not modifiers and base in _PLAIN_UNMODIFIED:
            return None
        return _sequence(_CODED_KEYS[base], modifiers, "u")
    if base == "f3":  # its letter would look like a cursor position report
        return _sequence(13, modifiers, "~")
    if base in CURSOR_KEYS or base in FUNCTION_KEYS:
        letter = CURSOR_KEYS.get(base) or FUNCTION_KEYS[base]
        return _sequence(1, modifiers, letter) if modifiers else f"\x1b[{letter}".encode()
    if base in NUMBERED_KEYS:
        return _sequence(NUMBERED_KEYS[base], modifiers, "~")
    text = character_of(base)
    if text is None or not modifiers & ~SHIFT:
        return None
    if text != text.lower() and len(text.lower()) == 1:
        modifiers, text = modifiers | SHIFT, text.lower()
    return _sequence(ord(text), modifiers, "u")


def _sequence(number: int, modifiers: int, final: str) -> bytes:
    parameter = f";{modifiers + 1}" if modifiers else ""
    return f"\x1b[{number}{parameter}{final}".encode()
