"""What a guest wants on the clipboard (OSC 52), until somebody asks for it.

Only writes exist: no emulator here answers a guest that asks what the clipboard holds.
"""

from __future__ import annotations

import re
from collections import deque

from .core import MAX_CLIPBOARD_BYTES, MAX_CLIPBOARDS

_LINE_ENDS = re.compile("\r\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class ClipboardWishes:
    """The newest `MAX_CLIPBOARDS` texts, each of at most `MAX_CLIPBOARD_BYTES`."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque(maxlen=MAX_CLIPBOARDS)

    def add(self, data: bytes) -> None:
        """Keep a text, without the controls that would be keys when it is pasted somewhere."""
        if len(data) > MAX_CLIPBOARD_BYTES:
            return
        text = _LINE_ENDS.sub("\n", data.decode("utf-8", "replace"))
        text = _CONTROLS.sub("", text)
        if text:
            self._texts.append(text)

    def take(self) -> list[str]:
        """The texts, oldest first, and forget them."""
        texts = list(self._texts)
        self._texts.clear()
        return texts
