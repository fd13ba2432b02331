"""Where a key of a terminal goes: the leader's menu, a prompt, scroll mode or the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import leader, messages, status
from .keys import encode_key
from .scroll_mode import ScrollMode, Wish
from .search_prompt import Answer, SearchPrompt

if TYPE_CHECKING:
    from .view import TerminalView

SCROLL_KEYS = {"shift+pageup": -1, "shift+pagedown": 1}
COPY_KEYS = ("ctrl+shift+c", "ctrl+C")

_SCROLL_HINT = "/ search  v select  q ends"
_SELECT_HINT = "y copy  escape ends"


class Keyboard:
    """The keys of one view."""

    def __init__(self, view: TerminalView) -> None:
        self._view = view
        self._after_leader = False
        self._prompt: SearchPrompt | None = None
        self._mode: ScrollMode | None = None
        self._earlier = ""

    @property
    def busy(self) -> bool:
        """Whether the next key is for the terminal itself, whatever it is."""
        return self._after_leader or self._prompt is not None or self._mode is not None

    @property
    def scroll_mode(self) -> bool:
        """Whether the text is walked through by keys."""
        return self._mode is not None

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The viewport cell of scroll mode's cursor, while there is one."""
        return self._mode.cursor if self._mode is not None else None

    @property
    def status(self) -> str:
        """What the border should say about keys now; empty when they are the guest's."""
        if self._after_leader:
            return leader.MENU
        if self._prompt is not None:
            prompt, found = self._prompt.status, self._view.searching.status
            return f"{prompt} · {found}" if found else prompt
        view, terminal = self._view, self._view.terminal
        if self._mode is None or terminal is None:
            return ""
        words = ["scroll mode"]
        if terminal.scroll_offset:
            words = [status.position(terminal.scroll_offset, terminal.scrollback)]
        if found := view.searching.status:
            words += [found, "n older  N newer"]
        words.append(_SELECT_HINT if self._mode.selecting else _SCROLL_HINT)
        return " · ".join(words)

    def claims(self, key: str) -> bool:
        """Whether the key never gets to the bindings of the app."""
        view = self._view
        return not view.read_only or self.busy or key in (view.leader, *SCROLL_KEYS, *COPY_KEYS)

    def press(self, key: str, character: str | None) -> bool:
        """Take a key; False for one that is the app's."""
        view = self._view
        view.hint("")
        if self._after_leader:
            self._command(key, character)
        elif key == view.leader:
            self._after_leader = True
        elif self._prompt is not None:
            self._in_prompt(self._prompt, key, character)
        elif self._mode is not None:
            self._in_mode(self._mode, key, character)
        elif key in COPY_KEYS:
            view.copy()
        elif key in SCROLL_KEYS and not view.modes.alternate_screen:
            view.scroll_lines(SCROLL_KEYS[key] * max(1, view.grid[1] - 1))
        elif view.read_only:
            return False
        else:
            view.send_typed(encode_key(key, character, view.modes))
        view.show_status()
        return True

    def paste(self, text: str) -> bool:
        """Take pasted text where it is not for the guest."""
        if self._prompt is None:
            return self.busy
        self._prompt.insert(text)
        self._view.searching.begin(self._prompt.text)
        self._view.show_status()
        return True

    # -- ways in and out

    def begin_scroll(self) -> None:
        """Enter scroll mode."""
        if self._mode is None and self._view.terminal is not None:
            self._mode = ScrollMode(self._view.terminal)
        self._view.show_status()

    def begin_search(self) -> None:
        """Ask for a text to search for."""
        if self._view.terminal is not None:
            self._prompt = SearchPrompt(self._earlier)
        self._view.show_status()

    def leave(self) -> None:
        """Back to the live screen: no mode, no prompt, no match, no selection."""
        terminal = self._view.terminal
        if terminal is not None and self._mode is not None:
            terminal.clear_selection()
            self._view.scroll_to_bottom()
        self._view.searching.begin("")
        self.forget()
        self._view.refresh_soon()

    def blurred(self) -> None:
        """The next key will be somebody else's."""
        self._after_leader = False
        self._view.show_status()

    def forget(self) -> None:
        """The emulator is another one: what was asked of the old one is void."""
        self._after_leader = False
        self._prompt = None
        self._mode = None

    # -- the layers

    def _command(self, key: str, character: str | None) -> None:
        self._after_leader = False
        view = self._view
        if key == view.leader:
            view.send_typed(encode_key(key, character, view.modes))
            return
        if key == "escape":
            return
        typed = character or key
        if typed in leader.SCREEN_COMMANDS:
            view.post_message(messages.Command(view, leader.SCREEN_COMMANDS[typed]))
            return
        match leader.VIEW_COMMANDS.get(typed):
            case "search":
                self.begin_search()
            case "scroll":
                self.begin_scroll()
            case "copy":
                view.copy()
            case "paste":
                view.paste_clipboard()
            case _:
                view.hint(f"{leader.shown(view.leader)} {leader.shown(key)} does nothing  ? help")

    def _in_prompt(self, prompt: SearchPrompt, key: str, character: str | None) -> None:
        view = self._view
        before = prompt.text
        match prompt.press(key, character):
            case Answer.EDITED:
                if prompt.text != before:
                    view.searching.begin(prompt.text)
            case Answer.FIND:
                self._prompt = None
                self._earlier = prompt.text
                self.begin_scroll()
                if self._mode is not None:
                    self._mode.at_match()
            case Answer.LEAVE:
                self._prompt = None
                view.searching.begin("")
                if self._mode is None:
                    view.scroll_to_bottom()

    def _in_mode(self, mode: ScrollMode, key: str, character: str | None) -> None:
        view = self._view
        match mode.press(key, character):
            case Wish.LEAVE:
                self.leave()
            case Wish.COPY:
                if view.copy():
                    self.leave()
            case Wish.SEARCH:
                self.begin_search()
            case Wish.UNKNOWN:
                view.hint(f"{leader.shown(key)} does nothing here  q ends")
        view.refresh_soon()
