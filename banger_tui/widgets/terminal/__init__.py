"""A terminal panel: a real terminal emulator inside a Textual widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .view import TerminalView

__all__ = ["TerminalView"]


def __getattr__(name: str) -> object:
    # Late, so that the pure modules of this package can be used without Textual.
    if name == "TerminalView":
        from .view import TerminalView

        return TerminalView
    raise AttributeError(name)
