"""Columns and words of a line, and the texts of the status."""

from __future__ import annotations

import pytest

from banger_tui.widgets.terminal import leader, status
from banger_tui.widgets.terminal.search_prompt import MAX_CHARS, Answer, SearchPrompt
from banger_tui.widgets.terminal.words import (
    columns,
    line_end,
    step_left,
    step_right,
    word_starts,
)


def test_columns_of_wide_and_combining_characters() -> None:
    assert columns("a漢b") == [0, 1, 3]
    assert columns("e\u0301x") == [0, 0, 1]
    assert columns("") == []


def test_steps() -> None:
    assert [step_right("a漢b", x, 10) for x in (0, 1, 2, 3, 8, 9)] == [1, 3, 3, 4, 9, 9]
    assert [step_left("a漢b", x) for x in (0, 1, 2, 3, 4)] == [0, 0, 1, 1, 3]
    assert [step_left("", x) for x in (0, 5)] == [0, 4]


def test_line_ends() -> None:
    assert line_end("ab漢  ") == 2
    assert line_end("   ") == 0


def test_word_starts() -> None:
    assert word_starts("  one two.three  ") == [2, 6, 9, 10]
    assert word_starts("漢字 x") == [0, 5]
    assert word_starts("") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "copied 1 character"),
        ("ab", "copied 2 characters"),
        ("a\nb", "copied 2 lines"),
        ("x" * 1234, "copied 1,234 characters"),
    ],
)
def test_what_was_copied(text: str, said: str) -> None:
    assert status.copied(text) == said


def test_positions() -> None:
    assert status.position(120, 4310) == "scrolled 120 of 4,310"
    assert status.matches((3, 17)) == "match 3 of 17"
    assert status.matches((0, 0)) == "not found"


def test_the_leader_as_hints_write_it() -> None:
    assert leader.shown(leader.LEADER) == "ctrl+]"
    assert leader.shown("ctrl+b") == "ctrl+b"


def test_the_view_and_the_screen_share_no_key() -> None:
    assert not leader.VIEW_COMMANDS.keys() & leader.SCREEN_COMMANDS.keys()


def test_a_prompt_takes_text_and_no_controls() -> None:
    prompt = SearchPrompt("before")
    for key, character in [("a", "a"), ("space", " "), ("tab", "\t"), ("f1", None), ("é", "é")]:
        assert prompt.press(key, character) is Answer.EDITED
    assert prompt.text == "a é"
    prompt.insert("\x1b[31m\x00\u202e")
    assert prompt.text == "a é[31m"
    prompt.insert("x" * 1000)
    assert len(prompt.text) == MAX_CHARS
    assert prompt.press("up", None) is Answer.EDITED
    assert prompt.text == "before"
    assert prompt.press("enter", "\r") is Answer.FIND


@pytest.mark.parametrize("key", ["escape", "ctrl+c", "backspace", "enter"])
def test_an_empty_prompt_is_left(key: str) -> None:
    assert SearchPrompt().press(key, None) is Answer.LEAVE
