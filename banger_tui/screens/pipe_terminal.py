"""A session without a terminal of its own, in a terminal: lines out, lines in."""

from __future__ import annotations

import asyncio
import codecs
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len

from banger_tui.widgets.terminal import TerminalView

if TYPE_CHECKING:
    from banger_tui.engine.sessions.attach import Attached

_END, _INTERRUPT, _KILL = "\x04", "\x03", "\x15"  # ctrl+d, ctrl+c, ctrl+u
_ERASE = "\x7f\x08"
# Keys without a character, and answers to a terminal's questions: nothing to put into a line.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[P\]_^][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")


class PipeTerminal:
    """Does what a guest's tty would: new lines begin at the left, what is typed is seen, and goes
    off as a line that can be corrected before."""

    def __init__(
        self, view: TerminalView, attached: Attached, interrupt: Callable[[], Awaitable[None]]
    ) -> None:
        self._view = view
        self._attached = attached
        self._interrupt = interrupt
        self._line = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def show(self) -> None:
        """Show stdout, and stderr in another colour, until both have ended."""
        await asyncio.gather(self._show_out(), self._show_err())

    async def _show_out(self) -> None:
        while data := await self._attached.read():
            await self._view.write(_lines(data))

    async def _show_err(self) -> None:
        while data := await self._attached.read_stderr():
            await self._view.write(b"\x1b[31m" + _lines(data) + b"\x1b[39m")

    async def typed(self, data: bytes) -> None:
        """Send the lines that are complete; ctrl+d sends what there is, or ends stdin, ctrl+c
        interrupts."""
        ready, shown, interrupted, ended = "", "", False, False
        text = _SEQUENCE.sub("", self._decoder.decode(data))
        for char in text.replace("\r\n", "\n").replace("\r", "\n"):
            if char == "\n":
                ready, self._line = ready + self._line + "\n", ""
                shown += "\r\n"
            elif char in _ERASE or char == _KILL:
                gone = self._line if char == _KILL else self._line[-1:]
                self._line = self._line[: len(self._line) - len(gone)]
                shown += "\b \b" * cell_len(gone)
            elif char == _INTERRUPT:
                self._line, interrupted = "", True
                shown += "^C\r\n"
            elif char == _END:
                ended = ended or not self._line
                ready, self._line = ready + self._line, ""
            elif char.isprintable() or char == "\t":
                self._line += char
                shown += char
        if shown:
            await self._view.write(shown.encode())
        if ready:
            await self._attached.write(ready.encode())
        if interrupted:
            await self._interrupt()
        if ended:
            await self._attached.write_eof()


def _lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
