"""One ssh connection to a guest: pinned host key, its end told once.

asyncssh takes 0.2 s to import: whoever needs this module imports it when it is needed, in a thread.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh

_KEEPALIVE = 10.0  # seconds without a word from the guest until it is asked for one
_KEEPALIVES = 3  # that many unanswered: the connection is dead


class Client(asyncssh.SSHClient):
    """Hears of the connection's end."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(str(exc) if exc and str(exc) else "It was closed.")


async def connect(
    host: str, port: int, user: str, host_key: str, client_key: Path
) -> tuple[asyncssh.SSHClientConnection, Client]:
    """Connect and log in. Raises: asyncssh.Error, OSError."""
    pinned = asyncssh.import_public_key(host_key)
    connection, client = await asyncssh.create_connection(
        Client, host, port, username=user,
        client_keys=[str(client_key)], known_hosts=([pinned], [], []),
        # dropbear asserts on some of asyncssh's default algorithms
        server_host_key_algs=["ssh-ed25519"],
        agent_path=None, config=None,
        keepalive_interval=_KEEPALIVE, keepalive_count_max=_KEEPALIVES,
    )  # fmt: skip
    assert isinstance(client, Client)
    return connection, client
