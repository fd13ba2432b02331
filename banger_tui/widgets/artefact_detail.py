"""Everything about the row under the cursor: what goes on with it, then its facts."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.content import Content

from banger_tui.engine.model import ImageRecord, KernelRecord, OperationView
from banger_tui.widgets import artefact_text, clock
from banger_tui.widgets.artefact_rows import CatalogRow
from banger_tui.widgets.lines import Lines
from banger_tui.widgets.timeline import describe

Subject = ImageRecord | KernelRecord | CatalogRow


class DetailPage(VerticalScroll, can_focus=True):
    """The detail, scrollable when it is longer than its place."""


class ArtefactDetail(Lines):
    """An image, a kernel, or what a catalog offers."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._subject: Subject | None = None
        self._users: tuple[str, ...] = ()
        self._operation: OperationView | None = None
        self._nothing: list[Content] = []
        self._problems: list[Content] = []

    def show(
        self,
        subject: Subject | None,
        users: Sequence[str] = (),
        operation: OperationView | None = None,
        nothing: Sequence[Content] = (),
        problems: Sequence[Content] = (),
    ) -> None:
        """Show one; ``nothing`` is said when there is neither it nor an operation, ``problems``
        above all else."""
        self._subject, self._users, self._operation = subject, tuple(users), operation
        self._nothing = list(nothing)
        self._problems = list(problems)
        self.changed()

    def lines(self, width: int) -> list[Content]:
        problems = [part for line in self._problems for part in line.wrap(max(10, width))]
        problems += [Content("")] if problems else []
        lines: list[Content] = []
        if self._operation is not None:
            lines += describe(self._operation, width, folded=True)
        if self._subject is not None:
            lines += [Content("")] if lines else []
            lines += self._facts(self._subject, width)
        if not lines:
            nothing = [part for line in self._nothing for part in line.wrap(max(10, width))]
            return [*problems, *nothing]
        return [*problems, *(line.truncate(max(1, width), ellipsis=True) for line in lines)]

    def _facts(self, subject: Subject, width: int) -> list[Content]:
        match subject:
            case ImageRecord():
                return artefact_text.image(subject, self._users, clock.now(), width)
            case KernelRecord():
                return artefact_text.kernel(subject, self._users, clock.now(), width)
            case CatalogRow():
                return artefact_text.offer(subject, width)
