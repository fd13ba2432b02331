"""Make guest text harmless to the host's terminal.

A cell of the grid may hold any code point a hostile guest chose. Controls would be obeyed by the
host's terminal, bidirectional overrides would reorder what surrounds them, invisible format
characters would shift columns. None of them may reach the screen.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
JOINER = "\u200d"
_SOFT_HYPHEN = "\u00ad"
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_unsafe(character: str) -> bool:
    """Whether a terminal might obey the character instead of showing it."""
    return unicodedata.category(character) in _UNSAFE


def safe_cells(text: str) -> str:
    """`text` with each unsafe character replaced by one visible glyph (same length)."""
    if text.isprintable():
        return text
    return "".join("-" if c == _SOFT_HYPHEN else REPLACEMENT if is_unsafe(c) else c for c in text)


def safe_cluster(text: str) -> str:
    """One grapheme cluster without its unsafe characters; joiners inside it are kept.

    A joiner at the end is dropped: it would glue the next cell's character to this one.
    """
    if text.isprintable():
        return text
    kept = "".join(c for c in text if c == JOINER or not is_unsafe(c)).strip(JOINER)
    return kept or REPLACEMENT


def safe_label(text: str, limit: int) -> str:
    """A one-line label (a title) of at most `limit` characters, unsafe ones removed."""
    return "".join(c for c in text[: limit * 4] if not is_unsafe(c))[:limit]
