"""Colour and glyphs, or neither: decided once for each of stdout and stderr."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "accent": "36",
}
_PLAIN_GLYPHS = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "◐": "*",
        "○": ".",
        "●": "*",
        "–": "-",
        "…": ".",
        "·": "-",
        "━": "#",
        "─": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Style:
    """How text for one stream is dressed."""

    colour: bool = False
    live: bool = False
    """Lines can be drawn over."""
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO, env: Mapping[str, str] | None = None) -> Style:
        """What a stream can show: colour on a terminal, unless NO_COLOR says otherwise."""
        env = os.environ if env is None else env
        terminal = stream.isatty() and env.get("TERM", "") != "dumb"
        encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "")
        return cls(terminal and not env.get("NO_COLOR"), terminal, encoding.startswith("utf"))

    def paint(self, text: str, *names: str) -> str:
        """The text in colour where there is colour."""
        if not self.colour or not names or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"

    def glyphs(self, text: str) -> str:
        """The text in what the stream's encoding can say."""
        return text if self.unicode else text.translate(_PLAIN_GLYPHS)
