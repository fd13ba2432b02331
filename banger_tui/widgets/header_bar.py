"""The top line: how many machines, what the host has left, what runs them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from banger_tui.engine.model import HostView
from banger_tui.widgets import units

_GAP = "   "


@dataclass(frozen=True, slots=True)
class Counts:
    """Machines in all, running, failed."""

    total: int = 0
    running: int = 0
    failed: int = 0


class HeaderBar(Widget):
    """Facts that fit: from the right the host's, then the driver's, are left out first."""

    DEFAULT_CSS = """
    HeaderBar { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._counts: Counts | None = None
        self._host: HostView | None = None
        self._load: deque[float] = deque(maxlen=5)
        self._summary = ""
        self._problem = ""

    def show_counts(self, counts: Counts) -> None:
        if counts != self._counts:
            self._counts = counts
            self.refresh()

    def show_host(self, host: HostView) -> None:
        """A new sample of the host."""
        self._host = host
        self._load.append(host.cpu)
        self.refresh()

    def show_summary(self, summary: str) -> None:
        """What runs the machines, e.g. ``qemu·tcg  user net``."""
        self._summary = units.plain(summary, 60)
        self.refresh()

    def show_problem(self, problem: str) -> None:
        """Something about the installation that the person should know all the time."""
        self._problem = units.plain(problem, 60)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        width = self.content_size.width
        left = Content.styled("banger", "bold $primary")
        if self._counts is not None or not self._problem:
            left = Content.assemble(left, _GAP, self._machines())
        if self._problem:
            left = Content.assemble(left, _GAP, (f"! {self._problem}", "$text-warning"))
        facts = self._facts(charts=width >= 100)
        # The first are the most wanted.
        while facts:
            right = Content("  ").join(facts)
            if left.cell_length + right.cell_length + 2 <= width:
                space = width - left.cell_length - right.cell_length
                return Content.assemble(left, " " * space, right)
            facts.pop()
        return left.truncate(max(1, width), ellipsis=True)

    def _machines(self) -> Content:
        if self._counts is None:
            return Content.styled("opening …", "$foreground-muted")
        total, running, failed = (
            self._counts.total,
            self._counts.running,
            self._counts.failed,
        )
        if not total:
            return Content.styled("no machines", "$foreground-muted")
        noun = "machine" if total == 1 else "machines"
        parts = [Content(f"{total} {noun}")]
        if running:
            parts.append(Content.assemble(("● ", "$text-success"), f"{running} running"))
        if failed:
            parts.append(Content.assemble(("✗ ", "$text-error"), f"{failed} failed"))
        return Content("  ").join(parts)

    def _facts(self, *, charts: bool) -> list[Content]:
        facts: list[Content] = []
        if (host := self._host) is not None:
            load = units.chart(list(self._load), 5) + " " if charts else ""
            used, total = units.size(host.memory_used), units.size(host.memory_total)
            facts = [
                _fact("cpu", f"{load}{units.percent(host.cpu):>3}"),
                _fact("mem", f"{used}/{total}"),
                _fact("disk", f"{units.size(host.disk_free)} free"),
            ]
        if self._summary:
            facts.append(Content.styled(self._summary, "$foreground-muted"))
        return facts


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name} ", "$foreground-muted"), value)
