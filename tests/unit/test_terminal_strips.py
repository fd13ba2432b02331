"""Rows as strips: geometry, styles, cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import (
    PLAIN,
    Attr,
    CellStyle,
    CursorShape,
    Mark,
    MarkKind,
    Run,
)
from banger_tui.widgets.terminal.strips import fit, rich_style, row_strip, with_cursor, with_marks


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The emulator's library: its first use takes a second."""
    core.preload()


def text_of(strip: Strip) -> str:
    return "".join(segment.text for segment in strip)


def test_default_colours_are_left_to_the_theme() -> None:
    strip = row_strip((Run("plain", PLAIN, 5),))
    assert [segment.style for segment in strip] == [Style.null()]


def test_styles() -> None:
    attrs = Attr.BOLD | Attr.DIM | Attr.ITALIC | Attr.UNDERLINE | Attr.REVERSE | Attr.STRIKE
    style = rich_style(CellStyle(fg=9, bg=(1, 2, 3), attrs=int(attrs | Attr.BLINK)))
    assert style.color is not None
    assert style.color.number == 9
    assert style.bgcolor is not None
    assert style.bgcolor.triplet == (1, 2, 3)
    assert style.bold
    assert style.dim
    assert style.italic
    assert style.underline
    assert style.reverse
    assert style.strike
    assert style.blink


def test_concealed_text_is_blank() -> None:
    row = (Run("secret", CellStyle(attrs=int(Attr.CONCEAL)), 6), Run("漢", PLAIN, 2))
    assert text_of(row_strip(row)) == "      漢"


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", 3),
        ("漢字", 4),
        ("e\u0301", 1),
        ("\u2764\ufe0f", 1),
        ("\u2764\ufe0f", 2),
        ("\u0301", 1),
        ("\u200d", 1),
        ("\U0001f469\u200d\U0001f467", 2),
        ("\U0001f1e9\U0001f1ea", 2),
        ("\U0001f1e9", 1),
        ("\U0001f1e9", 2),
        ("漢", 1),
        ("x", 2),
        ("漢x", 2),
    ],
)
def test_fit_keeps_the_columns(text: str, cells: int) -> None:
    assert cell_len(fit(text, cells)) == cells


def test_fit_leaves_good_text_alone() -> None:
    for text, cells in [("e\u0301", 1), ("漢", 2), ("é─│█", 4)]:
        assert fit(text, cells) == text


@given(st.text(max_size=60))
def test_rows_always_measure_as_the_grid(text: str) -> None:
    terminal = core.create(40, 5)
    terminal.feed(text.encode("utf-8", "replace"))
    for _, row in terminal.take_dirty():
        strip = row_strip(row)
        assert strip.cell_length == 40
        for segment in strip:
            assert not segment.control
    terminal.close()


@pytest.mark.parametrize("focused", [True, False])
@pytest.mark.parametrize("x", [0, 1, 2, 3, 4, 5, 8, 9])
def test_cursor_keeps_text_and_columns(x: int, focused: bool) -> None:
    row = (Run("ab", CellStyle(fg=1), 2), Run("漢字", PLAIN, 4), Run("    ", PLAIN, 4))
    strip = with_cursor(row_strip(row), x, focused=focused)
    assert text_of(strip) == "ab漢字    "
    assert strip.cell_length == 10
    marked = [s for s in strip if s.style and (s.style.reverse or s.style.underline)]
    assert [s.text for s in marked] == [
        {0: "a", 1: "b", 2: "漢", 3: "漢", 4: "字", 5: "字"}.get(x, " ")
    ]
    style = marked[0].style
    assert style is not None
    assert bool(style.reverse) is focused


def test_cursor_on_reversed_text_is_seen() -> None:
    strip = row_strip((Run("abc", CellStyle(attrs=int(Attr.REVERSE)), 3),))
    reverse = [bool(s.style and s.style.reverse) for s in with_cursor(strip, 1, focused=True)]
    assert reverse == [True, False, True]


def test_cursor_outside_is_no_cursor() -> None:
    strip = row_strip((Run("abc", PLAIN, 3),))
    assert with_cursor(strip, 3, focused=True) is strip


def test_a_second_underline_is_not_a_first() -> None:
    style = rich_style(CellStyle(attrs=int(Attr.UNDERLINE | Attr.DOUBLE_UNDERLINE)))
    assert style.underline2
    assert not style.underline


def test_links_are_underlined() -> None:
    assert rich_style(CellStyle(attrs=int(Attr.LINK))).underline
    assert rich_style(CellStyle(fg=1, attrs=int(Attr.LINK | Attr.BOLD))).underline


@pytest.mark.parametrize("attrs", [0, Attr.REVERSE, Attr.UNDERLINE, Attr.BOLD])
@pytest.mark.parametrize("text", ["x", " "])
def test_each_shape_of_the_cursor_is_seen_on_any_cell(attrs: int, text: str) -> None:
    strip = row_strip((Run(text, CellStyle(attrs=int(attrs)), 1),))
    looks = {
        str([(s.text, s.style) for s in with_cursor(strip, 0, focused=focused, shape=shape)])
        for shape, focused in [(shape, True) for shape in CursorShape]
        + [(CursorShape.BLOCK, False)]
    }
    looks.add(str([(s.text, s.style) for s in strip]))
    assert len(looks) == 5


LOOKS = {
    MarkKind.MATCH: Style(underline=True),
    MarkKind.CURRENT_MATCH: Style(underline=True, reverse=True),
    MarkKind.SELECTED: Style(reverse=True),
}


def marked(strip: Strip) -> list[tuple[str, bool, bool]]:
    """(text, reverse, underline) of each part."""
    return [
        (s.text, bool(s.style and s.style.reverse), bool(s.style and s.style.underline))
        for s in strip
        if s.text
    ]


def test_marks_and_which_wins() -> None:
    strip = row_strip((Run("one two ", PLAIN, 8), Run("漢字", CellStyle(fg=1), 4)))
    marks = [
        Mark(0, 3, MarkKind.MATCH),
        Mark(4, 7, MarkKind.CURRENT_MATCH),
        Mark(2, 5, MarkKind.SELECTED),
        Mark(8, 10, MarkKind.MATCH),
    ]
    result = with_marks(strip, marks, LOOKS)
    assert result.cell_length == 12
    assert text_of(result) == text_of(strip)
    assert marked(result) == [
        ("on", False, True),
        ("e", True, False),
        (" ", True, False),
        ("t", True, False),
        ("wo", True, True),
        (" ", False, False),
        ("漢", False, True),
        ("字", False, False),
    ]


def test_selected_text_that_the_guest_reversed_is_turned_back() -> None:
    strip = row_strip((Run("abcd", CellStyle(attrs=int(Attr.REVERSE)), 4),))
    result = with_marks(strip, [Mark(1, 3, MarkKind.SELECTED)], LOOKS)
    assert marked(result) == [("a", True, False), ("bc", False, False), ("d", True, False)]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 20), st.sampled_from(MarkKind))))
def test_marks_never_change_the_columns(marks: list[tuple[int, int, MarkKind]]) -> None:
    strip = row_strip((Run("one ", PLAIN, 4), Run("漢字", PLAIN, 4)))
    result = with_marks(strip, [Mark(*mark) for mark in marks], LOOKS)
    assert result.cell_length == sum(segment.cell_length for segment in result) == 8
