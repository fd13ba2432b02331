"""The command palette: everything the screen below can do, and every machine or image by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from banger_tui.screens.browser import Browser
from banger_tui.screens.home import HomeScreen
from banger_tui.screens.sessions import SessionsScreen


class Commands(Provider):
    """Actions with their keys, and ``go to NAME`` for each machine."""

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """(name, help, what to call)."""
        screen = self.screen
        if not isinstance(screen, HomeScreen | Browser | SessionsScreen):
            return
        for key in screen.KEYS.bound:
            text = key.text[0].upper() + key.text[1:]
            yield f"{text}  [{key.shown}]", key.group, partial(screen.run_action, key.action)
        for place, name, state in screen.places():
            yield f"Go to {name}", state, partial(screen.go_to, place)

    async def discover(self) -> Hits:
        for name, help_text, call in self._commands():
            yield DiscoveryHit(_escaped(name), call, text=name, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, help_text, call in self._commands():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), call, text=name, help=help_text)


def _escaped(name: str) -> str:
    return name.replace("[", "\\[")
