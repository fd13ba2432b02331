"""tmux's control mode: what its lines mean, however they are cut, and whatever a guest writes."""

from __future__ import annotations

import random

import pytest

from banger_tui.engine.sessions.tmux_protocol import (
    Answer,
    Exit,
    Output,
    Parser,
    WithoutQuestions,
    keys,
    unescaped,
)

SPOKEN = (
    b"%begin 17 1 0\n%end 17 1 0\n"
    b"%session-changed $0 shell\n"
    b"%output %0 \\033[1mbold\\033[m back\\134slash\\015\\012\n"
    b"%begin 17 2 1\nfirst\n%output %0 no output\n\nlast\n%end 17 2 1\n"
    b"%begin 17 3 1\nunknown command\n%error 17 3 1\n"
    b"%layout-change @0 a87d,100x30,0,0,0 a87d,100x30,0,0,0 *\n"
    b"%exit\n"
)
MEANT = [
    Output(b"\x1b[1mbold\x1b[m back\\slash\r\n"),
    Answer((b"first", b"%output %0 no output", b"", b"last"), ok=True),
    Answer((b"unknown command",), ok=False),
    Exit(),
]


def test_lines_become_events() -> None:
    assert Parser().feed(SPOKEN) == MEANT


def test_it_does_not_matter_how_they_are_cut() -> None:
    chance = random.Random(7)
    for _ in range(200):
        parser, found, rest = Parser(), [], SPOKEN
        while rest:
            size = chance.randint(1, 9)
            found += parser.feed(rest[:size])
            rest = rest[size:]
        assert found == MEANT


@pytest.mark.parametrize(
    ("escaped", "meant"),
    [
        (b"plain \xe2\x82\xac", b"plain \xe2\x82\xac"),
        (b"\\033\\134\\000\\177\\377", b"\x1b\\\x00\x7f\xff"),
        (b"\\0\\08\\9", b"\\0\\08\\9"),
        (b"\\777", b"\\777"),
    ],
)
def test_bytes_are_unescaped(escaped: bytes, meant: bytes) -> None:
    assert unescaped(escaped) == meant


@pytest.mark.parametrize(
    "line",
    [b"%output\n", b"%output \n", b"%output %0\n", b"%end 1 2 3\n", b"%begin\n%end\n", b"%\n",
     b"\xff\xfe\n", b"%begin 1 1 1\n%begin 1 1 1\n"],
)  # fmt: skip
def test_nonsense_is_passed_over(line: bytes) -> None:
    for event in Parser().feed(line):
        assert event in (Output(b""), Answer((), ok=True))


def test_a_line_without_end_takes_no_memory() -> None:
    parser = Parser()
    for _ in range(100):
        assert parser.feed(b"x" * (1 << 17)) == []
    assert len(parser._rest) <= 4 << 20


def test_an_answer_without_end_takes_no_memory() -> None:
    parser = Parser()
    parser.feed(b"%begin 1 1 1\n")
    line = b"y" * (1 << 20) + b"\n"
    for _ in range(40):
        assert parser.feed(line) == []
    [answer] = parser.feed(b"%end 1 1 1\n")
    assert isinstance(answer, Answer)
    assert sum(map(len, answer.lines)) <= 32 << 20


def test_every_byte_can_be_typed() -> None:
    data = bytes(range(256)) * 3
    commands = keys("=shell:", data, most=100)
    typed = b"".join(bytes.fromhex(c.split(b"-H ")[1].decode()) for c in commands)
    assert typed == data
    assert all(c.startswith(b"send-keys -t =shell: -H ") and c.endswith(b"\n") for c in commands)
    assert all(c.count(b"\n") == 1 for c in commands)


ASKED = (
    b"a\x1b[cb\x1b[0cc\x1b[>cd\x1b[6ne\x1b[5nf\x1b[>0qg\x1b[18th\x1bP$q q\x1b\\i"
    b"\x1b[?u\x1b[?2004$p\x1b[38;5;6mj\x1b[3Ck\x1b]8;;http://x\x1b\\l"
)
LEFT = b"abcdefghi\x1b[?u\x1b[?2004$p\x1b[38;5;6mj\x1b[3Ck\x1b]8;;http://x\x1b\\l"


def test_questions_that_tmux_answers_are_taken_out_and_no_others() -> None:
    assert WithoutQuestions().feed(ASKED) == LEFT


def test_questions_are_known_in_pieces_too() -> None:
    chance = random.Random(3)
    for _ in range(300):
        plain, found, rest = WithoutQuestions(), b"", ASKED
        while rest:
            size = chance.randint(1, 5)
            found += plain.feed(rest[:size])
            rest = rest[size:]
        assert found == LEFT
