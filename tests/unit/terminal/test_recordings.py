"""What programs wrote, and the screen it must end in."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import CellStyle, VtCore

SHARED = Path(__file__).parents[4] / "shared" / "data" / "vt-recordings.json.gz"
OURS = sorted((Path(__file__).parents[2] / "terminal_recordings").glob("*.json.gz"))

EXACT_AT_LEAST = 36
_COLUMNS = "the panel never switches columns, so nothing is cleared by the switch"
_ERASE = "erasing ends a pending wrap, as in xterm; the recording's terminal wraps all the same"
_SELECTIVE = "selective erasure erases, as DEC says; the recording's terminal does not know it"
DIFFERENT = {
    "ghostty": {
        "decaln_reset": "the test pattern moves the cursor home, as in xterm",
        "deccolm_reset": _COLUMNS,
        "erase_in_line": _ERASE,
        "saved_cursor": "the graphic set leaves '_' as it is; it should be a blank",
        "saved_cursor_alt": "the same blank",
        "selective_erasure": _SELECTIVE,
    },
    "bittty": {
        "alt_reset": "a reset in the alternate screen does not bring back the primary one",
        "colored_underline": "an overlay accent takes a column",
        "deccolm_reset": _COLUMNS,
        "erase_in_line": _ERASE,
        "origin_goto": "a prompt that ends in a wrap stands one row lower",
        "saved_cursor": "pictures of controls in the graphic set are drawn as blocks",
        "saved_cursor_alt": "the same blocks",
        "selective_erasure": _SELECTIVE,
        "vttest_tab_clear_set": "tab stops are not cleared everywhere",
    },
}


def cut(data: bytes, how: str) -> Iterator[bytes]:
    """`data` whole, byte by byte (its beginning), or in pieces of all lengths."""
    if how == "whole":
        yield data
        return
    if how == "bytes":
        yield from (data[n : n + 1] for n in range(len(data[:2_000])))
        yield data[2_000:]
        return
    pieces = random.Random(7)
    start = 0
    while start < len(data):
        end = start + pieces.randint(1, 700)
        yield data[start:end]
        start = end


@pytest.mark.parametrize("how", ["whole", "bytes", "pieces"])
def test_recordings_of_a_terminal_end_in_their_screen(how: str, engine: str) -> None:
    if not SHARED.exists():
        pytest.skip("no recordings of another terminal here")
    recordings = json.loads(gzip.decompress(SHARED.read_bytes()))
    wrong = set()
    for recording in recordings:
        terminal = core.create(recording["cols"], recording["rows"])
        for piece in cut(base64.b64decode(recording["rec"]), how):
            terminal.feed(piece)
        cursor = recording["cursor"]
        if terminal.lines() != recording["lines"]:
            wrong.add(recording["name"])
        elif cursor:
            assert list(terminal.cursor) == cursor, recording["name"]
        dirty = terminal.take_dirty()
        assert core.text_of([row for _, row in dirty]) == terminal.lines()
        assert all(sum(run.cells for run in row) == terminal.size[0] for _, row in dirty)
        terminal.close()
    assert wrong == set(DIFFERENT[engine])
    if engine == "ghostty":
        assert len(recordings) - len(wrong) >= EXACT_AT_LEAST


def play(recording: dict[str, Any], how: str) -> VtCore:
    terminal = core.create(recording["cols"], recording["rows"])
    for step in recording["steps"]:
        if "resize" in step:
            terminal.resize(*step["resize"])
        else:
            for piece in cut(base64.b64decode(step["feed"]), how):
                terminal.feed(piece)
    return terminal


def trimmed(lines: list[str], rows: int = 0) -> list[str]:
    """Right-trimmed lines, filled up to `rows`."""
    lines = [line.rstrip(" ") for line in lines]
    return lines + [""] * (rows - len(lines))


def styles(terminal: VtCore) -> list[list[tuple[str, CellStyle]]]:
    """Every character that is not blank, with its style."""
    return [
        [
            (text, run.style)
            for run in row
            for text in (run.text if len(run.text) * 2 > run.cells else [run.text])
            if text != " "
        ]
        for _, row in terminal.take_dirty()
    ]


@pytest.mark.parametrize("how", ["whole", "pieces"])
@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name.removesuffix(".json.gz"))
def test_programs_end_in_the_screen_that_tmux_shows(path: Path, how: str, engine: str) -> None:
    recording = json.loads(gzip.decompress(path.read_bytes()))
    terminal = play(recording, how)
    cols, rows = terminal.size
    assert terminal.lines() == trimmed(recording["lines"], rows)
    assert list(terminal.cursor) == recording["cursor"]
    assert terminal.modes.alternate_screen is recording["alternate"]

    expected = core.create(cols, rows)
    expected.feed("\r\n".join(recording["styled"]).encode())
    assert styles(terminal) == styles(expected)
    expected.close()

    if not recording["alternate"] and (engine == "ghostty" or "resized" not in path.name):
        # All the scrollback, by way of a selection of it: wrapped lines are whole again.
        terminal.scroll_to_top()
        terminal.begin_selection(0, 0)
        terminal.scroll_to_bottom()
        terminal.extend_selection(cols - 1, rows - 1)
        everything = trimmed(terminal.selection_text().split("\n"))
        assert everything == trimmed(recording["history"])[: len(everything)]
        assert not any(trimmed(recording["history"])[len(everything) :])
    terminal.close()


def test_every_program_is_recorded() -> None:
    names = {path.name.split("-")[0] for path in OURS}
    assert names >= {"vim", "htop", "less", "mc", "tmux", "nano", "fish", "shell"}
