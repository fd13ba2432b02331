"""What a screen's keys begin runs beside it; what goes wrong is shown, never lost."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError


class Actions:
    """Base of what is done for one screen."""

    def __init__(self, screen: Screen[None], bridge: Bridge) -> None:
        self._screen = screen
        self._bridge = bridge
        self._world = bridge.world

    def guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside the screen; a failure becomes the error screen."""

        async def guarded() -> None:
            try:
                await work
            except BangerError as error:
                self.show_error(error)

        self._screen.run_worker(guarded(), group="actions")

    def show_error(self, error: BangerError) -> None:
        from banger_tui.screens.error import ErrorScreen

        self._screen.app.push_screen(ErrorScreen(error))

    def say(self, text: str, title: str = "") -> None:
        """A word of warning, in passing."""
        self._screen.notify(text, title=title, severity="warning", markup=False)
