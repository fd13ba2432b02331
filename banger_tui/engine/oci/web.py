"""Small files from the web, whole."""

from __future__ import annotations

import asyncio

from banger_tui.engine.errors import LimitExceeded, RegistryUnreachable
from banger_tui.engine.oci.retries import Attempts, Fault, Patience
from banger_tui.engine.oci.urls import file_name, host_name, refused, shown
from banger_tui.engine.oci.wire import Wire

_DEADLINE = 30.0
_MOST_BYTES = 16 << 20


async def fetch_small(
    url: str, *, deadline: float = _DEADLINE, most_bytes: int = _MOST_BYTES
) -> bytes:
    """The content of an https URL (on loopback http will do).

    Args:
        deadline: seconds for all of it, retries included.

    Raises:
        RegistryUnreachable, RegistryNotFound, LimitExceeded, InvalidInput
    """
    try:
        async with asyncio.timeout(deadline), Wire(Patience()) as wire:
            attempts = Attempts(wire.patience, file_name(url), host_name(url))
            while True:
                try:
                    return await _content(wire, url, most_bytes)
                except Fault as fault:
                    await attempts.failed(fault)
    except TimeoutError:
        raise RegistryUnreachable(
            f"{shown(url)} does not answer",
            f"It was not there within {deadline:g} s.",
            "Check the network and the address.",
        ) from None


async def _content(wire: Wire, url: str, most_bytes: int) -> bytes:
    async with wire.open(url) as answer:
        if fault := answer.fault():
            raise fault
        if answer.status != 200:
            raise refused(answer, url)
        data = await answer.body(most_bytes)
    if len(data) > most_bytes:
        raise LimitExceeded(f"{shown(url)} is too large", f"It has over {most_bytes:,} bytes.")
    return data
