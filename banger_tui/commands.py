"""The command palette: everything the home screen can do, and every machine by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from banger_tui.screens import keys
from banger_tui.screens.home import HomeScreen


class Commands(Provider):
    """Actions with their keys, and ``go to NAME`` for each machine."""

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """(name, help, what to call)."""
        screen = self.screen
        if not isinstance(screen, HomeScreen):
            return
        for key in keys.HOME:
            text = key.text[0].upper() + key.text[1:]
            yield f"{text}  [{key.shown}]", key.group, partial(screen.run_action, key.action)
        for machine, name, state in screen.machines():
            yield f"Go to {name}", state, partial(screen.go_to, machine)

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
