"""Rows as strips: geometry, styles, cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import PLAIN, Attr, CellStyle, Run
from banger_tui.widgets.terminal.strips import fit, rich_style, row_strip, with_cursor


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
