"""Loopback ports for ssh, held safely against races.

Three things guard a port between the choice and QEMU's own bind: ``UNIQUE`` in the store (other
VMs of this installation), a bound socket (other programs) and QEMU's own word (``hostfwd_add``
fails cleanly, then another port is tried). The socket is bound, not listening, with SO_REUSEADDR:
Linux then lets QEMU, which sets it too, bind and listen on the same port (socket(7)), while a
program that takes ports by chance is refused.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Container

from banger_tui.engine.errors import PortTaken

_dice = random.SystemRandom()


class HeldPort:
    """A port bound on 127.0.0.1 until ``release``."""

    def __init__(self, port: int, guard: socket.socket) -> None:
        self.port = port
        self._guard = guard

    def release(self) -> None:
        self._guard.close()


def hold(port: int, *, ours: bool = False) -> HeldPort | None:
    """Hold this port; None when somebody has it. Does not block.

    Args:
        ours: it was this VM's before. Connections of that time may linger in TIME_WAIT, which must
            not cost the VM its address.
    """
    guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if ours:
        guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Otherwise without SO_REUSEADDR: with it, Linux lets us bind beside another bound socket that
    # has the option and does not listen yet, which may be another installation's guard.
    try:
        guard.bind(("127.0.0.1", port))
    except OSError:
        guard.close()
        return None
    # Set after the bind, it lets QEMU bind beside this socket (both sockets' option is looked at
    # at the time of the second bind).
    guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return HeldPort(port, guard)


def hold_free(ports: tuple[int, int], taken: Container[int]) -> HeldPort:
    """Hold a free port of ``[first, last)`` that is not in ``taken``.

    Raises:
        PortTaken: all are in use.
    """
    first, last = ports
    for _ in range(300):
        port = _dice.randrange(first, last)
        if port not in taken and (held := hold(port)):
            return held
    for port in range(first, last):
        if port not in taken and (held := hold(port)):
            return held
    raise PortTaken(
        "No free port is left for ssh",
        f"All of 127.0.0.1:{first}–{last - 1} are in use.",
        "Delete VMs you no longer need: banger-tui vm list",
    )
