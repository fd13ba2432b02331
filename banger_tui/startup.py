"""A start without garbage collection.

Thousands of objects come with the imports and the first screen, and none of them goes: to look for
garbage among them takes a sixth of the whole start.
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Nothing is collected from here on."""
    gc.disable()


def over() -> None:
    """Collect again, but never look at what came with the start: that stays until the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
