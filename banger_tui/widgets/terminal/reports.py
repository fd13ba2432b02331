"""What a terminal tells besides its picture: bell, title, clipboard wishes, unseen output."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from . import messages

if TYPE_CHECKING:
    from .core import VtCore
    from .view import TerminalView

CLIPBOARD_SECONDS = 0.25
"""A guest that copies in a loop is heard this often."""


class Reports:
    """What one view has told its screen so far."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._bells = 0
        self._clipboard_at = -CLIPBOARD_SECONDS
        self._clipboard: str | None = None
        self._unseen = False
        self.title = ""

    def forget(self) -> None:
        """The emulator is a new one."""
        self._bells = 0
        self._clipboard = None

    def shown(self) -> None:
        """The person looks at it."""
        self._unseen = False

    def output(self) -> None:
        """There was output while it was out of sight."""
        if not self._unseen:
            self._unseen = True
            self._view.post_message(messages.Unseen(self._view))

    def tell(self, terminal: VtCore) -> bool:
        """Tell what is new; True when something has to wait and this is to be called again."""
        view = self._view
        if terminal.bell != self._bells:
            self._bells = terminal.bell
            view.post_message(messages.Bell(view))
            view.flash()
        title = terminal.title
        if title != self.title:
            self.title = title
            view.post_message(messages.TitleChanged(view, title))
        return self._tell_clipboard(terminal)

    def _tell_clipboard(self, terminal: VtCore) -> bool:
        texts = terminal.take_clipboard()
        if texts:
            self._clipboard = texts[-1]
        if self._clipboard is None:
            return False
        now = perf_counter()
        if now - self._clipboard_at < CLIPBOARD_SECONDS:
            return True
        self._clipboard_at = now
        view = self._view
        view.post_message(messages.ClipboardAsked(view, self._clipboard))
        self._clipboard = None
        return False
