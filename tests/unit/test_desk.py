"""What was open when the app was left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from banger_tui.screens.desk import Desk, DeskFile
from banger_tui.widgets.tabs import CONSOLE, Pane, session

DESK = Desk(
    [Pane("a1", session("shell")), Pane("b2", CONSOLE)], {"a1": session("shell")}, last="b2"
)


async def test_what_was_open_is_read_again(tmp_path: Path) -> None:
    file = DeskFile(tmp_path / "desk.json")
    file.write(DESK)
    await file.close()
    assert await DeskFile(tmp_path / "desk.json").read() == DESK
    assert (tmp_path / "desk.json").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["desk.json"]


async def test_the_last_of_several_changes_is_written(tmp_path: Path) -> None:
    file = DeskFile(tmp_path / "desk.json")
    file.write(Desk(last="a"))
    file.write(Desk(last="b"))
    await file.close()
    assert (await file.read()).last == "b"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"open": 1, "tabs": {}, "last": ""}', '{"open": [[1]], "tabs": {}}',
     '{"open": [["a", "session"]], "tabs": {}, "last": ""}',
     '{"open": [], "tabs": {"a": 3}, "last": ""}'],
)  # fmt: skip
async def test_a_file_that_makes_no_sense_is_no_desk(tmp_path: Path, text: str) -> None:
    (tmp_path / "desk.json").write_text(text)
    assert await DeskFile(tmp_path / "desk.json").read() == Desk()


async def test_a_directory_that_takes_nothing_harms_nobody(tmp_path: Path) -> None:
    file = DeskFile(tmp_path / "gone" / "desk.json")
    file.write(DESK)
    await file.close()
    assert await file.read() == Desk()
