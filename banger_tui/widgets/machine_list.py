"""The list of machines."""

from __future__ import annotations

from banger_tui.widgets import columns
from banger_tui.widgets.row_list import RowList
from banger_tui.widgets.rows import MachineRow


class MachineList(RowList[MachineRow]):
    """A machine that is only being made has a row before it has an id."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(columns.MACHINES, id=id)

    def replace_key(self, old: str, new: str) -> None:
        """The machine known as ``old`` goes on as ``new``: cursor and mark stay with it."""
        if self._cursor == old:
            self._cursor = new
        if old in self._marks:
            self._marks.discard(old)
            self._marks.add(new)
