"""Byte streams for fuzzing: recordings and attacks, mutated, with everything injected into them.

A stream is made from its seed alone, so that a number is enough to see a failure again.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .attacks import ATTACKS

RECORDINGS = Path(__file__).parents[2] / "terminal_recordings"
_FINALS = "@ABCDEFGHIJKLMPSTXZ`abcdefghijklmnpqrstuvwxyz{|}~"
_NUMBERS = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    24,
    25,
    79,
    80,
    81,
    255,
    256,
    999,
    1000,
    32767,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32,
    2**63,
    10**30,
]
_MODES = [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    9,
    12,
    20,
    25,
    40,
    45,
    47,
    66,
    67,
    69,
    95,
    1000,
    1002,
    1003,
    1004,
    1005,
    1006,
    1007,
    1015,
    1016,
    1034,
    1045,
    1047,
    1048,
    1049,
    2004,
    2026,
    2027,
    2031,
    2048,
    5522,
    9001,
]
_TEXT = [
    "plain",
    "漢字",
    "é",
    "e\u0301",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "\u200d",
    "\u0301" * 20,
    "🇩🇪🇫🇷",
    "ﷺ",
    "\u202e",
    "ก็็็",
    "\ufe0f",
    "\u20e3",
    "\u1100\u1161\u11a8",
    "x" * 200,
    "漢" * 100,
    " " * 90,
]


@dataclass(frozen=True)
class Act:
    """One thing done to a terminal: `kind` is feed, resize, scroll, select, search, draw."""

    kind: str
    data: bytes = b""
    x: int = 0
    y: int = 0


def stream(seed: int) -> list[Act]:
    """The acts of one run."""
    dice = random.Random(seed)
    data = bytearray(_base(dice))
    for _ in range(dice.randint(0, 12)):
        _mutate(data, dice)
    acts: list[Act] = []
    start = 0
    while start < len(data):
        length = dice.choice([1, 7, 100, 700, 4096])
        acts.append(Act("feed", bytes(data[start : start + length])))
        start += length
        if dice.random() < 0.35:
            acts.append(_other(dice))
    return acts


def _other(dice: random.Random) -> Act:
    kind = dice.choice(["resize", "resize", "scroll", "select", "extend", "search", "step", "draw"])
    if kind == "resize":
        widest = 300 if dice.random() < 0.9 else 1200
        return Act(kind, x=dice.randint(-1, widest), y=dice.randint(-1, 100))
    if kind == "search":
        return Act(kind, dice.choice([b"", b"e", b"line", "漢".encode(), b" ", b"x" * 300]))
    return Act(kind, x=dice.randint(-3, 130), y=dice.randint(-60, 60))


def _base(dice: random.Random) -> bytes:
    choice = dice.random()
    if choice < 0.5:
        data = dice.choice(_recorded())
        start = dice.randrange(len(data)) if dice.random() < 0.7 else 0
        return data[start : start + dice.randint(100, 6000)]
    if choice < 0.7:
        return b"".join(dice.choice(ATTACKS).data[:4000] for _ in range(dice.randint(1, 4)))
    if choice < 0.9:
        return b"".join(_sequence(dice) for _ in range(dice.randint(5, 150)))
    return dice.randbytes(dice.randint(10, 2000))


def _mutate(data: bytearray, dice: random.Random) -> None:
    at = dice.randint(0, len(data))
    choice = dice.randint(0, 7)
    if choice == 0 and data:
        data[at % len(data)] = dice.randrange(256)
    elif choice == 1 and data:
        data[at % len(data)] ^= 1 << dice.randrange(8)
    elif choice == 2:
        del data[at : at + dice.randint(1, 50)]
    elif choice == 3:
        data[at:at] = data[at : at + dice.randint(1, 200)] * dice.randint(1, 5)
    elif choice == 4:
        data[at:at] = dice.choice(ATTACKS).data[:3000]
    elif choice == 5:
        data[at:at] = dice.randbytes(dice.randint(1, 20))
    else:
        data[at:at] = b"".join(_sequence(dice) for _ in range(dice.randint(1, 10)))


def _sequence(dice: random.Random) -> bytes:
    """A sequence as a terminal knows it, or nearly."""
    choice = dice.randint(0, 9)
    if choice < 4:
        separators = dice.choice([";", ";", ":", ";;"])
        parameters = separators.join(_number(dice) for _ in range(dice.randint(0, 6)))
        private = dice.choice(["", "", "", "?", ">", "=", "<", "!"])
        between = dice.choice(["", "", "", " ", "$", "*", "'", '"', "#", "&"])
        return f"\x1b[{private}{parameters}{between}{dice.choice(_FINALS)}".encode()
    if choice == 4:
        return f"\x1b[?{dice.choice(_MODES)}{dice.choice('hlhlsr')}".encode()
    if choice == 5:
        end = dice.choice(["\x07", "\x1b\\", "", "\x18"])
        number = dice.choice(
            [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 21, 22, 52, 66, 99, 104, 133, 777, 1337]
        )
        body = dice.choice(
            ["?", "x", ";http://a.b/c", "c;aGk=", "1;rgb:ff/ff/ff", "A", "s=3;x", "1;?"]
        )
        return f"\x1b]{number};{body}{end}".encode()
    if choice == 6:
        return b"\x1b" + dice.choice(
            [
                b"7",
                b"8",
                b"c",
                b"D",
                b"E",
                b"H",
                b"M",
                b"N",
                b"O",
                b"#8",
                b"=",
                b">",
                b"(0",
                b"(B",
                b")0",
                b"n",
                b"o",
                b"Z",
                b"%G",
                b" F",
            ]
        )
    if choice == 7:
        return b"\x1b[38;2;%d;%d;%dm\x1b[48;5;%dm" % tuple(dice.randrange(300) for _ in range(4))
    if choice == 8:
        return dice.choice(
            [b"\r\n", b"\n", b"\r", b"\t", b"\b", b"\x0b", b"\x0e", b"\x0f", b"\x9b1m"]
        )
    return dice.choice(_TEXT).encode()


def _number(dice: random.Random) -> str:
    return "" if dice.random() < 0.2 else str(dice.choice(_NUMBERS))


@lru_cache(maxsize=1)
def _recorded() -> list[bytes]:
    recorded = []
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        steps = json.loads(gzip.decompress(path.read_bytes())).get("steps", [])
        data = b"".join(base64.b64decode(step.get("feed", "")) for step in steps)
        recorded.append(data)
    return recorded
