"""Which answers of an emulator may reach the guest.

Whoever makes a guest print something can have it asked anything, and the answer is typed into
whatever reads the keyboard then: often a shell. So only known forms pass, made of numbers and
names the emulator chose; none holds a line end or text the guest chose. Titles, the answerback
string, the clipboard, terminfo strings and image replies are never sent.

Colours (OSC 4, 10 to 12) are told in the one form `rgb:` and digits: a fixed palette and a light
text on a dark ground, whatever the theme, or what the guest itself made of them.
"""

from __future__ import annotations

import re

KITTY_KEYBOARD_FLAGS = 1
"""The parts of the kitty keyboard protocol that `keys.encode_key` knows: only "disambiguate"."""

NAME = b"banger-tui"

_VERSION = re.compile(rb"\x1bP>\|[\x20-\x7e]*\x1b\\")
_KITTY_KEYBOARD = re.compile(rb"\x1b\[\?(\d{1,3})u")
_KNOWN = re.compile(
    rb"\x1b\[[?>]?[\d;:]{1,40}\$?[cnRyt]"  # attributes, status, cursor, modes, sizes
    rb"|\x1bP!\|[0-9A-F]{8}\x1b\\"  # the unit's number
    rb"|\x1bP[01]\$r[\d;: ]{0,120}(?:m| ?q|\"q|r|s|\"p)?\x1b\\"  # DECRQSS: style, cursor, margins
    rb"|\x1b\](?:4;\d{1,3}|1[0-2]);rgb:[0-9a-f/]{5,14}(?:\x07|\x1b\\)"  # colours
    rb"|\x1b\[[IO]"  # focus
)


def allowed_reply(reply: bytes) -> bytes:
    """One answer as the guest may have it; empty when it may not."""
    if _VERSION.fullmatch(reply):
        return b"\x1bP>|" + NAME + b"\x1b\\"
    keyboard = _KITTY_KEYBOARD.fullmatch(reply)
    if keyboard:
        return b"\x1b[?%du" % (int(keyboard[1]) & KITTY_KEYBOARD_FLAGS)
    return reply if _KNOWN.fullmatch(reply) else b""
