"""tmux's control mode as data: lines of a guest's tmux in, output and answers out. Pure.

A client in control mode gets what a program wrote byte by byte, before tmux has drawn anything:
nothing of it is skipped, whatever tmux itself knows of terminals (tmux(1), CONTROL MODE). Lines are
a guest's: bounded, and whatever makes no sense is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LONGEST_LINE = 4 << 20
_MOST_ANSWER = 32 << 20
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2})")
_BYTES = {b"%03o" % value: bytes((value,)) for value in range(256)}


@dataclass(frozen=True, slots=True)
class Output:
    """What the program wrote to the pane, as it wrote it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of our commands brought; ``ok`` is False when tmux refuses it."""

    lines: tuple[bytes, ...]
    ok: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """tmux lets go of this client: the session has ended, or somebody wants it to."""


Event = Output | Answer | Exit


@dataclass(slots=True)
class Parser:
    """Makes events of the bytes as they come, cut anywhere."""

    _rest: bytes = b""
    _block: bytes = b""
    _lines: list[bytes] = field(default_factory=list)
    _size: int = 0
    _own: bool = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that are complete with this."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: bytes) -> Event | None:
        if self._block:
            return self._inside(line)
        if line.startswith(b"%output "):
            _, _, data = line.removeprefix(b"%output ").partition(b" ")  # before it the pane's id
            return Output(unescaped(data))
        if line.startswith(b"%begin "):
            words = line.split(b" ")
            self._block = b" ".join(words[1:])
            # 1: an answer to a command of this client; 0: of tmux's own.
            self._own = words[-1] == b"1"
            return None
        if line == b"%exit" or line.startswith(b"%exit "):
            return Exit()
        return None

    def _inside(self, line: bytes) -> Event | None:
        for word, ok in ((b"%end ", True), (b"%error ", False)):
            if line == word + self._block:
                answer = Answer(tuple(self._lines), ok)
                self._lines, self._block, self._size = [], b"", 0
                return answer if self._own else None
        self._size += len(line)
        if self._size <= _MOST_ANSWER:
            self._lines.append(line)
        return None


def unescaped(data: bytes) -> bytes:
    """tmux writes what is below a blank, and backslashes, as ``\\ooo``."""
    if b"\\" not in data:
        return data
    return _ESCAPED.sub(lambda found: _BYTES[found[1]], data)


# What tmux answers a program itself: device attributes, status and place of the cursor, the
# terminal's name and size, settings (input.c of tmux 3.3).
_QUESTIONS = re.compile(rb"\x1b\[(?:0?c|>0?c|[56]n|>0?q|1[4-9]t)|\x1bP\$q[^\x1b\x07]{0,8}\x1b\\")
_BEGUN = re.compile(rb"\x1b(?:\[[>0-9]{0,4}|P(?:\$(?:q[^\x1b\x07]{0,8}\x1b?)?)?)?\Z")


@dataclass(slots=True)
class WithoutQuestions:
    """Takes out what tmux has answered: a second answer would be typed into the program."""

    _rest: bytes = b""

    def feed(self, data: bytes) -> bytes:
        """The output without them; what may be the beginning of one comes with the next."""
        data = _QUESTIONS.sub(b"", self._rest + data)
        begun = _BEGUN.search(data)
        self._rest = begun[0] if begun else b""
        return data[: begun.start()] if begun else data


def keys(target: str, data: bytes, most: int = 512) -> list[bytes]:
    """Commands that give bytes to the program, at most ``most`` each."""
    return [
        b"send-keys -t %s -H %s\n" % (target.encode(), data[start : start + most].hex(" ").encode())
        for start in range(0, len(data), most)
    ]
