"""Feed hostile streams to an emulator, in another process so that a crash is seen and told.

python -m tests.unit.terminal.fuzz --engine ghostty --first 0 --count 20000
python -m tests.unit.terminal.fuzz --keep 23,878      add these streams to the corpus
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import Unit, VtCore

from .streams import Act, stream

ROOT = Path(__file__).parents[3]
CORPUS = Path(__file__).with_name("corpus.json.gz")
SCROLLBACK = 2_000
MEMORY_LIMIT = 2 * 1024**3
"""Bytes of address space a run may have, far above what it needs: a leak ends in a failure."""


def run(acts: list[Act]) -> None:
    """One stream through a terminal of its own; what must hold, holds throughout."""
    terminal = core.create(80, 24, scrollback_lines=SCROLLBACK)
    try:
        for act in acts:
            perform(terminal, act)
        check(terminal)
    finally:
        terminal.close()


def perform(terminal: VtCore, act: Act) -> None:
    """One act."""
    if act.kind == "feed":
        for start in range(0, len(act.data), terminal.slice_bytes):
            terminal.feed(act.data[start : start + terminal.slice_bytes])
    elif act.kind == "resize":
        terminal.resize(act.x, act.y)
    elif act.kind == "scroll":
        terminal.scroll(act.y)
    elif act.kind == "select":
        terminal.begin_selection(act.x, act.y, Unit(abs(act.x) % 3))
    elif act.kind == "extend":
        terminal.extend_selection(act.x, act.y)
        terminal.selection_text()
    elif act.kind == "search":
        terminal.search(act.data.decode())
    elif act.kind == "step":
        terminal.search_work()
        terminal.search_step(back=act.x % 2 == 0)
    else:
        check(terminal)


def check(terminal: VtCore) -> None:
    """What the panel relies on."""
    cols, rows = terminal.size
    assert cols >= core.MIN_COLS
    assert rows >= core.MIN_ROWS
    for y, row in terminal.take_dirty():
        assert 0 <= y < rows
        assert sum(run.cells for run in row) == cols
        for run in row:
            assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in run.text), run
    assert len(terminal.lines()) == rows
    x, y = terminal.cursor
    assert 0 <= x < cols
    assert 0 <= y < rows
    for y, marks in terminal.marks().items():
        assert 0 <= y < rows
        assert all(0 <= mark.start <= mark.end <= cols for mark in marks)
    replies = terminal.take_replies()
    assert len(replies) <= core.MAX_PENDING_REPLY_BYTES
    assert not {b"\r", b"\n"} & {replies[n : n + 1] for n in range(len(replies))}
    assert len(terminal.title) <= core.MAX_TITLE_CHARS
    assert terminal.title.isprintable()
    assert all(len(text) <= core.MAX_CLIPBOARD_BYTES for text in terminal.take_clipboard())
    assert 0 <= terminal.scroll_offset <= terminal.scrollback
    assert terminal.scrollback < 20 * SCROLLBACK
    _ = terminal.modes, terminal.held, terminal.viewport_cursor, terminal.cursor_shape
    _ = terminal.search_place, terminal.link_at(cols // 2, rows // 2), terminal.bell
    terminal.selection_text()


def work() -> None:
    """The child: run each seed, or list of acts, that a line of standard input names."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    core.preload()
    for line in sys.stdin:
        wish = json.loads(line)
        run(stream(wish) if isinstance(wish, int) else acts_of(wish))
        print("ok", flush=True)


Packed = list[tuple[str, str, int, int]]
"""Acts as they are kept in the corpus: kind, data as latin-1 text, x, y."""


def acts_of(packed: Packed) -> list[Act]:
    """What was packed."""
    return [Act(kind, data.encode("latin-1"), x, y) for kind, data, x, y in packed]


def packed(acts: list[Act]) -> Packed:
    """Acts as JSON can hold them."""
    return [(act.kind, act.data.decode("latin-1"), act.x, act.y) for act in acts]


def corpus() -> dict[str, Packed]:
    """The streams kept, by the seed that made them when they were."""
    kept: dict[str, Packed] = json.loads(gzip.decompress(CORPUS.read_bytes()))
    return kept


def keep(seeds: list[int]) -> None:
    """Add what these seeds make now to the corpus."""
    kept = corpus() if CORPUS.exists() else {}
    kept |= {str(seed): packed(stream(seed)) for seed in seeds}
    data = json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()
    CORPUS.write_bytes(gzip.compress(data, 9, mtime=0))


def failures(wishes: list[Any], engine: str) -> list[tuple[Any, str]]:
    """Run seeds or packed acts in child processes; those that failed, with what was said."""
    failed: list[tuple[Any, str]] = []
    todo = list(wishes)
    while todo:
        child = subprocess.run(
            [sys.executable, "-X", "faulthandler", "-m", "tests.unit.terminal.fuzz", "--work",
             "--engine", engine],
            input="\n".join(json.dumps(wish) for wish in todo),
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        done = child.stdout.count("ok\n")
        if done == len(todo):
            if child.stderr:  # it would be written over the screen
                failed.append(("output", child.stderr[-3000:]))
            break
        failed.append((todo[done], f"exit {child.returncode}: {child.stderr[-3000:]}"))
        todo = todo[done + 1 :]
    return failed


def main() -> None:
    """Run as told on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="ghostty")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--work", action="store_true")
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    if options.keep:
        keep([int(seed) for seed in options.keep.split(",")])
        return
    os.environ[core.ENGINE_VARIABLE] = options.engine
    if options.work:
        work()
        return
    batch = 500
    total = 0
    for first in range(options.first, options.first + options.count, batch):
        seeds = list(range(first, min(first + batch, options.first + options.count)))
        failed = failures(seeds, options.engine)
        total += len(failed)
        for seed, reason in failed:
            print(f"seed {seed}: {reason}", flush=True)
        print(f"{seeds[-1]}: {total} failed", flush=True)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
