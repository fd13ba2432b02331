"""Selecting text: by cell, word and line, while output scrolls by."""

from __future__ import annotations

import pytest

from banger_tui.widgets.terminal.core import Mark, MarkKind, Unit, VtCore

SELECTED = MarkKind.SELECTED


def numbered(vt: VtCore, count: int, start: int = 0) -> None:
    vt.feed(b"".join(b"line %d of text\r\n" % n for n in range(start, start + count)))


def test_cells_in_either_direction(vt: VtCore) -> None:
    vt.feed(b"hello world\r\nsecond line")
    vt.begin_selection(6, 0)
    assert vt.selection_text() == ""
    assert vt.marks() == {}
    vt.extend_selection(2, 1)
    assert vt.selection_text() == "world\nsec"
    assert vt.marks() == {0: [Mark(6, 80, SELECTED)], 1: [Mark(0, 3, SELECTED)]}
    vt.extend_selection(1, 0)
    assert vt.selection_text() == "ello w"
    assert vt.marks() == {0: [Mark(1, 7, SELECTED)]}
    vt.extend_selection(6, 0)
    assert vt.selection_text() == "w"
    vt.clear_selection()
    assert vt.selection_text() == ""
    assert vt.marks() == {}
    vt.extend_selection(3, 0)
    assert vt.selection_text() == "", "nothing without a beginning"


def test_words_and_lines(vt: VtCore) -> None:
    vt.feed(b'cp "/etc/fstab.old" dir-2/x\r\nnext (word)')
    vt.begin_selection(8, 0, Unit.WORD)
    assert vt.selection_text() == "/etc/fstab.old"
    vt.extend_selection(25, 0)
    assert vt.selection_text() == '/etc/fstab.old" dir-2/x'
    vt.extend_selection(1, 0)
    assert vt.selection_text() == 'cp "/etc/fstab.old'
    vt.begin_selection(7, 1, Unit.WORD)
    assert vt.selection_text() == "word"
    vt.begin_selection(9, 0, Unit.LINE)
    assert vt.selection_text() == 'cp "/etc/fstab.old" dir-2/x'
    vt.extend_selection(0, 1)
    assert vt.selection_text() == 'cp "/etc/fstab.old" dir-2/x\nnext (word)'


def test_wrapped_lines_are_one_and_blanks_at_ends_are_left_out(vt: VtCore) -> None:
    vt.feed(b"x" * 100 + b"   \r\nend   \r\n")
    vt.begin_selection(3, 1, Unit.LINE)
    assert vt.selection_text() == "x" * 100
    vt.begin_selection(70, 0)
    vt.extend_selection(79, 2)
    assert vt.selection_text() == "x" * 30 + "\nend"


def test_wide_characters_are_taken_whole(vt: VtCore) -> None:
    vt.feed("a漢字b".encode())
    vt.begin_selection(2, 0)
    vt.extend_selection(3, 0)
    assert vt.selection_text() == "漢字"
    assert vt.marks() == {0: [Mark(1, 5, SELECTED)]}


def test_it_stays_on_its_text_while_output_scrolls(vt: VtCore) -> None:
    numbered(vt, 20)
    vt.begin_selection(0, 10)
    vt.extend_selection(6, 10)
    assert vt.selection_text() == "line 10"
    numbered(vt, 7, 20)
    assert vt.selection_text() == "line 10"
    assert vt.marks() == {6: [Mark(0, 7, SELECTED)]}
    vt.extend_selection(6, 7)
    assert vt.selection_text().split("\n")[-1] == "line 11", "it goes on from where it began"
    numbered(vt, 100, 27)
    assert vt.marks() == {}
    assert vt.selection_text().startswith("line 10")
    vt.scroll_to_top()
    assert vt.marks() == {10: [Mark(0, 80, SELECTED)], 11: [Mark(0, 7, SELECTED)]}


def test_through_the_scrollback(vt: VtCore) -> None:
    numbered(vt, 3_000)
    vt.scroll_to_top()
    vt.begin_selection(0, 0)
    vt.scroll_to_bottom()
    vt.extend_selection(79, 22)
    lines = vt.selection_text().split("\n")
    assert lines == [f"line {n} of text" for n in range(3_000)]


def test_on_the_other_screen_nothing_is_selected(vt: VtCore) -> None:
    numbered(vt, 30)
    vt.begin_selection(0, 3)
    vt.extend_selection(9, 5)
    vt.feed(b"\x1b[?1049hvim")
    assert vt.selection_text() == ""
    assert vt.marks() == {}
    vt.extend_selection(3, 3)
    assert vt.marks() == {}
    vt.feed(b"\x1b[?1049l")
    vt.extend_selection(3, 3)
    vt.marks()


@pytest.mark.parametrize("engine", ["ghostty"], indirect=True)
def test_a_resize_keeps_it_on_its_text(vt: VtCore) -> None:
    numbered(vt, 200)
    vt.feed(b"y" * 150)
    vt.begin_selection(5, 4)
    vt.extend_selection(10, 4)
    before = vt.selection_text()
    assert before
    for cols in (40, 133, 80):
        vt.resize(cols, 30)
        assert vt.selection_text() == before


def test_places_outside_the_grid_are_its_edges(vt: VtCore) -> None:
    numbered(vt, 30)
    vt.begin_selection(-5, -5)
    vt.extend_selection(1_000, 1_000)
    assert vt.selection_text().startswith("line 7 of text\nline 8")
    assert set(vt.marks()) == set(range(24))


def test_forgotten_text_is_no_longer_selected(engine: str) -> None:
    from banger_tui.widgets.terminal import core

    vt = core.create(80, 24, scrollback_lines=100)
    numbered(vt, 30)
    vt.begin_selection(0, 0)
    vt.extend_selection(79, 0)
    for n in range(20):
        numbered(vt, 500, n * 500)
    vt.extend_selection(3, 3)
    assert len(vt.selection_text()) < 100 * 1000
    vt.marks()
    vt.feed(b"\x1b[3J\x1bc")
    vt.extend_selection(3, 3)
    vt.selection_text()
    vt.close()
