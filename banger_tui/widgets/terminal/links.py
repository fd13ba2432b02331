"""Which addresses a guest may offer to be opened on the host (OSC 8)."""

from __future__ import annotations

import re

from .core import MAX_LINK_CHARS

# Schemes that show a page or write a letter. `file:` would name a file of the host, and an unknown
# scheme whatever program the desktop has for it.
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s/]|mailto:[^\s]", re.IGNORECASE)


def safe_link(address: str) -> str:
    """`address` if it is short, printable, in ASCII and of a harmless scheme, otherwise nothing.

    ASCII, since letters of other alphabets make one host's name look like another's.
    """
    if len(address) > MAX_LINK_CHARS or not address.isascii() or not address.isprintable():
        return ""
    if " " in address or not _ADDRESS.match(address):
        return ""
    return address
