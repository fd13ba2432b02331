"""Key names as Textual gives them: modifiers and a base name joined by "+"."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

SHIFT, ALT, CTRL, SUPER, HYPER = 1, 2, 4, 8, 16
"""Modifier bits, as both xterm and the kitty protocol number them."""

LEGACY = SHIFT | ALT | CTRL
"""The modifiers that a terminal without the kitty protocol can send."""

_MODIFIERS = {
    "shift": SHIFT, "alt": ALT, "meta": ALT, "ctrl": CTRL, "super": SUPER, "hyper": HYPER,
}  # fmt: skip

CURSOR_KEYS = {
    "up": "A", "down": "B", "right": "C", "left": "D", "kp_begin": "E", "end": "F", "home": "H",
}  # fmt: skip
FUNCTION_KEYS = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
NUMBERED_KEYS = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24,
    "f13": 25, "f14": 26, "f15": 28, "f16": 29, "f17": 31, "f18": 32, "f19": 33, "f20": 34,
}  # fmt: skip
KEYPAD_KEYS = {
    "multiply": "*", "add": "+", "separator": ",", "subtract": "-", "decimal": ".",
    "divide": "/", "equal": "=",
}  # fmt: skip
"""Keys of the keypad whose names tell them from others, with what they write."""

_NAMED_CHARACTERS = {
    "at": "@", "slash": "/", "backslash": "\\", "minus": "-", "plus": "+", "underscore": "_",
    "full_stop": ".", "less_than_sign": "<", "equals_sign": "=", "greater_than_sign": ">",
    "hyphen_minus": "-",
}  # fmt: skip


def split(key: str) -> tuple[int | None, str]:
    """Modifier bits and base name; None for modifiers nobody knows."""
    if key == "+" or key.endswith("++"):
        prefix, base = key[:-2], "plus"
    else:
        prefix, _, base = key.rpartition("+")
    bits = 0
    for name in filter(None, prefix.split("+")):
        if name not in _MODIFIERS:
            return None, base
        bits |= _MODIFIERS[name]
    return bits, base


@lru_cache(maxsize=512)
def character_of(base: str) -> str | None:
    """The character of a base name, the reverse of Textual's naming."""
    if len(base) == 1:
        return base
    if base == "space":
        return " "
    if base in _NAMED_CHARACTERS:
        return _NAMED_CHARACTERS[base]
    try:
        return unicodedata.lookup(base.replace("_", " ").upper())
    except KeyError:
        return None
