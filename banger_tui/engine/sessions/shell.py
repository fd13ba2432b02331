"""Shells that outlive every client: named pty sessions in the guest."""

from __future__ import annotations

from banger_tui.engine.hypervisors.base import Channel, Transport

#: The guest kit's wrapper: attach to the named session, making it on first use.
SHELL = "/.banger/shell"
#: Its wrapper for commands: with the Env, WorkingDir and User of the image's config.
RUN = "/.banger/run"


async def attach_shell(transport: Transport, name: str, columns: int, rows: int) -> Channel:
    """Attach to the session ``name``; its screen is redrawn at once.

    Raises:
        GuestUnreachable
    """
    return await transport.open([SHELL, name], pty=(columns, rows), term="xterm-256color")
