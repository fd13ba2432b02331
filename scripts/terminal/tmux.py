"""A program in a pane of a tmux server of its own: type into it, read its screen."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_POLL = 0.05


class Pane:
    """One program on one screen of ``columns`` x ``rows``.

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
        self._directory = Path(tempfile.mkdtemp(prefix="banger-tmux-"))
        self.columns, self.rows = columns, rows
        # Those of a tmux we run in would make this one think that it is nested.
        full = {**os.environ, "TMUX": "", "TMUX_PANE": "", "NO_COLOR": ""}
        full |= {"COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        full |= env or {}
        self._env = {key: value for key, value in full.items() if value}
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            *argv,
            ";", "set-option", "-g", "status", "off",
            ";", "set-option", "-g", "default-terminal", "tmux-256color",
            ";", "set-option", "-g", "escape-time", "10",
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Process id of the program."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def alive(self) -> bool:
        try:
            self._tmux("has-session")
        except subprocess.CalledProcessError:
            return False
        return True

    def text(self) -> str:
        """The screen as plain text, a line a row."""
        return self._tmux("capture-pane", "-p")

    def ansi(self) -> str:
        """The screen with colours and attributes as escape sequences, trailing blanks kept."""
        return self._tmux("capture-pane", "-e", "-p", "-N")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: "r", "Enter", "C-]", "Escape", …"""
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(_POLL)

    def type(self, text: str) -> None:
        """Type a text as it stands."""
        self._tmux("send-keys", "-l", text)

    def click(self, x: int, y: int) -> None:
        """Press and release the left button on a cell, counted from 0, as xterm reports it."""
        for end in ("M", "m"):
            data = f"\x1b[<0;{x + 1};{y + 1}{end}".encode()
            self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def resize(self, columns: int, rows: int) -> None:
        """Make the screen larger or smaller."""
        self.columns, self.rows = columns, rows
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def sees(self, *texts: str, seconds: float = 60.0) -> str:
        """Wait until all texts stand on the screen at once; the screen then.

        Raises:
            AssertionError: with the last screen, when they did not come.
        """
        deadline = time.monotonic() + seconds
        screen = ""
        while time.monotonic() < deadline:
            try:
                screen = self.text()
            except subprocess.CalledProcessError:
                raise AssertionError(f"the program has ended; its last screen:\n{screen}") from None
            if all(text in screen for text in texts):
                return screen
            time.sleep(_POLL)
        missing = [text for text in texts if text not in screen]
        raise AssertionError(f"not on screen after {seconds:.0f} s: {missing}\n{screen}")

    def loses(self, text: str, seconds: float = 60.0) -> str:
        """Wait until a text is gone from the screen."""
        deadline = time.monotonic() + seconds
        while text in (screen := self.text()):
            if time.monotonic() > deadline:
                raise AssertionError(f"still on screen after {seconds:.0f} s: {text!r}\n{screen}")
            time.sleep(_POLL)
        return screen

    def ended(self, seconds: float = 60.0) -> None:
        """Wait until the program has ended by itself."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not end within {seconds:.0f} s\n{self.text()}")
            time.sleep(_POLL)

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")
        shutil.rmtree(self._directory, ignore_errors=True)

    def _tmux(self, *words: str) -> str:
        argv = ["tmux", "-S", str(self._directory / "s"), *words]
        result = subprocess.run(
            argv, env=self._env, capture_output=True, text=True, check=True, timeout=30
        )
        return result.stdout


@contextmanager
def pane(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    columns: int = 120,
    rows: int = 36,
) -> Iterator[Pane]:
    """A program in a pane inside the block; both are gone after it."""
    opened = Pane(argv, env=env, columns=columns, rows=rows)
    try:
        yield opened
    finally:
        opened.close()
