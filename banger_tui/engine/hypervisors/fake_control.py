"""tmux's control mode in a VM that is none: as much of it as a client that types asks for."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable

from banger_tui.engine.hypervisors.fake_guest import Tape, TapeReader

_FLAG = re.compile(r"#\{(\w+)\}")
_RAW = re.compile(rb"[\x00-\x1f\\]")


class FakeControl:
    """One client's control mode.

    The account of the screen is a blank one: everything the program has written comes again as
    output after it.

    Args:
        tape: what the program writes.
        keys: where it reads.
        line: the client's line at a position; None at the end.
        out: what the client reads.
    """

    def __init__(
        self,
        tape: Tape,
        keys: TapeReader,
        line: Callable[[int], Awaitable[bytes | None]],
        out: Tape,
    ) -> None:
        self._tape, self._keys, self._line, self._out = tape, keys, line, out
        self._size = ("80", "24")
        self._numbers = itertools.count(1)
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Until the program has ended, or the client wants to go."""
        obeying = asyncio.create_task(self._obey(), name="fake control mode")
        telling = asyncio.create_task(self._tell(), name="fake output")
        try:
            await asyncio.wait((obeying, telling), return_when=asyncio.FIRST_COMPLETED)
            self._out.write(b"%exit\n")
        finally:
            obeying.cancel()
            telling.cancel()

    async def _tell(self) -> None:
        await self._told.wait()
        position = 0
        while data := await self._tape.read(position):
            position += len(data)
            said = _RAW.sub(lambda found: b"\\%03o" % found[0][0], data)
            self._out.write(b"%output %0 " + said + b"\n")

    async def _obey(self) -> None:
        position = 0
        while (line := await self._line(position)) is not None:
            position += len(line) + 1
            for command in line.decode(errors="replace").split(" ; "):
                head = f"1 {next(self._numbers)} 1"
                lines = "".join(f"{answer}\n" for answer in await self._answer(command))
                self._out.write(f"%begin {head}\n{lines}%end {head}\n".encode())
                if command == "detach-client":
                    return
            if "capture-pane" in line.decode(errors="replace"):
                self._told.set()

    async def _answer(self, command: str) -> list[str]:
        verb, *words = command.split(" ")
        match verb:
            case "resize-window":
                self._size = (words[words.index("-x") + 1], words[words.index("-y") + 1])
            case "display-message":
                return [_FLAG.sub(lambda found: self._flag(found[1]), words[-1].strip("'"))]
            case "send-keys":
                await self._keys.write(bytes.fromhex(command.partition(" -H ")[2]))
        return []

    def _flag(self, name: str) -> str:
        match name:
            case "pane_width":
                return self._size[0]
            case "pane_height":
                return self._size[1]
            case "scroll_region_lower":
                return str(int(self._size[1]) - 1)
            case "pane_title":
                return ""
        return str(int(name in ("cursor_flag", "wrap_flag")))
