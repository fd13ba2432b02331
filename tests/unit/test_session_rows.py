"""What the list of sessions says of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from banger_tui.engine.model import SessionMode, SessionState, SessionView
from banger_tui.widgets.session_rows import SESSIONS, SessionRow, command, look, state

SEEN = SessionView(
    "id", "fox", "build", SessionMode.PIPE, SessionState.RUNNING, ("make", "-j 2"), 100.0
)


@pytest.mark.parametrize(
    ("changes", "word", "glyph"),
    [
        ({}, "runs", "●"),
        ({"waiting": True}, "waits for a reader", "●"),
        ({"state": SessionState.EXITED, "exit_code": 0}, "exit 0", "○"),
        ({"state": SessionState.EXITED, "exit_code": 3}, "exit 3", "✗"),
        ({"state": SessionState.LOST}, "lost", "✗"),
    ],
)
def test_each_state_has_a_word_and_a_glyph(
    changes: dict[str, object], word: str, glyph: str
) -> None:
    seen = replace(SEEN, **changes)  # type: ignore[arg-type]
    assert state(seen) == word
    assert look(seen).glyph == glyph


def test_a_command_is_one_harmless_line() -> None:
    assert command(SEEN) == "make '-j 2'"
    assert command(replace(SEEN, argv=())) == "login shell"
    assert "\x1b" not in command(replace(SEEN, argv=("\x1b]0;x\x07", "a\nb")))


def test_columns_tell_all_of_a_session() -> None:
    row = SessionRow(replace(SEEN, out_bytes=2048, err_bytes=1024))
    texts = {column.id: column.text(row, 160.0) for column in SESSIONS.columns}
    assert texts == {
        "name": "build", "machine": "fox", "state": "runs", "since": "1m", "said": "3K",
        "mode": "pipe", "command": "make '-j 2'",
    }  # fmt: skip
