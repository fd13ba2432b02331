"""A program on a pseudo terminal: every byte it writes, and when."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_CHUNK = 1 << 16


class Program:
    """One program on one terminal of ``columns`` x ``rows``.

    Args:
        env: added to this process's environment; an empty value takes a variable away.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        columns: int = 120,
        rows: int = 36,
    ) -> None:
        full = {**os.environ, "NO_COLOR": "", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        full |= env or {}
        environment = {key: value for key, value in full.items() if value}
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                # Before the program asks for it: nobody shall draw a first screen of 0 x 0.
                size = struct.pack("HHHH", rows, columns, 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                os.execvpe(argv[0], list(argv), environment)
            finally:
                os._exit(127)

    def read(self, seconds: float) -> bytes:
        """The next bytes; b"" when none came in time or the program has ended."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            return os.read(self._fd, _CHUNK)
        except OSError:  # Linux says EIO when the last process on the terminal is gone
            return b""

    def until(self, wanted: bytes, seconds: float) -> tuple[float, bytes]:
        """Read until ``wanted`` has been written: (seconds since the start, all bytes read).

        Raises:
            AssertionError: it did not come in time.
        """
        deadline = time.perf_counter() + seconds
        seen = bytearray()
        while time.perf_counter() < deadline:
            seen += self.read(0.2)
            if wanted in seen:
                return time.perf_counter() - self.started, bytes(seen)
        raise AssertionError(f"{wanted!r} did not come: {bytes(seen[-2000:])!r}")

    def quiet(self, lull: float = 0.3, limit: float = 20.0) -> bytes:
        """Read until nothing has come for ``lull`` seconds."""
        deadline = time.perf_counter() + limit
        seen = bytearray()
        while time.perf_counter() < deadline and (data := self.read(lull)):
            seen += data
        return bytes(seen)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def close(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process's threads that live (proc(5): schedstat, in nanoseconds)."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


@contextmanager
def program(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    columns: int = 120,
    rows: int = 36,
) -> Iterator[Program]:
    """A program on a terminal inside the block; it is gone after it."""
    running = Program(argv, env=env, columns=columns, rows=rows)
    try:
        yield running
    finally:
        running.close()
