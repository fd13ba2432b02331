"""What the panel's border says about a terminal: menus, prompts, positions, hints."""

from __future__ import annotations


def position(offset: int, scrollback: int) -> str:
    """How far the view is from the newest output."""
    return f"scrolled {offset:,} of {scrollback:,}"


def copied(text: str) -> str:
    """What was copied."""
    lines = text.count("\n") + 1
    if lines > 1:
        return f"copied {lines:,} lines"
    return f"copied {len(text):,} characters" if len(text) != 1 else "copied 1 character"


def matches(place: tuple[int, int]) -> str:
    """Which match of a search is the current one; 1 is the oldest."""
    number, count = place
    return f"match {number:,} of {count:,}" if count else "not found"
