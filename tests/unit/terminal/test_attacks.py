"""None of the attacks gets out of the terminal."""

from __future__ import annotations

import pytest

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import VtCore
from banger_tui.widgets.terminal.replies import allowed_reply

from .attacks import ATTACKS, COMMAND, MARKER, Attack

MOVERS = set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029\ufeff")


def feed(vt: VtCore, data: bytes) -> None:
    for start in range(0, len(data), vt.slice_bytes):
        vt.feed(data[start : start + vt.slice_bytes])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_does_nothing(vt: VtCore, attack: Attack) -> None:
    feed(vt, attack.data)
    replies = vt.take_replies()
    assert len(replies) <= core.MAX_PENDING_REPLY_BYTES
    assert MARKER.encode() not in replies
    assert MARKER.encode().hex().encode() not in replies.lower()
    assert COMMAND.encode() not in replies
    assert not set(replies) & set(b"\r\n\t\x03\x04\x05")
    assert b"]52" not in replies
    assert b"]l" not in replies
    assert vt.size == (80, 24)

    shown = "".join(run.text for _, row in vt.take_dirty() for run in row)
    for text in (shown, vt.title, *vt.lines()):
        assert not {c for c in text if ord(c) < 32 or 127 <= ord(c) < 160}
        assert not set(text) & MOVERS
    assert len(vt.title) <= core.MAX_TITLE_CHARS
    for text in vt.take_clipboard():  # the way that asks the person first
        assert len(text) <= core.MAX_CLIPBOARD_BYTES
        assert not {c for c in text if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)}
    links = {vt.link_at(x, y) for x in range(80) for y in range(24)} - {""}
    assert all(link.startswith("http") and link.isprintable() for link in links)
    assert vt.scrollback <= 2 * core.DEFAULT_SCROLLBACK_LINES

    feed(vt, b"\x18\x1b\\\x1bc\x1b[?2026l\x1b[Halive")
    assert vt.lines()[0].startswith("alive"), "and the terminal still works"


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b]lgotcha\x1b\\",
        b"\x1b]Lgotcha\x1b\\",
        b"\x1b]52;c;aGk=\x07",
        b"\x1b]0;x\x07",
        b"gotcha\r",
        b"\x1b[5n\r",
        b"\x1b[5n\x1b[5n;touch x",
        b"\x1bP1$rgotcha\x1b\\",
        b"\x1bP1+r676f7463=41\x1b\\",
        b"\x1b_Gi=1;gotcha\x1b\\",
        b"\x1bP>|gotcha\rls\r\x1b\\",
        b"\x1b[" + b"1;" * 100 + b"n",
        b"",
    ],
)
def test_other_answers_never_reach_the_guest(reply: bytes) -> None:
    assert allowed_reply(reply) == b""


@pytest.mark.parametrize(
    "reply",
    [
        b"\x1b[?62;22c",
        b"\x1b[>1;0;0c",
        b"\x1b[0n",
        b"\x1b[3;7R",
        b"\x1b[?2026;2$y",
        b"\x1bP1$r0m\x1b\\",
        b"\x1bP1$r2 q\x1b\\",
        b"\x1bP1$r1;24r\x1b\\",
        b"\x1b]4;1;rgb:cccc/6666/6666\x07",
        b"\x1b[8;24;80t",
        b"\x1bP!|00000000\x1b\\",
        b"\x1b[?0u",
    ],
)
def test_known_answers_reach_the_guest(reply: bytes) -> None:
    assert allowed_reply(reply) == reply
