"""Key presses, pastes and mouse events as the bytes a guest's terminal would receive (xterm's).

Keys come in the naming of Textual's `events.Key`: modifiers and a base name joined by "+", such as
"a", "ctrl+c", "alt+shift+left", "ctrl+right_square_bracket". This module is pure: it imports
neither Textual nor an emulator.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .core import Modes, Mouse

_SHIFT, _ALT, _CTRL = 1, 2, 4
_MODIFIERS = {"shift": _SHIFT, "alt": _ALT, "meta": _ALT, "ctrl": _CTRL}

_CURSOR_KEYS = {
    "up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H",
}  # fmt: skip
_FUNCTION_SS3 = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_NUMBERED_KEYS = {
    "insert": 2, "delete": 3, "pageup": 5, "pagedown": 6,
    "f5": 15, "f6": 17, "f7": 18, "f8": 19, "f9": 20, "f10": 21, "f11": 23, "f12": 24,
    "f13": 25, "f14": 26, "f15": 28, "f16": 29, "f17": 31, "f18": 32, "f19": 33, "f20": 34,
}  # fmt: skip
_PLAIN_KEYS = {
    "enter": "\r", "return": "\r", "newline": "\n", "tab": "\t", "escape": "\x1b",
    "backspace": "\x7f", "space": " ",
}  # fmt: skip
_NAMED_CHARACTERS = {
    "at": "@", "slash": "/", "backslash": "\\", "minus": "-", "plus": "+", "underscore": "_",
    "full_stop": ".", "less_than_sign": "<", "equals_sign": "=", "greater_than_sign": ">",
    "hyphen_minus": "-",
}  # fmt: skip
_CONTROL_CHARACTERS = {
    " ": 0, "@": 0, "`": 0, "2": 0, "[": 27, "3": 27, "\\": 28, "4": 28, "]": 29, "5": 29,
    "^": 30, "6": 30, "~": 30, "_": 31, "7": 31, "/": 31, "-": 31, "?": 127, "8": 127,
}  # fmt: skip

_PASTE_BRACKETS = re.compile("\x1b\\[20[01]~")
_PASTE_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def encode_key(key: str, character: str | None, modes: Modes) -> bytes:
    """The bytes of one key press; empty for keys a terminal does not send."""
    if character is not None and len(key) == 1:
        return _utf8(character)
    modifiers, base = _split(key)
    if modifiers is None:
        return b""
    if base in _CURSOR_KEYS:
        return _final(_CURSOR_KEYS[base], modifiers, ss3=modes.application_cursor)
    if base in _FUNCTION_SS3:
        return _final(_FUNCTION_SS3[base], modifiers, ss3=True)
    if base in _NUMBERED_KEYS:
        parameter = f";{modifiers + 1}" if modifiers else ""
        return f"\x1b[{_NUMBERED_KEYS[base]}{parameter}~".encode()
    escape = b"\x1b" if modifiers & _ALT else b""
    if base == "tab" and modifiers & _SHIFT:
        return escape + b"\x1b[Z"
    if base == "backspace" and modifiers & _CTRL:
        return escape + b"\x08"
    if base in _PLAIN_KEYS and not (base == "space" and modifiers & _CTRL):
        return escape + _PLAIN_KEYS[base].encode()
    if character is not None and not (len(character) == 1 and character.isprintable()):
        character = None
    text = _character(base) or (None if modifiers & _CTRL else character)
    if text is None:
        return b""
    if modifiers & _CTRL:
        return escape + _control(text)
    if not modifiers and character:
        text = character
    if modifiers & _SHIFT:
        text = text.upper()
    return escape + _utf8(text)


def encode_paste(text: str, modes: Modes) -> bytes:
    """Pasted text, in brackets when the guest asked for them.

    Escape and all other controls but tab and line ends are removed, so that a paste can neither
    end its own brackets nor press keys. Line ends become the enter key, as terminals do.
    """
    previous = None
    while previous != text:  # removing one sequence may join the halves of another
        previous, text = text, _PASTE_BRACKETS.sub("", text)
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    data = _utf8(_PASTE_UNSAFE.sub("", text))
    if not data:
        return b""
    return b"\x1b[200~" + data + b"\x1b[201~" if modes.bracketed_paste else data


WHEEL_UP, WHEEL_DOWN = 64, 65


def encode_mouse(
    button: int,
    x: int,
    y: int,
    modes: Modes,
    *,
    pressed: bool,
    motion: bool = False,
    shift: bool = False,
    meta: bool = False,
    ctrl: bool = False,
) -> bytes:
    """One mouse event at cell (x, y) from 0; empty when the guest did not ask for its kind.

    `button` is 0 left, 1 middle, 2 right, 3 none (motion only), `WHEEL_UP` or `WHEEL_DOWN`.
    """
    needed = Mouse.PRESS if pressed else Mouse.BUTTONS
    if motion:
        needed = Mouse.MOTION if button == 3 else Mouse.DRAG
    if modes.mouse < needed or x < 0 or y < 0:
        return b""
    code = button | (32 if motion else 0)
    if modes.mouse > Mouse.PRESS:
        code |= (4 if shift else 0) | (8 if meta else 0) | (16 if ctrl else 0)
    if modes.mouse_sgr:
        return f"\x1b[<{code};{x + 1};{y + 1}{'M' if pressed or motion else 'm'}".encode()
    if x > 222 or y > 222:
        return b""
    if not pressed and not motion:
        code = code & ~3 | 3
    return b"\x1b[M" + bytes((code + 32, x + 33, y + 33))


def _split(key: str) -> tuple[int | None, str]:
    """Modifier bits and base name; None for modifiers a terminal has no way to send."""
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
def _character(base: str) -> str | None:
    """The character of a key name, the reverse of Textual's naming."""
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


def _control(text: str) -> bytes:
    if text.isascii() and text.isalpha():
        return bytes((ord(text.lower()) & 31,))
    if text in _CONTROL_CHARACTERS:
        return bytes((_CONTROL_CHARACTERS[text],))
    return _utf8(text)


def _final(letter: str, modifiers: int, *, ss3: bool) -> bytes:
    if modifiers:
        return f"\x1b[1;{modifiers + 1}{letter}".encode()
    return f"\x1b{'O' if ss3 else '['}{letter}".encode()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "ignore")
