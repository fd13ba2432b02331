"""The peer of the app's first paint and key echo: what Textual itself costs."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class EmptyApp(App[None]):
    """One line at the bottom, and a place to type."""

    CSS = "#end { dock: bottom; height: 1; } Input { border: none; }"

    def compose(self) -> ComposeResult:
        yield Input()
        yield Static("the end", id="end")


if __name__ == "__main__":
    EmptyApp().run()
