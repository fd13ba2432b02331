"""A widget that is as high as the lines it has to show, and paints only those that changed."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget


class Lines(Widget):
    """Base of widgets that make their lines from data for a given width."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._height = -1
        self._shown: list[Content] = []
        self._drawn: dict[int, Strip] = {}
        self._drawn_width = 0

    def lines(self, width: int) -> list[Content]:
        """The lines for so many cells, at most ``width`` cells each."""
        raise AssertionError("each kind of lines says what they are")

    def changed(self) -> None:
        """The data is another: paint what differs; lay out anew when the height differs."""
        width = self.content_size.width
        if not width:
            self.refresh(layout=True)
            return
        before, self._shown = self._shown, self.lines(width)
        if len(self._shown) != self._height or width != self._drawn_width:
            self._drawn.clear()
            self.refresh(layout=True)
            return
        for y, line in enumerate(self._shown):
            if y >= len(before) or not _same(line, before[y]):
                self._drawn.pop(y, None)
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if width != self._drawn_width:
            self._drawn_width = width
            self._drawn.clear()
            self._shown = self.lines(width)
        strip = self._drawn.get(y)
        if strip is None:
            line = self._shown[y] if y < len(self._shown) else Content("")
            strip = self._drawn[y] = Visual.to_strips(self, line, width, 1, self.visual_style)[0]
        return strip

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._drawn.clear()
        self._shown = self.lines(max(1, width))
        self._height = len(self._shown)
        return self._height


def _same(one: Content, other: Content) -> bool:
    # Content compares its text alone.
    return one.plain == other.plain and one.spans == other.spans
