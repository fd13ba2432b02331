"""Stages and operations as text: one line each, at any width. Pure but for ``Content``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.content import Content

from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import OperationView, StageState, StageView
from banger_tui.widgets import units
from banger_tui.widgets.rows import CREATES
from banger_tui.widgets.states import OPERATIONS, STAGES, style

FAINT = "$foreground-muted"
SEPARATOR = ("  ", "")
_BRIEF_BAR = 8


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


def left(stage: StageView) -> str:
    """How long it will still take at the rate it has: ``44s left``, or nothing when unknown."""
    if stage.state is not StageState.RUNNING or not stage.total or stage.rate <= 0:
        return ""
    seconds = (stage.total - stage.done) / stage.rate
    if seconds <= 0:
        return ""
    whole = max(1, round(seconds))
    return f"{whole}s left" if whole < 60 else f"{units.span(whole)} left"


def summed(stage: StageView) -> StageView:
    """A stage that does not count itself has moved what its parts have moved."""
    parts = [part for part in stage.children if part.unit == "bytes"]
    if stage.total is not None or stage.done or not parts:
        return stage
    known = [part.total for part in parts if part.total is not None]
    return replace(
        stage,
        done=sum(part.done for part in parts),
        total=sum(known) if len(known) == len(stage.children) else None,
        unit="bytes",
        rate=sum(part.rate for part in parts if part.state is StageState.RUNNING),
    )


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
    """Names of the running stages from the outside in, and the innermost of them; where several
    run side by side, or count together, the one that they are parts of."""
    names: list[str] = []
    found: StageView | None = None
    stages = operation.stages
    while True:
        active = [s for s in stages if s.state is StageState.RUNNING]
        together = found is not None and (len(active) > 1 or found.total is not None)
        if not active or together:
            return names, None if found is None else summed(found)
        names.append(units.plain(active[0].name, 40))
        found, stages = active[0], active[0].children


def brief(operation: OperationView, now: float) -> str:
    """What goes on just now, in the cells of a list: ``download ━━━━╸─── 45% 12s left``."""
    if operation.failure is not None:
        return f"failed: {units.plain(operation.failure.title, 80)}"
    if operation.cancel_requested:
        return "cancelling"
    stage = next((s for s in operation.stages if s.state is StageState.RUNNING), None)
    if stage is None:
        return "working"
    stage = summed(stage)
    name = units.plain(stage.name, 40)
    if not stage.total:
        return f"{name} {took(stage, now)}"
    share = min(1.0, stage.done / stage.total)
    full = round(share * _BRIEF_BAR)
    drawn = "━" * full + "─" * (_BRIEF_BAR - full)
    return f"{name} {drawn} {units.percent(share):>4} {left(stage)}".rstrip()


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
    facts = [f for f in (amount(stage), rate(stage), left(stage) or took(stage, now)) if f]
    if facts:
        parts.append(Content(" · ".join(facts)))
    if stage.detail:
        parts.append(Content.styled(units.plain(stage.detail, 200), FAINT))
    return clip(Content(SEPARATOR[0]).join(parts), width)


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
    return clip(Content.assemble(head, SEPARATOR, rest), width)


def failure(operation: OperationView, width: int) -> list[Content]:
    """What failed, why, and the next step: each on a line, or two where it is long."""
    told = operation.failure
    whole = title(operation)
    if told is None:
        return [clip(Content.styled(f"✗ {whole} failed", "bold $text-error"), width)]
    what = Content.styled(f"{whole}: {units.plain(told.title)}", "bold $text-error")
    lines = _hanging(("✗ ", "$text-error"), what, width)
    if told.detail:
        lines += _hanging(("  ", ""), Content(units.plain(told.detail)), width)
    if told.hint:
        lines += _hanging(("→ ", "$primary"), Content(units.plain(told.hint)), width)
    return lines


def left_behind(operation: OperationView) -> str:
    """What a cancelled operation leaves: a pull its downloads, so that the next one is shorter."""
    if operation.kind == "pull image":
        return "Its downloads are kept: the next pull goes on from there."
    return "Nothing of it is left."


def problem(error: BangerError) -> list[Content]:
    """What is wrong, why, and the next step."""
    lines = [Content.styled(f"✗ {units.plain(error.title)}", "bold $text-error")]
    if error.detail:
        lines.append(Content(units.plain(error.detail)))
    if error.hint:
        lines.append(Content.assemble(("→ ", "$primary"), units.plain(error.hint)))
    return lines


def _hanging(mark: tuple[str, str], text: Content, width: int, most: int = 2) -> list[Content]:
    """Text wrapped behind a mark of two cells."""
    found = text.wrap(max(10, width - 2))
    if len(found) > most:
        rest = Content(" ").join(found[most - 1 :])
        found = [*found[: most - 1], clip(rest, width - 2)]
    return [
        Content.assemble(mark if index == 0 else ("  ", ""), line)
        for index, line in enumerate(found)
    ]


def clip(content: Content, width: int) -> Content:
    """The content in at most so many cells."""
    return content.truncate(max(1, width), ellipsis=True)
