"""Sizes, times and hostile text as the command line writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.cli.style import Style
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import (
    ago,
    cells,
    duration,
    fit,
    harmless,
    padded,
    printable,
    running,
    short_size,
    size,
    span,
)

PLAIN = Style()


@pytest.mark.parametrize(
    ("count", "long", "short"),
    [
        (0, "0 B", "0B"),
        (999, "999 B", "999B"),
        (1024, "1.0 KiB", "1K"),
        (1536, "1.5 KiB", "1.5K"),
        (54_631_859, "52.1 MiB", "52M"),
        (512 << 20, "512 MiB", "512M"),
        (1000 << 20, "1.0 GiB", "1.0G"),
        (8 << 30, "8.0 GiB", "8G"),
        (5 << 50, "5120 TiB", "5120T"),
    ],
)
def test_sizes(count: int, long: str, short: str) -> None:
    assert size(count) == long
    assert short_size(count) == short


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0ms"),
        (0.04, "40ms"),
        (0.9999, "1.0s"),
        (2.14, "2.1s"),
        (59.97, "1m00s"),
        (65, "1m05s"),
        (3599.7, "1h00m"),
        (7380, "2h03m"),
    ],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_growing_span_keeps_its_unit_below_a_second() -> None:
    assert running(0.04) == "0.0s"


@pytest.mark.parametrize(
    ("seconds", "told"), [(-3, "0s"), (59, "59s"), (60, "1m"), (7300, "2h"), (200_000, "2d")]
)
def test_spans(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_moments_are_told_from_now(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = 1_767_268_800.0 - 3600 * 0  # 2026-01-01 12:00 UTC
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert ago(noon - 1, noon) == "just now"
    assert ago(noon - 840, noon) == "14m ago"
    assert ago(noon - 11 * 3600, noon) == "11h ago"
    assert ago(noon - 20 * 3600, noon) == "yesterday"
    assert ago(noon - 3 * 86400, noon) == "3d ago"
    assert ago(noon - 40 * 86400, noon) == "2025-11-22"


@given(st.text())
def test_nothing_a_terminal_acts_on_gets_through(text: str) -> None:
    assert printable(text).isprintable()
    assert all(c in "\n\t" or c.isprintable() for c in harmless(text))


def test_sequences_go_as_a_whole() -> None:
    hostile = "a\x1b[31mb\x1b]0;title\x07c\x1bPq\x1b\\d\x1b(Be\x07f\r\ng\x9b1mh"
    assert harmless(hostile) == "abcdef\ng1mh"
    assert printable("x\x1b]52;c;AAAA\x1b\\y\nz") == "xy z"


@given(st.text(), st.integers(0, 40))
def test_fitted_text_fits(text: str, width: int) -> None:
    fitted = fit(printable(text), width)
    assert cells(fitted) <= width


def test_wide_and_combining_characters_are_counted_in_columns() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert fit("日本語", 4) == "日…"
    assert padded("日本", 5, right=True) == " 日本"


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    lines = render(("NAME", ">SIZE", "NOTE"), [["a", "12M", "x"], ["bcdef", "1G", ""]], PLAIN)
    assert lines == ["NAME   SIZE  NOTE", "a       12M  x", "bcdef    1G"]


@pytest.mark.parametrize("width", range(1, 50))
def test_a_narrow_table_keeps_its_first_column_and_its_width(width: int) -> None:
    rows = [["quiet-fox", "512M", "127.0.0.1:20000", "debian-bookworm"]]
    lines = render(("NAME", ">MEMORY", "ADDRESS", "IMAGE"), rows, PLAIN, width)
    assert all(cells(line) <= width for line in lines)
    assert lines[1].startswith("quiet-fox" if width >= 9 else fit("quiet-fox", width))


def test_a_column_without_values_is_left_out() -> None:
    assert render(("NAME", "WHY", "ON"), [["a", "", "x"], ["b", "", ""]], PLAIN) == [
        "NAME  ON",
        "a     x",
        "b",
    ]


def test_values_in_tables_are_made_printable() -> None:
    lines = render(("NAME",), [[Cell("a\x1b[2Jb\nc", ("red",))]], Style(colour=True))
    assert lines[1] == "\x1b[31mab c\x1b[0m"


def test_pairs_leave_out_what_is_not_there() -> None:
    assert pairs([("name", "x"), ("reason", ""), ("image", "y")], PLAIN) == ["name   x", "image  y"]


class Stream:
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "colour", "live"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    env: dict[str, str], colour: bool, live: bool
) -> None:
    style = Style.of(Stream(), env)  # type: ignore[arg-type]  # the two things it looks at
    assert (style.colour, style.live) == (colour, live)


def test_streams_that_can_not_say_it_get_ascii() -> None:
    stream = Stream()
    stream.encoding = "iso8859-1"
    style = Style.of(stream, {})  # type: ignore[arg-type]  # the two things it looks at
    assert style.glyphs("✓ ◐ ✗ …").isascii()
