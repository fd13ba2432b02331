"""What a view tells the person beside the guest's text: one line of status, and a flash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import messages, status

if TYPE_CHECKING:
    from textual.timer import Timer

    from .keyboard import Keyboard
    from .pointer import Pointer
    from .view import TerminalView

HINT_SECONDS = 4.0
FLASH_SECONDS = 0.12
FLASH_CLASS = "-bell"


class Signs:
    """The signs of one view."""

    def __init__(self, view: TerminalView, keyboard: Keyboard, pointer: Pointer) -> None:
        self._view = view
        self._keyboard = keyboard
        self._pointer = pointer
        self._hint = ""
        self._hint_timer: Timer | None = None
        self._flashing = False
        self.status = ""

    def show(self) -> None:
        """Say what is to be said now."""
        words = self._hint or self._keyboard.status or self._pointer.link or self._position()
        if words != self.status:
            self.status = words
            self._view.post_message(messages.StatusChanged(self._view))

    def _position(self) -> str:
        terminal = self._view.terminal
        if terminal is None or not (offset := terminal.scroll_offset):
            return ""
        return status.position(offset, terminal.scrollback)

    def hint(self, text: str) -> None:
        """Say something for some seconds or until the next key; the empty string ends it."""
        if self._hint_timer is not None:
            self._hint_timer.stop()
            self._hint_timer = None
        self._hint = text
        if text:
            self._hint_timer = self._view.set_timer(HINT_SECONDS, self._end_hint)
        self.show()

    def _end_hint(self) -> None:
        self.hint("")

    def flash(self) -> None:
        """Make the view look another for a moment."""
        if not self._flashing and self._view.shown:
            self._flashing = True
            self._view.add_class(FLASH_CLASS)
            self._view.set_timer(FLASH_SECONDS, self._end_flash)

    def _end_flash(self) -> None:
        self._view.remove_class(FLASH_CLASS)
        # As long a pause: a guest that rings in a loop does not make the view flicker.
        self._view.set_timer(4 * FLASH_SECONDS, self._flash_again)

    def _flash_again(self) -> None:
        self._flashing = False
