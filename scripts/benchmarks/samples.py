"""Times taken in turns, what they come to, and tables of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, one an attempt, in the order taken."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def quantile(self, share: float) -> float:
        """The time that ``share`` (0..1) of the attempts did not pass (nearest rank)."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_turns(rounds: int, subjects: Mapping[str, Callable[[], float]]) -> dict[str, Times]:
    """Measure A B C A B C …: what changes on the machine meanwhile meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            taken[name].append(measure())
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class Table:
    """One section of the report. ``notes`` say what was measured, above the rows."""

    title: str
    notes: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    after: str = ""

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", self.notes, "", _row(self.head)]
        lines.append(_row(["---", *["---:"] * (len(self.head) - 1)]))
        lines += [_row(row) for row in self.rows]
        return "\n".join([*lines, *(["", self.after] if self.after else []), ""])

    def plain(self) -> str:
        cells = [list(self.head), *map(list, self.rows)]
        widths = [max(len(row[n]) for row in cells) for n in range(len(self.head))]
        lines = [f"\n{self.title}"]
        for row in cells:
            first, *others = zip(row, widths, strict=True)
            line = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
            lines.append("  " + "  ".join(line))
        return "\n".join([*lines, *([f"  {self.after}"] if self.after else [])])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def compared(times: Mapping[str, Times], floor: str) -> list[list[str]]:
    """A row a subject: median, fastest, 90 %, and the ratio of medians to the floor's."""
    return [
        [
            name,
            duration(each.median),
            duration(min(each.seconds)),
            duration(each.quantile(0.9)),
            "1" if name == floor else f"{each.median / times[floor].median:.2f}",
        ]
        for name, each in times.items()
    ]


COMPARED = ("", "median", "fastest", "90 %", "ratio")
