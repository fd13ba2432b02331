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


class Bell(ViewMessage, namespace="terminal_view"):
    """The guest rang the bell, once or more within a frame."""


class Command(ViewMessage, namespace="terminal_view"):
    """A key after the leader asked the screen for something: a name of `leader.COMMANDS`."""

    def __init__(self, view: TerminalView, name: str) -> None:
        super().__init__(view)
        self.name = name


class StatusChanged(ViewMessage, namespace="terminal_view"):
    """`TerminalView.status` is another: what the panel's lower border should say."""


class Unseen(ViewMessage, namespace="terminal_view"):
    """Output came while the terminal was out of sight; once until it is shown again."""


class Copied(ViewMessage, namespace="terminal_view"):
    """The person copied text of the terminal."""

    def __init__(self, view: TerminalView, text: str) -> None:
        super().__init__(view)
        self.text = text


class PasteAsked(ViewMessage, namespace="terminal_view"):
    """Many lines are about to be pasted: `view.paste(text)` does it, nothing else forgets it."""

    def __init__(self, view: TerminalView, text: str, lines: int) -> None:
        super().__init__(view)
        self.text = text
        self.lines = lines


class ClipboardAsked(ViewMessage, namespace="terminal_view"):
    """The guest wants this text in the person's clipboard (OSC 52); nothing has been done yet."""

    def __init__(self, view: TerminalView, text: str) -> None:
        super().__init__(view)
        self.text = text


class LinkChosen(ViewMessage, namespace="terminal_view"):
    """The person wants a link opened; the address is the guest's, and not to be trusted."""

    def __init__(self, view: TerminalView, address: str) -> None:
        super().__init__(view)
        self.address = address
