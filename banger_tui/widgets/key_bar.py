"""The bottom line: the keys that do something now, as many as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Hint:
    """A key as people call it, what it does in a word or two, and the action it stands for."""

    key: str
    text: str
    action: str = ""


class KeyBar(Widget):
    """Hints from the left, the most wanted first; ``tail`` (help, quit) is always there."""

    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; }
    """

    class Chosen(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._hints: tuple[Hint, ...] = ()
        self._tail: tuple[Hint, ...] = ()
        self._spots: list[tuple[int, int, str]] = []

    @property
    def hints(self) -> tuple[Hint, ...]:
        return (*self._hints, *self._tail)

    def show(self, hints: Sequence[Hint], tail: Sequence[Hint] = ()) -> None:
        """Show these keys."""
        new = (tuple(hints), tuple(tail))
        if new != (self._hints, self._tail):
            self._hints, self._tail = new
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        width = self.content_size.width
        tail = sum(_width(hint) + 2 for hint in self._tail)
        parts: list[Content] = []
        self._spots = []
        x = 0
        fitting = []
        for hint in self._hints:
            if x + _width(hint) + tail > width:
                break
            fitting.append(hint)
            x += _width(hint) + 2
        x = 0
        for hint in (*fitting, *self._tail):
            self._spots.append((x, x + _width(hint), hint.action))
            parts.append(
                Content.assemble((hint.key, "bold $primary"), " ", (hint.text, "$foreground-muted"))
            )
            x += _width(hint) + 2
        return Content("  ").join(parts).truncate(max(1, width))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        for start, end, action in self._spots if offset is not None else ():
            if offset is not None and start <= offset.x < end and action:
                self.post_message(self.Chosen(action))


def _width(hint: Hint) -> int:
    return len(hint.key) + 1 + len(hint.text)
