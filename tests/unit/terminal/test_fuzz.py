"""Hostile streams neither crash an emulator nor break what the panel relies on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .fuzz import ROOT, corpus, failures

FRESH = {"ghostty": 1_500, "bittty": 150}


def test_the_corpus(engine: str) -> None:
    kept = corpus()
    assert len(kept) >= 100
    failed = failures(list(kept.values()), engine)
    names = [name for name, acts in kept.items() for wish, _ in failed if wish == acts]
    assert not failed, f"streams {names}: {failed[0][1]}"


def test_fresh_streams(engine: str) -> None:
    failed = failures(list(range(100_000, 100_000 + FRESH[engine])), engine)
    assert not failed, f"seeds {[seed for seed, _ in failed]}: {failed[0][1]}"


def test_a_crash_is_seen_and_named() -> None:
    failed = failures([1, [["resize", "", None, 3]], 2], "ghostty")
    assert [wish for wish, _ in failed] == [[["resize", "", None, 3]]]
    assert "TypeError" in failed[0][1]


FILL = """
import sys
from banger_tui.widgets.terminal import core
terminal = core.create(80, 24)
def feed(data):
    for start in range(0, len(data), terminal.slice_bytes):
        terminal.feed(data[start:start + terminal.slice_bytes])
    terminal.take_replies()
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
terminal.search("x")
before = peak()
for n in range(int(sys.argv[1])):
    feed(b"".join(b"\\x1b]8;id=%d;http://h/%d%s\\x07x\\x1b]8;;\\x07" % (n, n * 80 + k, b"z" * 300)
                  for k in range(80)))
    feed("".join("e" + chr(0x300 + (k + n) % 60) * 12 for k in range(80)).encode())
    feed(b"".join(b"\\x1b[38;2;%d;%d;%d;4;58;2;%d;1;1mx" % (n & 255, k, n >> 8 & 255, k)
                  for k in range(80)))
    feed(b"\\x1b]2;%d%s\\x07\\x1b[22t\\x1b[>1u\\x1b7\\x1b[c" % (n, b"t" * 1000))
    feed(b"\\x1b]52;" + str(n).encode() + b";" + b"QUJD" * 500 + b"\\x07\\x1b]4;%d;#123\\x07" % n)
    feed(b"\\x1b_Ga=t,f=24,s=1,v=1,i=%d;AAAA\\x1b\\\\" % n)
    terminal.begin_selection(n % 80, n % 24)
    terminal.search_work()
    if n % 50 == 0:
        terminal.take_dirty(), terminal.lines()
print(peak() - before)
"""


@pytest.mark.parametrize(("engine", "rounds"), [("ghostty", 120), ("bittty", 20)])
def test_memory_is_bounded_whatever_is_kept(engine: str, rounds: int) -> None:
    """As much again costs next to nothing once the first half is kept."""
    grown = []
    for count in (rounds, rounds * 3):
        child = subprocess.run(
            [sys.executable, "-c", FILL, str(count)],
            env={**os.environ, "BANGER_TERMINAL": engine},
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        grown.append(int(child.stdout))
    assert grown[1] < 250, f"MiB after {rounds} and {rounds * 3} rounds: {grown}"
