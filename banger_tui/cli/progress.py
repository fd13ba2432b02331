"""An operation under way on stderr: drawn over and over on a terminal, line by line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Protocol

from banger_tui.cli.stage_lines import headline, operation_lines, progress, stage_line
from banger_tui.cli.style import Style
from banger_tui.cli.text import printable
from banger_tui.cli.window import window
from banger_tui.engine.model import OperationState, OperationView, StageState, StageView

_QUIET_FOR = 1.0  # seconds a stage may take before its beginning is worth a line in a log
_REPORT_EVERY = 10.0


class Progress(Protocol):
    """Something that shows an operation while it runs."""

    def show(self, view: OperationView) -> None:
        """A new view."""
        ...

    def tick(self) -> None:
        """Time went by."""
        ...

    def say(self, text: str) -> None:
        """A remark of ours beside it."""
        ...

    def output(self, lines: Sequence[str]) -> None:
        """What a program printed, each line without its end; it may be hostile."""
        ...

    def close(self) -> None:
        """It is over; stderr is free for others."""
        ...


class Silence:
    """Shows nothing (``--quiet``; with ``--json`` the events tell it)."""

    def show(self, view: OperationView) -> None: ...

    def tick(self) -> None: ...

    def say(self, text: str) -> None: ...

    def output(self, lines: Sequence[str]) -> None: ...

    def close(self) -> None: ...


class LiveLines:
    """One line a stage, redrawn in place. ``fold``: success leaves only the headline."""

    def __init__(self, style: Style, *, fold: bool = False) -> None:
        self._style = style
        self._fold = fold
        self._view: OperationView | None = None
        self._drawn = 0
        self._said = ""

    def show(self, view: OperationView) -> None:
        self._view = view
        self._draw()

    def tick(self) -> None:
        if self._view is not None and not self._view.state.over:
            self._draw()

    def say(self, text: str) -> None:
        self._said = text
        self._draw()

    def output(self, lines: Sequence[str]) -> None:
        """Above the stages, which are drawn anew below."""
        if self._drawn:
            sys.stderr.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0
        sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))
        self._draw()

    def close(self) -> None:
        self._said = ""
        self._draw(final=True)
        self._drawn = 0

    def _draw(self, *, final: bool = False) -> None:
        if self._view is None:
            return
        # Asked anew each time: the window may have changed.
        columns, rows = window(sys.stderr)
        now = time.time()
        view = self._view
        if final and self._fold and view.state is OperationState.DONE:
            lines = [self._style.glyphs(headline(view, now, self._style))]
        else:
            lines = operation_lines(view, now, self._style, columns)
        if self._said:
            lines.append(self._style.glyphs(self._style.paint(self._said, "yellow")))
        # What scrolled out of the window can't be drawn over: the top gives way.
        if len(lines) > rows - 1:
            lines = [lines[0], *lines[-max(1, rows - 2) :]]
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        body = "".join(f"\r{line}\x1b[K\n" for line in lines)
        sys.stderr.write(f"{up}{body}\x1b[J")
        sys.stderr.flush()
        self._drawn = len(lines)


class LogLines:
    """For pipes and logs: a line when a stage ends, and signs of life of those that take long.

    Nested stages are told only of a stage that takes long. ``fold``: of the others nothing is told.
    """

    def __init__(self, style: Style, *, fold: bool = False) -> None:
        self._style = style
        self._fold = fold
        self._view: OperationView | None = None
        self._ended: set[tuple[str, ...]] = set()
        self._reported: dict[tuple[str, ...], float] = {}

    def show(self, view: OperationView) -> None:
        self._view = view
        self._tell(view.stages, ())
        if view.state.over:
            self._print(headline(view, time.time(), self._style))

    def tick(self) -> None:
        if self._view is not None and not self._view.state.over:
            self._tell(self._view.stages, ())

    def say(self, text: str) -> None:
        self._print(text)

    def output(self, lines: Sequence[str]) -> None:
        for line in lines:
            print(printable(line), file=sys.stderr)
        sys.stderr.flush()

    def close(self) -> None: ...

    def _tell(self, stages: tuple[StageView, ...], above: tuple[str, ...]) -> None:
        now = time.time()
        for index, stage in enumerate(stages):
            key = (*above, f"{index} {stage.name}")
            if stage.state is StageState.RUNNING:
                self._running(stage, key, now)
            if key in self._reported or stage.state is StageState.FAILED:
                self._tell(stage.children, key)
            if self._worth_it(stage, key):
                self._ended.add(key)
                self._print(stage_line(stage, now, self._style, None, len(key)))

    def _worth_it(self, stage: StageView, key: tuple[str, ...]) -> bool:
        """Whether the stage has ended, in a way nobody has been told yet and wants to know."""
        if stage.state in (StageState.PENDING, StageState.RUNNING, StageState.SKIPPED):
            return False
        went_well = stage.state is StageState.DONE
        return key not in self._ended and (not (self._fold and went_well) or key in self._reported)

    def _running(self, stage: StageView, key: tuple[str, ...], now: float) -> None:
        elapsed = stage.elapsed(now) or 0.0
        last = self._reported.get(key)
        due = elapsed >= _QUIET_FOR if last is None else now - last >= _REPORT_EVERY
        if due and (last is None or progress(stage) or not stage.children):
            self._reported[key] = now
            self._print(stage_line(stage, now, self._style, None, len(key)))

    def _print(self, line: str) -> None:
        print(self._style.glyphs(line), file=sys.stderr, flush=True)
