"""Looking for text in scrollback and screen."""

from __future__ import annotations

import pytest

from banger_tui.widgets.terminal.core import Mark, MarkKind, VtCore


def filled(vt: VtCore, count: int) -> None:
    for start in range(0, count, 100):
        vt.feed(b"".join(b"line %d has Apples\r\n" % n for n in range(start, start + 100)))


def finish(vt: VtCore, slices: int = 10_000) -> None:
    while vt.search_work():
        slices -= 1
        assert slices, "the search never ends"


def current(vt: VtCore) -> str:
    """The row of the current match."""
    for y, marks in vt.marks().items():
        if any(mark.kind is MarkKind.CURRENT_MATCH for mark in marks):
            return vt.lines()[y]
    return ""


def test_newest_first_then_older_and_round(vt: VtCore) -> None:
    filled(vt, 2_000)
    vt.search("apples")
    finish(vt)
    assert vt.search_place == (2_000, 2_000)
    assert current(vt) == "line 1999 has Apples"
    vt.search_step(back=True)
    assert vt.search_place == (1_999, 2_000)
    assert current(vt) == "line 1998 has Apples"
    for _ in range(500):
        vt.search_step(back=True)
    assert current(vt) == "line 1498 has Apples", "scrolled into view"
    assert vt.scroll_offset
    vt.search_step(back=False)
    assert current(vt) == "line 1499 has Apples"
    for _ in range(500):
        vt.search_step(back=False)
    vt.search_step(back=False)
    assert vt.search_place == (1, 2_000), "round the end"
    assert current(vt) == "line 0 has Apples"


def test_marks_of_all_matches_shown(vt: VtCore) -> None:
    vt.feed("x Needle 漢字 needle\r\nnone\r\nNEEDLE".encode())
    vt.search("needle")
    finish(vt)
    assert {(y, mark[:2]) for y, marks in vt.marks().items() for mark in marks} == {
        (0, (2, 8)),
        (0, (14, 20)),
        (2, (0, 6)),
    }
    assert Mark(0, 6, MarkKind.CURRENT_MATCH) in vt.marks()[2]
    vt.search("漢字")
    finish(vt)
    assert {mark[:2] for mark in vt.marks()[0]} == {(9, 13)}


def test_a_far_match_is_found_and_shown(vt: VtCore) -> None:
    vt.feed(b"the needle\r\n")
    filled(vt, 2_500)
    vt.search("needle")
    finish(vt)
    assert vt.search_place == (1, 1)
    assert current(vt) == "the needle"


def test_nothing_found_and_the_end_of_a_search(vt: VtCore) -> None:
    filled(vt, 100)
    vt.search("pears")
    finish(vt)
    assert vt.search_place == (0, 0)
    assert vt.marks() == {}
    vt.search_step(back=True)
    assert vt.scroll_offset == 0
    vt.search("apples")
    assert vt.marks()
    vt.search("")
    assert vt.search_place == (0, 0)
    assert vt.marks() == {}
    assert vt.search_work() is False
    vt.search("\ud800")
    vt.search("(.*")
    finish(vt)
    assert vt.search_place == (0, 0)
    vt.search("x" * 100_000)
    finish(vt)


def test_output_meanwhile_is_found_too(vt: VtCore) -> None:
    filled(vt, 200)
    vt.search("apples")
    finish(vt)
    vt.feed(b"more Apples\r\n" * 60)
    finish(vt)
    assert vt.search_place[1] == 260
    vt.search_step(back=False)
    vt.search_step(back=False)
    vt.feed(b"\x1b[?1049h\x1b[H apples")
    finish(vt)
    vt.marks()
    vt.search_step(back=True)
    vt.feed(b"\x1b[?1049l\x1bc")
    finish(vt)
    assert vt.marks() == {}
    vt.search_step(back=True)


@pytest.mark.parametrize("cols", [20, 200])
def test_a_resize_meanwhile(vt: VtCore, cols: int) -> None:
    filled(vt, 300)
    vt.search("apples")
    finish(vt)
    vt.resize(cols, 30)
    finish(vt)
    assert vt.search_place[1] >= 300
    vt.search_step(back=True)
    assert "pples" in current(vt)


def test_a_search_for_what_is_everywhere_is_bounded(vt: VtCore) -> None:
    vt.feed(b"a" * 80 * 3_000)
    vt.search("a")
    finish(vt, 500)
    assert vt.search_place[1] < 200_000
    vt.marks()
