"""What a terminal panel tells its screen; used as `TerminalView.Input` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from .view import TerminalView


class ViewMessage(Message):
    """A message of one terminal, which the selectors of `on` can match."""

    def __init__(self, view: TerminalView) -> None:
        super().__init__()
        self.view = view

    @property
    def control(self) -> TerminalView:
        """The terminal that sent it."""
        return self.view


class Input(ViewMessage, namespace="terminal_view"):
    """Bytes for the guest: keys, pastes, mouse and focus reports, replies."""

    def __init__(self, view: TerminalView, data: bytes) -> None:
        super().__init__(view)
        self.data = data


class Resized(ViewMessage, namespace="terminal_view"):
    """The grid is now `cols` by `rows` cells; also sent at the first layout."""

    def __init__(self, view: TerminalView, cols: int, rows: int) -> None:
        super().__init__(view)
        self.cols = cols
        self.rows = rows


class TitleChanged(ViewMessage, namespace="terminal_view"):
    """The guest set a title (printable characters only)."""

    def __init__(self, view: TerminalView, title: str) -> None:
        super().__init__(view)
        self.title = title


class LeaderPressed(ViewMessage, namespace="terminal_view"):
    """The one key that the guest never gets was pressed."""


class Bell(ViewMessage, namespace="terminal_view"):
    """The guest rang the bell, once or more within a frame."""
