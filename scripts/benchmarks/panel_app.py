"""An app whose whole screen is one terminal panel, with a program of this host in it.

    python -m scripts.benchmarks.panel_app BEATS ARGV…

Ends with the program. BEATS is a file: written at the end, a line for each time the event loop was
asked to come back in 5 ms: when it was due (time.perf_counter) and how much later it came, seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import select
import struct
import sys
import termios
from pathlib import Path

from textual.app import App, ComposeResult

from banger_tui import startup
from banger_tui.widgets.terminal import TerminalView

_BEAT = 0.005
_CHUNK = 32 << 10


class PanelApp(App[None]):
    """The panel with a program on a pseudo terminal instead of a guest."""

    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False

    def __init__(self, argv: list[str], beats: Path) -> None:
        super().__init__()
        self._argv = argv
        self._beats_file = beats
        self._beats: list[tuple[float, float]] = []
        self._master = -1
        self._jobs: list[asyncio.Task[None]] = []

    def compose(self) -> ComposeResult:
        yield TerminalView()

    def on_mount(self) -> None:
        self.query_one(TerminalView).focus()
        self.call_after_refresh(startup.over)

    def on_terminal_view_resized(self, message: TerminalView.Resized) -> None:
        size = struct.pack("HHHH", message.rows, message.cols, 0, 0)
        if self._master < 0:
            pid, self._master = pty.fork()
            if pid == 0:
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.execvp(self._argv[0], self._argv)
            os.set_blocking(self._master, False)
            self._jobs = [asyncio.create_task(self._pump()), asyncio.create_task(self._beat())]
        else:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def on_terminal_view_input(self, message: TerminalView.Input) -> None:
        with contextlib.suppress(BlockingIOError):  # answers that the program does not read
            os.write(self._master, message.data)

    async def _pump(self) -> None:
        """The program's output into the panel, which says by waiting when it has had enough."""
        view = self.query_one(TerminalView)
        reading = asyncio.create_task(asyncio.to_thread(self._read))
        while data := await reading:
            # The next piece comes meanwhile, as it does over a connection.
            reading = asyncio.create_task(asyncio.to_thread(self._read))
            await view.write(data)
        lines = [f"{due:.6f} {late:.6f}" for due, late in self._beats]
        self._beats_file.write_text("\n".join(lines))
        self.exit()

    def _read(self) -> bytes:
        """What comes, in pieces as large as a guest sends them; b"" at the end. Blocking.

        In a thread, since no app reads pseudo terminals: they give at most 4 KiB at once, and most
        of the event loop's time would go into that.
        """
        pieces: list[bytes] = []
        size = 0
        select.select([self._master], [], [])
        while size < _CHUNK:
            try:
                pieces.append(os.read(self._master, _CHUNK))
            except OSError:  # nothing there for now; or EIO, which is Linux for the end
                break
            size += len(pieces[-1])
        return b"".join(pieces)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _BEAT
            await asyncio.sleep(_BEAT)
            self._beats.append((due, loop.time() - due))


if __name__ == "__main__":
    startup.begin()
    PanelApp(sys.argv[2:], Path(sys.argv[1])).run()
