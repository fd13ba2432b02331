"""The stages of an operation as lines of text. Pure: same view and moment, same lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from banger_tui.cli.style import Style
from banger_tui.cli.text import cells, duration, fit, padded, printable, running, size
from banger_tui.engine.model import OperationState, OperationView, StageState, StageView

_GLYPHS: dict[str, tuple[str, str]] = {
    "pending": ("○", "dim"),
    "running": ("◐", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
    "cancelled": ("✗", "yellow"),
}
_NAME_COLUMN = 26
_TIME_COLUMN = 6


def headline(view: OperationView, now: float, style: Style) -> str:
    """The operation in one line: ``✓ create quiet-fox  2.3s``."""
    glyph, colour = _GLYPHS[view.state.value]
    elapsed = view.elapsed(now)
    spent = duration(elapsed) if view.state.over else running(elapsed)
    words = f"{printable(view.title)}  {spent}"
    if view.state in (OperationState.FAILED, OperationState.CANCELLED):
        words += f"  {view.state.value}"
    return f"{style.paint(glyph, colour)} {style.paint(words, 'bold')}"


def operation_lines(
    view: OperationView, now: float, style: Style, width: int | None, *, whole: bool = False
) -> list[str]:
    """Headline and stages.

    Unless ``whole``, stages that went well fold their children away, and at the end stages that
    never began are left out.
    """
    stages = (
        tuple(_settled(stage, view) for stage in view.stages) if view.state.over else view.stages
    )
    shown = [
        (stage, depth)
        for stage, depth in _walk(stages, whole)
        if whole or not (stage.state is StageState.PENDING and view.state.over)
    ]
    widest = max((2 * depth + cells(stage.name) for stage, depth in shown), default=0)
    column = min(widest, max(14, width // 2 - 4) if width else _NAME_COLUMN)
    lines = [headline(view, now, style)]
    lines += [stage_line(stage, now, style, width, depth, column) for stage, depth in shown]
    return [style.glyphs(line) for line in lines]


def _settled(stage: StageView, view: OperationView) -> StageView:
    """What still ran when the operation ended ended with it."""
    children = tuple(_settled(child, view) for child in stage.children)
    if stage.state is not StageState.RUNNING:
        return replace(stage, children=children)
    state = StageState.FAILED if view.state is OperationState.FAILED else StageState.CANCELLED
    return replace(stage, state=state, ended=view.ended, children=children)


def stage_line(
    stage: StageView,
    now: float,
    style: Style,
    width: int | None,
    depth: int = 1,
    column: int = _NAME_COLUMN,
) -> str:
    """One stage: glyph, name, time, progress, and what it is at.

    Args:
        width: the terminal's columns, to which it is cut; None: as long as it gets.
        column: where the time begins, counted from the glyph of an unindented stage.
    """
    glyph, colour = _GLYPHS[stage.state.value]
    indent = "  " * depth
    room = (width - 1 if width else 1000) - len(indent) - 2
    rest = _facts(stage, now)
    name = fit(printable(stage.name), min(room, max(4, column - len(indent))) if rest else room)
    if rest:
        name = padded(name, min(column - len(indent), room))
    text = fit(rest, room - cells(name) - 1)
    dim = stage.state in (StageState.PENDING, StageState.SKIPPED)
    painted = style.paint(name, "dim") if dim else name
    return f"{indent}{style.paint(glyph, colour)} {painted} {style.paint(text, 'dim')}".rstrip()


def progress(stage: StageView) -> str:
    """How far a stage is: ``52.1 MiB of 180 MiB, 29%, 2.9 MiB/s``."""
    if not stage.unit or (not stage.done and not stage.total):
        return ""
    counted = stage.unit == "bytes"
    parts = []
    if stage.total and stage.state is not StageState.DONE:
        share = min(100, 100 * stage.done // stage.total)
        if counted:
            parts.append(f"{size(stage.done)} of {size(stage.total)}")
        else:
            parts.append(f"{stage.done} of {stage.total} {printable(stage.unit)}")
        parts.append(f"{share}%")
    else:
        parts.append(size(stage.done) if counted else f"{stage.done} {printable(stage.unit)}")
    if counted and stage.rate >= 1:
        parts.append(f"{size(stage.rate)}/s")
    return ", ".join(parts)


def _facts(stage: StageView, now: float) -> str:
    elapsed = stage.elapsed(now)
    spent = ""
    if elapsed is not None:
        spent = running(elapsed) if stage.state is StageState.RUNNING else duration(elapsed)
    word = stage.state.value if stage.state in (StageState.FAILED, StageState.CANCELLED) else ""
    told = [part for part in (word, progress(stage), printable(stage.detail)) if part]
    if not told:
        return padded(spent, _TIME_COLUMN, right=True) if spent else ""
    return f"{padded(spent, _TIME_COLUMN, right=True)}  {'  '.join(told)}"


def _walk(
    stages: tuple[StageView, ...], whole: bool, depth: int = 1
) -> Iterator[tuple[StageView, int]]:
    for stage in stages:
        yield stage, depth
        if whole or stage.state not in (StageState.DONE, StageState.SKIPPED, StageState.PENDING):
            yield from _walk(stage.children, whole, depth + 1)
