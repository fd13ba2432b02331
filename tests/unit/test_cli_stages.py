"""How an operation under way looks: lines for people, redrawn or logged."""

from __future__ import annotations

import dataclasses
import os

import pytest

from banger_tui.cli.progress import LiveLines, LogLines
from banger_tui.cli.stage_lines import operation_lines, progress
from banger_tui.cli.style import Style
from banger_tui.cli.text import cells
from banger_tui.engine.model import (
    OperationState,
    OperationView,
    StageState,
    StageView,
)

PLAIN = Style(unicode=True)
NOW = 1000.0

DOWNLOAD = StageView(
    "download", StageState.RUNNING, 52 << 20, 180 << 20, "bytes", 2.9 * (1 << 20), "", NOW - 18
)
PULL = StageView("pull image", StageState.RUNNING, started=NOW - 20, children=(DOWNLOAD,))
RESOLVE = StageView(
    "resolve image",
    StageState.DONE,
    started=NOW - 20,
    ended=NOW - 19.96,
    children=(StageView("look it up", StageState.DONE),),
)
VIEW = OperationView(
    id="3f2a",
    kind="create",
    subject="quiet-fox",
    state=OperationState.RUNNING,
    stages=(RESOLVE, PULL, StageView("boot")),
    started=NOW - 20,
)


def test_stages_stand_below_each_other() -> None:
    assert operation_lines(VIEW, NOW, PLAIN, 120) == [
        "◐ create quiet-fox  20.0s",
        "  ✓ resolve image   40ms",
        "  ◐ pull image     20.0s",
        "    ◐ download     18.0s  52.0 MiB of 180 MiB, 28%, 2.9 MiB/s",
        "  ○ boot",
    ]


def test_what_still_ran_at_the_end_ended_with_it() -> None:
    view = dataclasses.replace(VIEW, state=OperationState.CANCELLED, ended=NOW)
    assert operation_lines(view, NOW + 99, PLAIN, 120) == [
        "✗ create quiet-fox  20.0s  cancelled",
        "  ✓ resolve image   40ms",
        "  ✗ pull image     20.0s  cancelled",
        "    ✗ download     18.0s  cancelled  52.0 MiB of 180 MiB, 28%, 2.9 MiB/s",
    ]


def test_everything_is_there_when_asked_for() -> None:
    assert any("look it up" in line for line in operation_lines(VIEW, NOW, PLAIN, 120, whole=True))


@pytest.mark.parametrize("width", range(8, 90, 3))
def test_lines_fit_narrow_terminals(width: int) -> None:
    lines = operation_lines(VIEW, NOW, PLAIN, width)
    assert all(cells(line) < width for line in lines[1:])


def test_other_units_are_counted() -> None:
    stage = StageView("install", StageState.RUNNING, 120, 240, "packages", 15.0, started=NOW)
    assert progress(stage) == "120 of 240 packages, 50%"
    assert progress(dataclasses.replace(stage, total=None)) == "120 packages"
    assert progress(dataclasses.replace(stage, done=300, total=240)).endswith("100%")


def test_a_failed_stage_says_so_and_hostile_details_are_tamed() -> None:
    failed = StageView("boot", StageState.FAILED, detail="\x1b[2Jpanic\n", started=1, ended=2)
    view = dataclasses.replace(
        VIEW, state=OperationState.FAILED, stages=(failed, StageView("never begun")), ended=NOW
    )
    assert operation_lines(view, NOW, PLAIN, 80) == [
        "✗ create quiet-fox  20.0s  failed",
        "  ✗ boot   1.0s  failed  panic",
    ]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("banger_tui.cli.progress.window", lambda _: os.terminal_size((80, 24)))
    monkeypatch.setattr("time.time", lambda: NOW)


def on_screen(written: str) -> list[str]:
    """What a terminal shows after ``written`` (cursor up, clear to end; no wrapping)."""
    rows: list[str] = []
    at = 0
    while written:
        if written.startswith("\x1b["):
            end = next(i for i in range(2, len(written)) if written[i].isalpha())
            count, verb = written[2:end], written[end]
            if verb == "A":
                at -= int(count)
            elif verb == "J":
                del rows[at:]
            written = written[end + 1 :]
            continue
        line, _, rest = written.partition("\n")
        text = line.replace("\r", "").replace("\x1b[K", "")
        rows[at : at + 1] = [text]
        at += 1
        written = rest
    return rows


@pytest.mark.usefixtures("window")
def test_lines_are_drawn_over(capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveLines(PLAIN)
    live.show(VIEW)
    live.tick()
    live.say("Cancelling …")
    assert on_screen(capsys.readouterr().err)[-2:] == ["  ○ boot", "Cancelling …"]
    live.show(dataclasses.replace(VIEW, state=OperationState.CANCELLED, ended=NOW))
    live.close()
    written = capsys.readouterr().err
    assert "✗ create quiet-fox  20.0s  cancelled" in written


@pytest.mark.usefixtures("window")
def test_success_folds_to_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    live = LiveLines(PLAIN, fold=True)
    live.show(VIEW)
    live.show(dataclasses.replace(VIEW, state=OperationState.DONE, ended=NOW))
    live.close()
    assert on_screen(capsys.readouterr().err) == ["✓ create quiet-fox  20.0s"]


@pytest.mark.usefixtures("window")
def test_more_stages_than_rows_never_scroll(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.cli.progress.window", lambda _: os.terminal_size((80, 6)))
    stages = tuple(StageView(f"stage {i}") for i in range(30))
    live = LiveLines(PLAIN)
    live.show(dataclasses.replace(VIEW, stages=stages))
    live.tick()
    shown = on_screen(capsys.readouterr().err)
    assert shown == ["◐ create quiet-fox  20.0s", *(f"  ○ stage {i}" for i in range(26, 30))]


@pytest.mark.usefixtures("window")
def test_a_log_gets_each_end_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = LogLines(PLAIN)
    for _ in range(3):
        lines.show(VIEW)
        lines.tick()
    lines.show(dataclasses.replace(VIEW, state=OperationState.DONE, ended=NOW))
    written = capsys.readouterr().err
    assert written.count("resolve image") == 1
    assert written.count("◐ download") == 1
    assert written.splitlines()[-1] == "✓ create quiet-fox  20.0s"
    assert "\x1b" not in written
    assert "\r" not in written


@pytest.mark.usefixtures("window")
def test_a_folded_log_tells_only_what_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    lines = LogLines(PLAIN, fold=True)
    lines.show(VIEW)
    lines.show(dataclasses.replace(VIEW, state=OperationState.DONE, ended=NOW))
    written = capsys.readouterr().err
    assert [line.split()[1] for line in written.splitlines()] == ["pull", "download", "create"]
