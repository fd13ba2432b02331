"""Stages and operations as text: one line each, at any width. Pure but for ``Content``."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from banger_tui.engine.model import OperationView, StageState, StageView
from banger_tui.widgets import units
from banger_tui.widgets.rows import CREATES
from banger_tui.widgets.states import OPERATIONS, STAGES, style

FAINT = "$foreground-muted"
SEPARATOR = ("  ", "")


def title(operation: OperationView, most: int = 60) -> str:
    """``create quiet-fox``; ``create a machine`` until its name is made up."""
    if operation.kind == CREATES and not operation.subject:
        return "create a machine"
    return units.plain(operation.title, most)


def bar(share: float, width: int) -> Content:
    """A progress bar in half-cell steps."""
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    full, half = divmod(halves, 2)
    rest = width - full - half
    return Content.assemble(
        ("━" * full + "╸" * half, "$primary"), ("─" * rest, "$foreground-disabled")
    )


def amount(stage: StageView) -> str:
    """How much is done: ``52.1 MiB of 180 MiB``, ``12 of 140 packages``, or nothing."""
    if not stage.done and not stage.total:
        return ""
    if stage.unit == "bytes":
        done = units.moved(stage.done)
        return f"{done} of {units.moved(stage.total)}" if stage.total else done
    unit = units.plain(stage.unit, 20)
    counted = f"{stage.done} of {stage.total}" if stage.total else f"{stage.done}"
    return f"{counted} {unit}".rstrip()


def rate(stage: StageView) -> str:
    """Bytes a second while they move; other units need none."""
    if stage.unit != "bytes" or not stage.rate:
        return ""
    return f"{units.moved(stage.rate)}/s"


def took(stage: StageView, now: float) -> str:
    """How long the stage has lasted, or nothing when it has not begun."""
    elapsed = stage.elapsed(now)
    return "" if elapsed is None else units.span(elapsed)


def word(stage: StageView, now: float) -> Content:
    """``✓ prepare disk 38ms``"""
    look = STAGES[stage.state]
    name_style = {
        StageState.RUNNING: "bold",
        StageState.FAILED: "bold $text-error",
        StageState.PENDING: FAINT,
        StageState.SKIPPED: FAINT,
    }.get(stage.state, "")
    parts = [(f"{look.glyph} ", style(look)), (units.plain(stage.name, 40), name_style)]
    if (time := took(stage, now)) and stage.state is not StageState.SKIPPED:
        parts.append((f" {time}", FAINT))
    return Content.assemble(*parts)


def flow(stages: Sequence[StageView], now: float, width: int, lines: int) -> list[Content]:
    """All stages side by side; when they need more lines than there are, the oldest go first."""
    words = [word(stage, now) for stage in stages]
    rows: list[list[Content]] = []
    room = 0
    for item in words:
        need = item.cell_length + len(SEPARATOR[0])
        if not rows or need > room + len(SEPARATOR[0]):
            rows.append([])
            room = width
        rows[-1].append(item)
        room -= need
    if len(rows) > lines:
        # The row with what goes on now must be in sight.
        active = next(
            (i for i, s in enumerate(stages) if s.state in (StageState.RUNNING, StageState.FAILED)),
            0,
        )
        counted, at = 0, 0
        for index, row in enumerate(rows):
            counted += len(row)
            if active < counted:
                at = index
                break
        first = max(0, min(at, len(rows) - lines))
        rows = rows[first : first + lines]
    return [Content(SEPARATOR[0]).join(row) for row in rows]


def path(operation: OperationView) -> tuple[list[str], StageView | None]:
    """Names of the running stages from the outside in, and the innermost of them."""
    names: list[str] = []
    found: StageView | None = None
    stages = operation.stages
    while True:
        active = next((s for s in stages if s.state is StageState.RUNNING), None)
        if active is None:
            return names, found
        names.append(units.plain(active.name, 40))
        found, stages = active, active.children


def activity(operation: OperationView, now: float, width: int) -> Content:
    """What goes on just now, with a bar when its end is known, in ``width`` cells."""
    names, stage = path(operation)
    if stage is None:
        waiting = "cleaning up" if operation.cancel_requested else "working"
        return Content.styled(waiting, FAINT)
    where = " › ".join(names[-2:] if width >= 60 else names[-1:])
    parts = [Content.styled(where, "bold")]
    if stage.total:
        length = max(6, min(30, width // 4))
        parts.append(bar(stage.done / stage.total, length))
    facts = [fact for fact in (amount(stage), rate(stage), took(stage, now)) if fact]
    if facts:
        parts.append(Content(" · ".join(facts)))
    if stage.detail:
        parts.append(Content.styled(units.plain(stage.detail, 200), FAINT))
    return _clip(Content(SEPARATOR[0]).join(parts), width)


def line(operation: OperationView, now: float, width: int) -> Content:
    """One operation on one line."""
    look = OPERATIONS[operation.state]
    name = (title(operation, 40), "bold")
    head = Content.assemble((f"{look.glyph} ", style(look)), name)
    elapsed = units.span(operation.elapsed(now))
    if operation.state.over:
        text = look.word
        if operation.failure is not None:
            text = units.plain(operation.failure.title)
        rest = Content.assemble((text, style(look)), (f"  {elapsed}", FAINT))
    elif operation.cancel_requested:
        rest = Content.styled(f"cancelling, cleaning up  {elapsed}", FAINT)
    else:
        room = width - head.cell_length - len(elapsed) - 4
        rest = Content.assemble(activity(operation, now, room), (f"  {elapsed}", FAINT))
    return _clip(Content.assemble(head, SEPARATOR, rest), width)


def failure(operation: OperationView, width: int) -> list[Content]:
    """What failed, why, and the next step: each on a line, or two where it is long."""
    told = operation.failure
    whole = title(operation)
    if told is None:
        return [_clip(Content.styled(f"✗ {whole} failed", "bold $text-error"), width)]
    what = Content.styled(f"{whole}: {units.plain(told.title)}", "bold $text-error")
    lines = _hanging(("✗ ", "$text-error"), what, width)
    if told.detail:
        lines += _hanging(("  ", ""), Content(units.plain(told.detail)), width)
    if told.hint:
        lines += _hanging(("→ ", "$primary"), Content(units.plain(told.hint)), width)
    return lines


def _hanging(mark: tuple[str, str], text: Content, width: int, most: int = 2) -> list[Content]:
    """Text wrapped behind a mark of two cells."""
    found = text.wrap(max(10, width - 2))
    if len(found) > most:
        rest = Content(" ").join(found[most - 1 :])
        found = [*found[: most - 1], _clip(rest, width - 2)]
    return [
        Content.assemble(mark if index == 0 else ("  ", ""), line)
        for index, line in enumerate(found)
    ]


def _clip(content: Content, width: int) -> Content:
    return content.truncate(max(1, width), ellipsis=True)


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
    facts_room = 34 if operation.state.over else 60
    bar_room = min(width - name_room - facts_room, 48)
    lines: list[Content] = []
    for depth, stage in found:
        look = STAGES[stage.state]
        name = "  " * depth + units.plain(stage.name, 60)
        faint = stage.state in (StageState.PENDING, StageState.SKIPPED)
        text = Content.assemble(
            (f"{look.glyph} ", style(look)), (name, FAINT if faint else "bold" if not depth else "")
        )
        text = _clip(text, name_room)
        text = text.pad_right(max(0, name_room - text.cell_length))
        parts = [text]
        if bar_room > 8:
            parts.append(_gantt(stage, operation.started, whole, now, bar_room))
        elapsed = "" if stage.state is StageState.SKIPPED else took(stage, now)
        parts.append(Content(f" {elapsed:>6}  "))
        facts = []
        if stage.state is StageState.RUNNING and stage.total:
            parts.append(bar(stage.done / stage.total, 12))
            parts.append(Content("  "))
        facts = [fact for fact in (amount(stage), rate(stage)) if fact]
        if facts:
            parts.append(Content(" · ".join(facts) + "  "))
        if stage.detail:
            parts.append(Content.styled(units.plain(stage.detail, 200), FAINT))
        lines.append(_clip(Content("").join(parts), width))
    return lines


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
