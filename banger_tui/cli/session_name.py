"""How a session is called on the command line: ``VM/NAME``, one word."""

from __future__ import annotations

from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import SessionView


def session_name(text: str) -> tuple[str, str]:
    """The VM's name or id, and the session's.

    Raises:
        InvalidInput
    """
    vm, slash, name = text.partition("/")
    if not (vm and slash and name) or "/" in name:
        raise InvalidInput(
            f"{text!r} is no session",
            "A session is called VM/NAME.",
            "See which there are: banger-tui session list",
        )
    return vm, name


def full_name(session: SessionView) -> str:
    """``VM/NAME`` of a session."""
    return f"{session.vm_name}/{session.name}"
