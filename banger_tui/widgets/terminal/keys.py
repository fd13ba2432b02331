"""Key presses, pastes and mouse events as the bytes a guest's terminal would receive (xterm's).

Keys come in the naming of Textual's `events.Key`: modifiers and a base name joined by "+", such as
"a", "ctrl+c", "alt+shift+left", "ctrl+right_square_bracket". This module is pure: it imports
neither Textual nor an emulator.
"""

from __future__ import annotations

import re

from .core import CELL_PIXELS, Modes, Mouse, MouseFormat
from .key_names import (
    ALT,
    CTRL,
    CURSOR_KEYS,
    FUNCTION_KEYS,
    KEYPAD_KEYS,
    LEGACY,
    NUMBERED_KEYS,
    SHIFT,
    character_of,
    split,
)
from .kitty_keys import encode_kitty

_PLAIN_KEYS = {
    "enter": "\r", "return": "\r", "newline": "\n", "tab": "\t", "escape": "\x1b",
    "backspace": "\x7f", "space": " ",
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
    modifiers, base = split(key)
    if modifiers is None:
        return b""
    if modes.kitty_keyboard:
        data = encode_kitty(modifiers, base)
        if data is not None:
            return data
    if modifiers & ~LEGACY:
        return b""
    if base in CURSOR_KEYS:
        return _final(CURSOR_KEYS[base], modifiers, ss3=modes.application_cursor)
    if base in FUNCTION_KEYS:
        return _final(FUNCTION_KEYS[base], modifiers, ss3=True)
    if base in NUMBERED_KEYS:
        parameter = f";{modifiers + 1}" if modifiers else ""
        return f"\x1b[{NUMBERED_KEYS[base]}{parameter}~".encode()
    if base in KEYPAD_KEYS:
        return _keypad(KEYPAD_KEYS[base], application=modes.application_keypad)
    escape = b"\x1b" if modifiers & ALT else b""
    if base == "tab" and modifiers & SHIFT:
        return escape + b"\x1b[Z"
    if base == "backspace" and modifiers & CTRL:
        return escape + b"\x08"
    if base in _PLAIN_KEYS and not (base == "space" and modifiers & CTRL):
        return escape + _PLAIN_KEYS[base].encode()
    if character is not None and not (len(character) == 1 and character.isprintable()):
        character = None
    text = character_of(base) or (None if modifiers & CTRL else character)
    if text is None:
        return b""
    if modifiers & CTRL:
        return escape + _control(text)
    if not modifiers and character:
        text = character
    if modifiers & SHIFT:
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
    if modes.mouse_format is MouseFormat.SGR_PIXELS:  # the middle of the cell
        x, y = (place * size + size // 2 for place, size in zip((x, y), CELL_PIXELS, strict=True))
    if modes.mouse_format in (MouseFormat.SGR, MouseFormat.SGR_PIXELS):
        return f"\x1b[<{code};{x + 1};{y + 1}{'M' if pressed or motion else 'm'}".encode()
    if not pressed and not motion:
        code = code & ~3 | 3
    if modes.mouse_format is MouseFormat.URXVT:
        return f"\x1b[{code + 32};{x + 1};{y + 1}M".encode()
    if modes.mouse_format is MouseFormat.UTF8:
        if x > 2014 or y > 2014:
            return b""
        return b"\x1b[M" + "".join(map(chr, (code + 32, x + 33, y + 33))).encode()
    if x > 222 or y > 222:
        return b""
    return b"\x1b[M" + bytes((code + 32, x + 33, y + 33))


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


def _keypad(text: str, *, application: bool) -> bytes:
    if not application:
        return _utf8(text)
    return b"\x1bO" + (b"X" if text == "=" else bytes((ord(text) + 64,)))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "ignore")
