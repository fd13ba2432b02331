"""The tree of stages of one operation, each on a line: when it ran, how long, how far it is."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from banger_tui.engine.model import OperationView, StageState, StageView
from banger_tui.widgets import units
from banger_tui.widgets.stage_text import FAINT, amount, bar, clip, left, rate, summed, took
from banger_tui.widgets.states import STAGES, style


def rows(
    stages: Sequence[StageView], *, folded: bool, depth: int = 0
) -> list[tuple[int, StageView]]:
    """The tree of stages as lines with their depth; ``folded``: open only where work goes on."""
    found: list[tuple[int, StageView]] = []
    for stage in stages:
        found.append((depth, stage))
        if not folded or stage.state in (StageState.RUNNING, StageState.FAILED):
            found.extend(rows(stage.children, folded=folded, depth=depth + 1))
    return found


def timeline(
    operation: OperationView, now: float, width: int, *, folded: bool = False
) -> list[Content]:
    """Each stage on a line: state, name, when it ran within the whole, how long, how much."""
    found = rows(operation.stages, folded=folded)
    if not found:
        return [Content.styled("no stages yet", FAINT)]
    name_room = max(len(stage.name) + 2 * depth for depth, stage in found) + 3
    name_room = min(name_room, max(18, width * 2 // 5))
    end = operation.ended if operation.ended is not None else now
    whole = max(end - operation.started, 0.001)
    # While it goes on, what moves is worth more than when it began.
    facts_room = 34 if operation.state.over else 68
    bar_room = min(width - name_room - facts_room, 48)
    room = width - name_room - 9 - max(0, bar_room if bar_room > 8 else 0)
    lines: list[Content] = []
    for depth, stage in found:
        look = STAGES[stage.state]
        name = "  " * depth + units.plain(stage.name, 60)
        faint = stage.state in (StageState.PENDING, StageState.SKIPPED)
        text = Content.assemble(
            (f"{look.glyph} ", style(look)), (name, FAINT if faint else "bold" if not depth else "")
        )
        text = clip(text, name_room)
        text = text.pad_right(max(0, name_room - text.cell_length))
        parts = [text]
        if bar_room > 8:
            parts.append(_gantt(stage, operation.started, whole, now, bar_room))
        elapsed = "" if stage.state is StageState.SKIPPED else took(stage, now)
        parts.append(Content(f" {elapsed:>6}  "))
        parts.append(_moving(summed(stage), room))
        if stage.detail:
            gap = "  " if parts[-1].plain else ""
            parts.append(Content.styled(gap + units.plain(stage.detail, 200), FAINT))
        lines.append(clip(Content("").join(parts), width))
    return lines


def _moving(stage: StageView, room: int) -> Content:
    """How far it is: a bar while its end is known, then what there is room for."""
    running = stage.state is StageState.RUNNING and bool(stage.total)
    share = stage.done / stage.total if stage.total else 0.0
    if room >= 60 or not running:
        facts = [fact for fact in (amount(stage), rate(stage), left(stage)) if fact]
    elif room >= 40 and stage.unit == "bytes":
        sizes = f"{units.size(stage.done)} of {units.size(stage.total or 0)}"
        facts = [sizes, *([f"{units.size(stage.rate)}/s"] if stage.rate else []), left(stage)]
    elif room >= 28:
        facts = [f"{units.percent(share):>4}", left(stage)]
    else:
        fact = f"{units.size(stage.rate)}/s" if rate(stage) else units.percent(share)
        return Content.assemble(bar(share, 5), f" {fact} {left(stage)}")
    told = Content(" · ".join(fact for fact in facts if fact))
    return Content.assemble(bar(share, 12 if room >= 60 else 8), "  ", told) if running else told


def _gantt(stage: StageView, start: float, whole: float, now: float, width: int) -> Content:
    if stage.started is None:
        return Content(" " * width)
    ended = stage.ended if stage.ended is not None else now
    first = int((stage.started - start) / whole * width)
    first = max(0, min(first, width - 1))
    length = max(1, min(width - first, round((ended - stage.started) / whole * width)))
    tone = {StageState.FAILED: "$text-error", StageState.CANCELLED: FAINT}.get(
        stage.state, "$primary"
    )
    mark = "━" * length if ended - stage.started > 0 else "▏"
    return Content.assemble(" " * first, (mark, tone), " " * (width - first - length))
