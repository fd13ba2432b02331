"""A list of images, of kernels or of what the catalogs offer."""

from __future__ import annotations

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip

from banger_tui.widgets import table
from banger_tui.widgets.row_list import HEADER, RowList
from banger_tui.widgets.table import R


class LineList(RowList[R]):
    """Its border has room for tabs; where a filter leaves no row, it says so."""

    @property
    def head(self) -> Content:
        """What the border says of the list, before the filter."""
        return self._head

    @head.setter
    def head(self, head: Content) -> None:
        self._head = head
        self._subtitle()

    def _beyond(self, y: int, width: int) -> Strip:
        if y == HEADER and self._rows and not self._order:
            said = Segment(" " * table.LEAD + "nothing matches", self._style("row"))
            return table.strip([said], width)
        return super()._beyond(y, width)
