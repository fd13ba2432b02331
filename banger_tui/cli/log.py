"""What a guest has said over time, on its way out to a person, a pipe or a program."""

from __future__ import annotations

import codecs
import os

from banger_tui.cli import streams
from banger_tui.cli.output import Output
from banger_tui.cli.text import harmless

_LONGEST_LINE = 1 << 16


class Log:
    """Harmless on a terminal, as it is through a pipe, events or one document as JSON."""

    def __init__(self, out: Output, stream: str, *, follow: bool) -> None:
        """
        Args:
            stream: what it is called in events.
            follow: it comes piece by piece; otherwise all at once, as one document.
        """
        self._out = out
        self._stream = stream
        self._follow = follow
        self._terminal = os.isatty(streams.STDOUT)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._document: list[str] = []
        self._open = ""  # the last line as long as it has no end: sequences must not be cut in two

    async def write(self, data: bytes) -> None:
        if self._out.json:
            text = self._decoder.decode(data)
            if not self._follow:
                self._document.append(text)
            elif text:
                await self._out.event("output", stream=self._stream, text=text)
        elif not self._terminal:
            await streams.write(streams.STDOUT, data)
        else:
            text = self._open + self._decoder.decode(data)
            whole, newline, self._open = text.rpartition("\n")
            if len(self._open) > _LONGEST_LINE:
                whole, newline, self._open = text, "", ""
            await streams.write(streams.STDOUT, harmless(whole + newline).encode())

    async def end(self) -> None:
        """All has come."""
        if self._out.json and not self._follow:
            self._out.document({"log": "".join(self._document)})
        if self._terminal and not self._out.json and self._open:
            await streams.write(streams.STDOUT, f"{harmless(self._open)}\n".encode())
