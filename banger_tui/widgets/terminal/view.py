"""The terminal panel: guest output in, keys and sizes out.

A screen pumps output into `write` and hands `Input` and `Resized` to the guest.

While it has the focus every key belongs to the guest but the leader: `check_consume_key` claims
all of them, so that Textual leaves out the bindings of all ancestors, the app's priority ones too.
Escape in a maximized view alone is seen earlier: `ESCAPE_TO_MINIMIZE = False` in the app."""

from __future__ import annotations

from time import perf_counter
from typing import ClassVar, TypeAlias

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from . import core, messages, status
from .canvas import CURRENT_MATCH_CLASS, MATCH_CLASS, Canvas, looks
from .core import MarkKind, Modes, VtCore
from .feed import Feed
from .frames import Frames
from .keyboard import Keyboard
from .keys import encode_paste
from .leader import LEADER
from .pointer import Pointer
from .reports import Reports
from .searching import Searching
from .signs import Signs

PRELOAD_AFTER_SECONDS = 0.5
PASTE_NEWLINES = 1


class TerminalView(Widget, can_focus=True):
    """A terminal of as many cells as the widget has (at least 20 by 5).

    It can be moved and resized freely, to full screen and back: its text, selection, search and
    scroll position stay.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {MATCH_CLASS, CURRENT_MATCH_CLASS}
    DEFAULT_CSS = """
    TerminalView {
        width: 1fr; height: 1fr; background: $background; color: $foreground;
        &.-bell { background: $panel; }
        .terminal--match { color: $warning; text-style: bold underline; }
        .terminal--current-match {
            color: $warning; background: $background; text-style: bold underline reverse;
        }
    }
    """

    Input: TypeAlias = messages.Input
    Resized: TypeAlias = messages.Resized
    TitleChanged: TypeAlias = messages.TitleChanged
    StatusChanged: TypeAlias = messages.StatusChanged
    Command: TypeAlias = messages.Command
    Copied: TypeAlias = messages.Copied
    PasteAsked: TypeAlias = messages.PasteAsked
    ClipboardAsked: TypeAlias = messages.ClipboardAsked
    LinkChosen: TypeAlias = messages.LinkChosen
    Unseen: TypeAlias = messages.Unseen
    Bell: TypeAlias = messages.Bell

    def __init__(
        self,
        *,
        leader: str = LEADER,
        read_only: bool = False,
        copy_on_select: bool = False,
        paste_newlines: int | None = PASTE_NEWLINES,
        scrollback_lines: int = core.DEFAULT_SCROLLBACK_LINES,
        name: str | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.leader = leader
        """The key, in Textual's naming, that is never the guest's."""
        self.copy_on_select = copy_on_select
        """Whether text selected with the mouse is copied at once."""
        self.paste_newlines = paste_newlines
        """Line ends that a paste may hold before it is asked about; None: never ask.

        A guest without bracketed paste would run each line at once: there the first one counts.
        """
        self._read_only = read_only
        self.scrollback_lines = scrollback_lines
        self._grid = (core.DEFAULT_COLS, core.DEFAULT_ROWS)
        self._laid_out = False
        self._shown = False
        self._closed = False
        self._feed = Feed(self)
        self._canvas = Canvas()
        self._base = Style.null()
        self._looks: dict[MarkKind, Style] = {}
        self.searching = Searching(self)
        self.reports = Reports(self)
        self._frames = Frames(self)
        self._keyboard = Keyboard(self)
        self._pointer = Pointer(self)
        self._signs = Signs(self, self._keyboard, self._pointer)

    # -- what a screen uses --------------------------------------------------------------------

    @property
    def grid(self) -> tuple[int, int]:
        """(cols, rows) the guest should have; (80, 24) at first."""
        return self._grid

    def prepare(self, cols: int, rows: int) -> bool:
        """Take the grid of a layout to come; False when it has been laid out, and keeps its own."""
        if not self._laid_out and self._grid != (grid := core.clamp(cols, rows)):
            self._grid = grid
            if self.terminal is not None:
                self.terminal.resize(*grid)
        return not self._laid_out

    @property
    def title(self) -> str:
        """The guest's title, or the empty string."""
        return self.reports.title

    @property
    def status(self) -> str:
        """What the lower border should say, or nothing; in part the guest's, so no markup."""
        return self._signs.status

    @property
    def at_bottom(self) -> bool:
        """Whether the view follows the output."""
        return self.terminal is None or self.terminal.scroll_offset == 0

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
        return "\n".join(self.terminal.lines()) if self.terminal is not None else ""

    async def write(self, data: bytes) -> None:
        """Show guest output; awaiting it is the back-pressure of a flood.

        Bytes are fed in the order of the calls, before layout and while hidden too. After the
        widget is gone they are discarded. Raises ImportError or OSError when no emulator can
        be loaded.
        """
        await self._feed.write(data)

    def send(self, data: bytes) -> None:
        """Post `data` as input for the guest, unless read-only."""
        if data and not self._read_only:
            self.post_message(self.Input(self, data))

    def paste(self, text: str) -> None:
        """Send `text` as a paste: controls removed, bracketed when the guest asked for it."""
        self.send_typed(encode_paste(text, self.modes))

    def offer_paste(self, text: str) -> None:
        """Paste `text`, or post `PasteAsked` when it has many lines."""
        if self._read_only:
            self.hint("read only: nothing is pasted")
            return
        newlines = text.count("\n") or text.count("\r")
        allowed = self.paste_newlines
        if allowed is not None and not self.modes.bracketed_paste:
            allowed = 0
        if allowed is not None and newlines > allowed:
            lines = newlines + (not text.endswith(("\n", "\r")))
            self.post_message(self.PasteAsked(self, text, lines))
        else:
            self.paste(text)

    def paste_clipboard(self) -> None:
        """Offer to paste what was copied in this app."""
        if text := self.app.clipboard:
            self.offer_paste(text)
        else:
            self.hint("nothing was copied here yet")

    def copy(self) -> bool:
        """Post what is selected as `Copied`; whether something was."""
        text = self.terminal.selection_text() if self.terminal is not None else ""
        if text:
            self.post_message(self.Copied(self, text))
            self.hint(status.copied(text))
        else:
            self.hint("nothing is selected")
        return bool(text)

    def begin_scroll(self) -> None:
        """Enter scroll mode, as the leader and [ do."""
        self._keyboard.begin_scroll()

    def begin_search(self) -> None:
        """Ask for a text to search for, as the leader and / do."""
        self._keyboard.begin_search()

    def reset(self) -> None:
        """Start over with a blank screen and no scrollback, on the same grid.

        Stop the pump that writes the old output first.
        """
        if self.terminal is not None:
            self._feed.restart()
            self._canvas = Canvas()
            for part in (self._keyboard, self._pointer, self.reports, self.searching):
                part.forget()
            self.refresh_soon()

    def scroll_lines(self, lines: int) -> None:
        """Move the view by lines; negative is up into the scrollback."""
        if self.terminal is not None and lines:
            self.terminal.scroll(lines)
            self.refresh_soon()

    def scroll_to_top(self) -> None:
        """Show the oldest line kept."""
        if self.terminal is not None:
            self.terminal.scroll_to_top()
            self.refresh_soon()

    def scroll_to_bottom(self) -> None:
        """Follow the output again."""
        if not self.at_bottom and self.terminal is not None:
            self.terminal.scroll_to_bottom()
            self.refresh_soon()

    # -- what the parts of this widget use -----------------------------------------------------

    @property
    def terminal(self) -> VtCore | None:
        """The emulator, once there is output or the app has settled; None after the end."""
        return self._feed.terminal

    @property
    def modes(self) -> Modes:
        """What the guest asked for."""
        return self.terminal.modes if self.terminal is not None else Modes()

    @property
    def shown(self) -> bool:
        """Whether it can be seen."""
        return self._shown

    @property
    def top(self) -> int:
        """The grid row in the first line: above 0 where the widget is smaller than the grid."""
        return self._canvas.top

    def send_typed(self, data: bytes) -> None:
        """Send what the person typed; the view goes back to the live screen for it."""
        if data and not self._read_only:
            if self.terminal is not None:
                self.terminal.clear_selection()
                self.scroll_to_bottom()
            self._frames.hurry()
            self.send(data)

    def hint(self, text: str) -> None:
        """Say something in the status for a moment."""
        self._signs.hint(text)

    def fed(self) -> None:
        """Output has come, and is in the emulator."""
        if self._shown:
            self.searching.output()
        elif self.is_attached:
            self.reports.output()

    def flash(self) -> None:
        """Show that the bell rang."""
        self._signs.flash()

    def show_status(self) -> None:
        """Bring the status up to date."""
        self._signs.show()

    def refresh_soon(self) -> None:
        """Paint in the next frame."""
        if not self._closed:
            self._frames.want()

    def paint(self, terminal: VtCore) -> None:
        """Have the lines painted that differ from the last time."""
        width, height = self.size
        lines = self._canvas.update(terminal, height, self._keyboard.cursor)
        if lines is None or len(lines) >= height:
            self.refresh()
        elif lines:
            self.refresh(*(Region(0, y, width, 1) for y in lines))
        self.show_status()

    def render_lines(self, crop: Region) -> list[Strip]:
        began = perf_counter()
        # Looked up once a paint: it walks the ancestors for the background.
        self._base = self.rich_style
        if self._canvas.marked:
            self._looks = looks(self)
        lines = super().render_lines(crop)
        self._frames.account(perf_counter() - began)
        return lines

    def render_line(self, y: int) -> Strip:
        """One painted line: default colours filled in from the theme, cursor on top."""
        width = self.size.width
        return self._canvas.line(y, width, self._base, self._looks, focused=self.has_focus)

    # -- events --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        # The first output should not have to wait for the library, nor the app's first paint.
        self.set_timer(PRELOAD_AFTER_SECONDS, self._feed.preload)

    def on_unmount(self) -> None:
        self._closed = True
        self._frames.stop()
        self.searching.stop()
        self._feed.close()

    def on_show(self) -> None:
        self._shown = True
        self.reports.shown()
        self.searching.output()
        self._frames.show()

    def on_hide(self) -> None:
        self._shown = False
        self._frames.stop()
        self.searching.stop()
        self._pointer.forget()

    def on_resize(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        self._shown = True
        grid = core.clamp(width, height)
        if grid != self._grid or not self._laid_out:
            self._laid_out = True
            self._grid = grid
            if self.terminal is not None and self.terminal.size != grid:
                self.terminal.resize(*grid)
            self.post_message(self.Resized(self, *grid))
        self.refresh_soon()

    def on_focus(self) -> None:
        if self.modes.focus_events:
            self.send(b"\x1b[I")

    def on_blur(self) -> None:
        self._keyboard.blurred()
        if self.modes.focus_events:
            self.send(b"\x1b[O")

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Claim every key for the guest; read-only, those of the terminal itself alone."""
        return self._keyboard.claims(key)

    def on_key(self, event: events.Key) -> None:
        if self._keyboard.press(event.key, event.character):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self._keyboard.paste(event.text):
            self.offer_paste(event.text)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pointer.down(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._pointer.up(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._pointer.move(event)

    def on_leave(self) -> None:
        self._pointer.leave()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._pointer.wheel(event, up=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._pointer.wheel(event, up=False)
