"""What the filter before the emulator lets through, and how costly a guest's output can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.guest_filter import MAX_REPEAT, MAX_REPEATS, GuestFilter


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain text\r\n", b"plain text\r\n"),
        (b"x\x1b[79b", b"x\x1b[79b"),
        (b"x\x1b[b", b"x\x1b[b"),
        (b"x\x1b[65535b", b"x\x1b[1000b"),
        (b"x\x1b[0000065535b", b"x\x1b[1000b"),
        (b"x\x1b[99999999999999999999b", b"x\x1b[1000b"),
        (b"x\x1b[6\x00553\x085b", b"x\x1b[1000b"),
        (b"x\x1b\x00[65535b", b"x\x1b[1000b"),
        (b"x\x1b[65535;1b", b"x\x1b[1000b"),
        (b"\x1b[?40h\x1b[?3hy", b"y"),
    ],
)
def test_what_passes(data: bytes, expected: bytes) -> None:
    assert GuestFilter().feed(data) == expected
    cut = GuestFilter()
    assert b"".join(cut.feed(data[n : n + 1]) for n in range(len(data))) == expected


def test_repeats_of_one_piece_have_a_limit() -> None:
    guest = GuestFilter()
    assert guest.feed(b"x\x1b[1000b" * 500).count(b"\x1b[1000b") == MAX_REPEATS // MAX_REPEAT
    assert guest.feed(b"x\x1b[5b") == b"x\x1b[5b", "the next piece has its own"


def test_what_waits_is_bounded() -> None:
    guest = GuestFilter()
    for _ in range(1000):
        guest.feed(b"\x1b[" if _ == 0 else b"1;" * 50)
    assert len(guest._waiting) < 5000


@given(
    st.lists(
        st.sampled_from(
            [
                b"\x1b",
                b"[",
                b"?",
                b"3",
                b"h",
                b"9999",
                b"b",
                b"x",
                b";",
                b"\x00",
                b"\x18",
                b"m",
                b"\x1b[1m",
                b"\n",
            ]
        ),
        max_size=16,
    )
)
def test_cuts_change_nothing(pieces: list[bytes]) -> None:
    whole = GuestFilter()
    cut = GuestFilter()
    data = b"".join(pieces) + b"\x18end"
    assert whole.feed(data) == b"".join(cut.feed(data[n : n + 1]) for n in range(len(data)))


def test_a_flood_of_repeats_writes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(core.ENGINE_VARIABLE, "ghostty")
    terminal = core.create(100, 24)
    terminal.feed(b"\x1b]8;;http://a.b/\x07" + b"x\x1b[65535b" * 400)
    assert terminal.scrollback * 100 <= MAX_REPEATS + 400
    terminal.close()
