"""A hostile guest in the real app: what the app writes to its own terminal meanwhile."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from banger_tui.widgets.terminal import core
from scripts.terminal.program import Program, program
from tests.live.test_any_image import banger
from tests.unit.terminal.attacks import ATTACKS, MARKER

pytestmark = pytest.mark.timeout(300)
COLUMNS, ROWS = 120, 36
PATIENCE = 120.0
HARMED = Path(f"/tmp/{MARKER}")
"""What the attacks would like to have made on the host."""

# What painting takes: looks, places, the app's own cursor and its updates.
_PAINTING = re.compile(rb"\x1b\[(?:[0-9;:]*m|[0-9;]*[Hf]|[0-9]*[ABCDGd]|\?25[hl]|\?2026[hl])")


def strays(written: bytes) -> list[str]:
    """Everything in the app's output that is neither a cell nor painting, with what follows it."""
    # The end may have cut the last sequence of a painting.
    text = re.sub(rb"\x1b(?:\[[0-9;:?]*)?\Z", b"", _PAINTING.sub(b"", written)).decode()
    unprintable = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [
        text[place : place + 20]
        for place, char in enumerate(text)
        if char not in "\r\n" and unicodedata.category(char) in unprintable
    ]


async def test_attacks_of_a_guest_stay_cells(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BANGER_DRIVER", raising=False)
    await asyncio.to_thread(HARMED.unlink, missing_ok=True)
    attacks = await asyncio.to_thread(written_out, tmp_path / "attacks")
    for words in (
        ("vm", "create", "--name", "web", "--image", "busybox", "--memory", "192M"),
        ("vm", "cp", str(attacks), "web:/attacks"),
    ):
        code, _, said = await banger(real_home, *words)
        assert code == 0, said

    def attack_it() -> bytes:
        env = {"BANGER_HOME": str(real_home), "PYTHONPATH": ":".join(sys.path)}
        with program(
            [sys.executable, "-m", "banger_tui"], env=env, columns=COLUMNS, rows=ROWS
        ) as app:
            screen = Screen(app)
            screen.sees("~ #")
            app.write(b"\r")
            screen.sees("leaves the panel")
            written = len(screen.written)
            app.write(
                b"for f in /attacks/*; do cat $f; done; printf '\\033c'; echo over-$((6*7))\r"
            )
            screen.sees("over-42")
            app.write(b"\x1dd")
            screen.sees("Machines")
            return bytes(screen.written[written:])

    written = await asyncio.to_thread(attack_it)
    assert strays(written) == []
    assert b"\x1b]52" not in written
    assert not await asyncio.to_thread(HARMED.exists)


def written_out(directory: Path) -> Path:
    """The attacks, one a file. Blocking."""
    directory.mkdir()
    for number, attack in enumerate(ATTACKS):
        (directory / f"{number:03}").write_bytes(attack.data)
    return directory


class Screen:
    """What the app's bytes make of a terminal, and the bytes."""

    def __init__(self, app: Program) -> None:
        self._app = app
        self._terminal = core.create(COLUMNS, ROWS)
        self.written = bytearray()

    def sees(self, text: str) -> None:
        """Read until a text is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in line for line in self._terminal.lines()):
            assert time.monotonic() < deadline, "\n".join([text, *self._terminal.lines()])
            data = self._app.read(0.2)
            self.written += data
            self._terminal.feed(data)


def test_the_test_sees_strays() -> None:
    assert strays(b"\x1b[1;31mtext\x1b[0m\x1b[2;3Hmore\x1b[?2026h\r\n") == []
    for stray in (b"\x1b]0;t\x07", b"\x1b[2J", b"\x1b[c", "\u202e".encode(), b"\x05", b"\x1bPq"):
        assert strays(b"\x1b[1m" + stray), stray
