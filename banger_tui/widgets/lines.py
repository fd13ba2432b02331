"""A widget that is as high as the lines it has to show."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget


class Lines(Widget):
    """Base of widgets that make their lines from data for a given width."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._height = -1

    def lines(self, width: int) -> list[Content]:
        """The lines for so many cells, at most ``width`` cells each."""
        raise AssertionError("each kind of lines says what they are")

    def changed(self) -> None:
        """The data is another: paint, and lay out anew when the height is another too."""
        width = self.content_size.width or self.size.width
        height = len(self.lines(width)) if width else -1
        self.refresh(layout=height != self._height)

    def render(self) -> Content:
        return Content("\n").join(self.lines(max(1, self.content_size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._height = len(self.lines(max(1, width)))
        return self._height
