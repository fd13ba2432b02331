"""The terminal panel: guest output in, keys and sizes out.

The widget never knows where the bytes come from. A screen pumps output into `TerminalView.write`
and hands `TerminalView.Input` and `TerminalView.Resized` to the guest.

While it has the focus every key belongs to the guest but the leader: `check_consume_key` claims
all of them, which makes Textual leave out the bindings of all ancestors, the priority bindings of
the app included. Only escape in a maximized view is looked at earlier: an app that maximizes
this widget sets `ESCAPE_TO_MINIMIZE = False`.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TypeAlias

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from . import core, messages
from .canvas import Canvas
from .core import Modes, Mouse, VtCore
from .keys import WHEEL_DOWN, WHEEL_UP, encode_key, encode_mouse, encode_paste
from .pace import FRAME_SECONDS, Pace

LEADER = "ctrl+right_square_bracket"
WHEEL_LINES = 3
PRELOAD_AFTER_SECONDS = 0.5
MAX_HOLD_SECONDS = 0.15
"""A guest that never ends its synchronised update is painted all the same after this long."""

_SCROLL_KEYS = {"shift+pageup": -1, "shift+pagedown": 1}
_NO_BUTTON = 3


class TerminalView(Widget, can_focus=True):
    """A terminal of as many cells as the widget has (at least 20 by 5)."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TerminalView { width: 1fr; height: 1fr; background: $background; color: $foreground; }
    """

    Input: TypeAlias = messages.Input
    Resized: TypeAlias = messages.Resized
    TitleChanged: TypeAlias = messages.TitleChanged
    LeaderPressed: TypeAlias = messages.LeaderPressed
    Bell: TypeAlias = messages.Bell

    def __init__(
        self,
        *,
        leader: str = LEADER,
        read_only: bool = False,
        scrollback_bytes: int = core.DEFAULT_SCROLLBACK_BYTES,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.leader = leader
        self._read_only = read_only
        self._scrollback_bytes = scrollback_bytes
        self._grid = (core.DEFAULT_COLS, core.DEFAULT_ROWS)
        self._laid_out = False
        self._shown = False
        self._closed = False
        self._core: VtCore | None = None
        self._order = asyncio.Lock()
        self._pace = Pace()
        self._frame_timer: asyncio.TimerHandle | None = None
        self._last_frame = 0.0
        self._held_since: float | None = None
        self._canvas = Canvas()
        self._base = Style.null()
        self._bells = 0
        self._title = ""
        self._pressed = _NO_BUTTON
        self._mouse_cell: tuple[int, int] | None = None

    # -- what a screen uses --------------------------------------------------------------------

    @property
    def grid(self) -> tuple[int, int]:
        """(cols, rows) the guest should have; (80, 24) before the first layout."""
        return self._grid

    @property
    def title(self) -> str:
        """The guest's title, or the empty string."""
        return self._title

    @property
    def at_bottom(self) -> bool:
        """Whether the view follows the output."""
        return self._core is None or self._core.scroll_offset == 0

    @property
    def read_only(self) -> bool:
        """Whether nothing is ever sent to the guest, and keys are the app's again."""
        return self._read_only

    @read_only.setter
    def read_only(self, value: bool) -> None:
        self._read_only = value
        if self.is_attached:
            self.screen.refresh_bindings()

    def text(self) -> str:
        """The visible rows, right-trimmed, joined by newlines."""
        return "\n".join(self._core.lines()) if self._core is not None else ""

    async def write(self, data: bytes) -> None:
        """Show guest output; awaiting it is the back-pressure of a flood.

        Bytes are fed in the order of the calls, before layout and while hidden too. After the
        widget is gone they are discarded. Raises ImportError or OSError when no emulator can
        be loaded.
        """
        async with self._order:
            if self._core is None and not self._closed:
                await self._start()
            start = 0
            while start < len(data):
                await self._pace.turn()
                if self._core is None:
                    return
                began = perf_counter()
                end = start + min(self._pace.slice, self._core.slice_bytes)
                self._core.feed(data[start:end])
                start = end
                self._pace.spend(perf_counter() - began)
                replies = self._core.take_replies()
                if replies:
                    self.send(replies)
                self._want_frame()

    def send(self, data: bytes) -> None:
        """Post `data` as input for the guest, unless read-only."""
        if data and not self._read_only:
            self.post_message(self.Input(self, data))

    def paste(self, text: str) -> None:
        """Send `text` as a paste: controls removed, bracketed when the guest asked for it."""
        self._send_typed(encode_paste(text, self._modes))

    def reset(self) -> None:
        """Start over with a blank screen and no scrollback, on the same grid.

        Stop the pump that writes the old output first.
        """
        if self._core is not None:
            self._core.close()
            self._core = core.create(*self._grid, scrollback_bytes=self._scrollback_bytes)
            self._bells = 0
            self._canvas = Canvas()
            self._want_frame()

    def scroll_lines(self, lines: int) -> None:
        """Move the view by lines; negative is up into the scrollback."""
        if self._core is not None and lines:
            self._core.scroll(lines)
            self._want_frame()

    def scroll_to_top(self) -> None:
        """Show the oldest line kept."""
        if self._core is not None:
            self._core.scroll_to_top()
            self._want_frame()

    def scroll_to_bottom(self) -> None:
        """Follow the output again."""
        if self._core is not None and self._core.scroll_offset:
            self._core.scroll_to_bottom()
            self._want_frame()

    # -- painting ------------------------------------------------------------------------------

    async def _start(self) -> None:
        await asyncio.to_thread(core.preload)
        if self._core is None and not self._closed:
            self._core = core.create(*self._grid, scrollback_bytes=self._scrollback_bytes)

    def _preload(self) -> None:
        self.run_worker(self._start(), exit_on_error=False)

    def _want_frame(self) -> None:
        """Paint soon: at once when the last frame is old enough, else in its turn."""
        if self._frame_timer is None and not self._closed:
            delay = max(0.0, self._last_frame + FRAME_SECONDS - perf_counter())
            self._frame_timer = asyncio.get_running_loop().call_later(delay, self._frame)

    def _frame(self) -> None:
        self._frame_timer = None
        terminal = self._core
        if terminal is None:
            return
        now = self._last_frame = perf_counter()
        self._report(terminal)
        if not self._shown or self._hold(terminal, now):
            return
        width, height = self.size
        lines = self._canvas.update(terminal, height)
        if lines is None or len(lines) >= height:
            self.refresh()
        elif lines:
            self.refresh(*(Region(0, y, width, 1) for y in lines))

    def _report(self, terminal: VtCore) -> None:
        if terminal.bell != self._bells:
            self._bells = terminal.bell
            self.post_message(self.Bell(self))
        title = terminal.title
        if title != self._title:
            self._title = title
            self.post_message(self.TitleChanged(self, title))

    def _hold(self, terminal: VtCore, now: float) -> bool:
        """Whether the guest is in the middle of an update that it wants painted as one."""
        if not terminal.held:
            self._held_since = None
            return False
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since >= MAX_HOLD_SECONDS:
            return False
        self._want_frame()
        return True

    def render_lines(self, crop: Region) -> list[Strip]:
        # Looked up once a paint: it walks the ancestors for the background.
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One painted line: default colours filled in from the theme, cursor on top."""
        return self._canvas.line(y, self.size.width, self._base, focused=self.has_focus)

    # -- events --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # The first output should not have to wait for the library, nor the app's first paint.
        self.set_timer(PRELOAD_AFTER_SECONDS, self._preload)

    def on_unmount(self) -> None:
        self._closed = True
        if self._frame_timer is not None:
            self._frame_timer.cancel()
            self._frame_timer = None
        if self._core is not None:
            self._core.close()
            self._core = None

    def on_show(self) -> None:
        self._shown = True
        self._want_frame()

    def on_hide(self) -> None:
        self._shown = False

    def on_resize(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        self._shown = True
        grid = core.clamp(width, height)
        if grid != self._grid or not self._laid_out:
            self._laid_out = True
            self._grid = grid
            if self._core is not None and self._core.size != grid:
                self._core.resize(*grid)
            self.post_message(self.Resized(self, *grid))
        self._want_frame()

    def on_focus(self) -> None:
        if self._modes.focus_events:
            self.send(b"\x1b[I")

    def on_blur(self) -> None:
        if self._modes.focus_events:
            self.send(b"\x1b[O")

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Claim every key for the guest; read-only, the leader and the scroll keys alone."""
        return not self._read_only or key == self.leader or key in _SCROLL_KEYS

    def on_key(self, event: events.Key) -> None:
        modes = self._modes
        if event.key == self.leader:
            self.post_message(self.LeaderPressed(self))
        elif event.key in _SCROLL_KEYS and not modes.alternate_screen:
            self.scroll_lines(_SCROLL_KEYS[event.key] * max(1, self._grid[1] - 1))
        elif self._read_only:
            return
        else:
            self._send_typed(encode_key(event.key, event.character, modes))
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if self._modes.mouse != Mouse.OFF and not self._read_only:
            self._pressed = max(0, event.button - 1)
            self.capture_mouse()
            self._send_mouse(event, self._pressed, pressed=True)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._pressed != _NO_BUTTON:
            self.release_mouse()
            self._send_mouse(event, self._pressed, pressed=False)
            self._pressed = _NO_BUTTON

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._modes.mouse >= Mouse.DRAG:
            cell = (event.x, event.y)
            if cell != self._mouse_cell:
                self._mouse_cell = cell
                self._send_mouse(event, self._pressed, pressed=True, motion=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL_UP, "up", -WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, WHEEL_DOWN, "down", WHEEL_LINES)

    def _wheel(self, event: events.MouseEvent, button: int, key: str, lines: int) -> None:
        event.stop()
        event.prevent_default()
        modes = self._modes
        if modes.mouse >= Mouse.BUTTONS:
            self._send_mouse(event, button, pressed=True)
        elif modes.alternate_screen:
            if modes.alternate_scroll:
                self.send(encode_key(key, None, modes) * WHEEL_LINES)
        else:
            self.scroll_lines(lines)

    def _send_mouse(
        self, event: events.MouseEvent, button: int, *, pressed: bool, motion: bool = False
    ) -> None:
        event.stop()
        offset = event.get_content_offset_capture(self)
        cols, rows = self._grid
        x = max(0, min(offset.x, cols - 1))
        y = max(0, min(offset.y + self._canvas.top, rows - 1))
        self.send(
            encode_mouse(
                button,
                x,
                y,
                self._modes,
                pressed=pressed,
                motion=motion,
                shift=event.shift,
                meta=event.meta,
                ctrl=event.ctrl,
            )
        )

    @property
    def _modes(self) -> Modes:
        return self._core.modes if self._core is not None else Modes()

    def _send_typed(self, data: bytes) -> None:
        if data and not self._read_only:
            self.scroll_to_bottom()
            self.send(data)
