"""The mouse over a terminal: for the guest that asked for it, else for selections and links."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual import events

from . import messages
from .core import Mouse, Unit, VtCore
from .glyphs import safe_label
from .keys import WHEEL_DOWN, WHEEL_UP, encode_key, encode_mouse

if TYPE_CHECKING:
    from textual.timer import Timer

    from .view import TerminalView

WHEEL_LINES = 3
SCROLL_SECONDS = 0.05
CHAIN_SECONDS = 0.4
"""Presses on one cell within this long are a double or triple click."""

MAX_ADDRESS_CHARS = 2000
_NO_BUTTON = 3
_UNITS = (Unit.CELL, Unit.WORD, Unit.LINE)


class Pointer:
    """The mouse of one view. Shift takes it back from a guest that asked for it."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._guest_button = _NO_BUTTON
        self._guest_cell: tuple[int, int] | None = None
        self._pressed: tuple[int, int] | None = None
        self._held = False
        self._selecting = False
        self._presses = 0
        self._pressed_at = 0.0
        self._edge = 0
        self._edge_timer: Timer | None = None
        self._last_cell = (0, 0)
        self.link = ""
        """The address under the pointer: printable, but the guest's word."""

    @property
    def selecting(self) -> bool:
        """Whether a selection is being drawn."""
        return self._selecting

    def forget(self) -> None:
        """The emulator is another one, or out of sight: nothing is pressed any more."""
        self._stop_edge()
        self._pressed = None
        self._held = self._selecting = False
        self.link = ""

    # -- events

    def down(self, event: events.MouseDown) -> None:
        view, terminal = self._view, self._view.terminal
        if terminal is None:
            return
        if self._for_guest(event):
            self._guest_button = max(0, event.button - 1)
            view.capture_mouse()
            self._send(event, self._guest_button, pressed=True)
            return
        if event.button != 1:
            return
        event.stop()
        cell = self._cell(event)
        if event.ctrl and (address := self._address(terminal, cell)):
            view.post_message(messages.LinkChosen(view, address))
            return
        now = monotonic()
        again = cell == self._pressed and now - self._pressed_at < CHAIN_SECONDS
        self._presses = self._presses % len(_UNITS) + 1 if again else 1
        self._pressed, self._pressed_at = cell, now
        self._held = True
        view.capture_mouse()
        if self._presses > 1:
            self._begin(terminal, cell)
        else:
            terminal.clear_selection()
            view.refresh_soon()

    def up(self, event: events.MouseUp) -> None:
        view = self._view
        if self._guest_button != _NO_BUTTON:
            view.release_mouse()
            self._send(event, self._guest_button, pressed=False)
            self._guest_button = _NO_BUTTON
            return
        if not self._held:
            return
        event.stop()
        self._held = False
        self._stop_edge()
        view.release_mouse()
        if self._selecting:
            self._selecting = False
            if view.copy_on_select:
                view.copy()

    def move(self, event: events.MouseMove) -> None:
        view, terminal = self._view, self._view.terminal
        if terminal is None:
            return
        event.stop()
        if self._held:
            self._drag(terminal, event)
            return
        cell = self._cell(event)
        if self._guest_button != _NO_BUTTON or self._for_guest(event):
            if view.modes.mouse >= Mouse.DRAG and cell != self._guest_cell:
                self._guest_cell = cell
                self._send(event, self._guest_button, pressed=True, motion=True)
            return
        self._hover(self._address(terminal, cell))

    def leave(self) -> None:
        self._hover("")

    def wheel(self, event: events.MouseEvent, *, up: bool) -> None:
        view = self._view
        event.stop()
        event.prevent_default()
        modes = view.modes
        if modes.mouse >= Mouse.BUTTONS and self._for_guest(event):
            self._send(event, WHEEL_UP if up else WHEEL_DOWN, pressed=True)
        elif modes.alternate_screen:
            if modes.alternate_scroll:
                view.send(encode_key("up" if up else "down", None, modes) * WHEEL_LINES)
        else:
            view.scroll_lines(-WHEEL_LINES if up else WHEEL_LINES)
            if self._selecting and view.terminal is not None:
                view.terminal.extend_selection(*self._last_cell)

    # -- selecting

    def _begin(self, terminal: VtCore, cell: tuple[int, int]) -> None:
        terminal.begin_selection(*cell, _UNITS[self._presses - 1])
        self._selecting = True
        self._last_cell = cell
        self._view.refresh_soon()

    def _drag(self, terminal: VtCore, event: events.MouseMove) -> None:
        cell = self._cell(event)
        if not self._selecting:
            if cell == self._pressed or self._pressed is None:
                return
            self._begin(terminal, self._pressed)
        self._last_cell = cell
        terminal.extend_selection(*cell)
        self._view.refresh_soon()
        y = event.get_content_offset_capture(self._view).y
        self._at_edge(self._beyond(y, event.screen_y))

    def _beyond(self, y: int, screen_y: int) -> int:
        """-1 above the terminal, 1 below it, where the screen's own edges count as beyond."""
        if y < 0 or screen_y <= 0:
            return -1
        view = self._view
        return 1 if y >= view.size.height or screen_y >= view.app.size.height - 1 else 0

    def _at_edge(self, edge: int) -> None:
        self._edge = edge
        if not edge:
            self._stop_edge()
        elif self._edge_timer is None:
            self._edge_timer = self._view.set_interval(SCROLL_SECONDS, self._scroll_at_edge)

    def _scroll_at_edge(self) -> None:
        terminal = self._view.terminal
        if terminal is None or not self._selecting:
            self._stop_edge()
            return
        self._view.scroll_lines(self._edge)
        terminal.extend_selection(*self._last_cell)

    def _stop_edge(self) -> None:
        if self._edge_timer is not None:
            self._edge_timer.stop()
            self._edge_timer = None

    # -- links

    def _address(self, terminal: VtCore, cell: tuple[int, int]) -> str:
        return safe_label(terminal.link_at(*cell), MAX_ADDRESS_CHARS)

    def _hover(self, address: str) -> None:
        if address != self.link:
            self.link = address
            self._view.show_status()

    # -- the guest

    def _for_guest(self, event: events.MouseEvent) -> bool:
        view = self._view
        return view.modes.mouse != Mouse.OFF and not view.read_only and not event.shift

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        """The viewport cell under the pointer, or the one nearest to it."""
        view = self._view
        offset = event.get_content_offset_capture(view)
        cols, rows = view.grid
        return max(0, min(offset.x, cols - 1)), max(0, min(offset.y + view.top, rows - 1))

    def _send(
        self, event: events.MouseEvent, button: int, *, pressed: bool, motion: bool = False
    ) -> None:
        event.stop()
        self._view.send(
            encode_mouse(
                button,
                *self._cell(event),
                self._view.modes,
                pressed=pressed,
                motion=motion,
                shift=event.shift,
                meta=event.meta,
                ctrl=event.ctrl,
            )
        )
