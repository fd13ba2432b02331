"""A session's output from any byte on, as far as the guest still has it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from banger_tui.engine.errors import GuestFailure
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.sessions.guest import Place

#: Exit code of the script: what comes next is not where it should be; ask again from there.
ASK_AGAIN = 75
BROKEN = 255
_BEGIN = re.compile(rb"(?m)^((?:from|write|look) [^\r\n]{1,200})\r?\n")
_LONGEST_HEADER = 128 << 10
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Chunk:
    """``offset``: of its first byte, counted from the session's start. Where it is not the end of
    the chunk before, what is between them is lost."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What the script says before a stream begins.

    Args:
        before: its account of the session, for ``registry.parse``.
        words: what it grants: "write" or "look" and more, or "from" and offsets.
        rest: the stream's first bytes.
    """

    before: bytes
    words: tuple[str, ...]
    rest: bytes

    def numbers(self, place: Place, count: int) -> list[int]:
        """The numbers it ends with. Raises: GuestFailure: there are not ``count``."""
        last = self.words[1:] if self.words[0] == "from" else self.words[2:]
        if len(last) != count or not all(word.isascii() and word.isdigit() for word in last):
            raise _nonsense(place, " ".join(self.words))
        return [int(word[:15]) for word in last]


async def header(channel: Channel, place: Place) -> Header:
    """Read as far as the stream begins; the channel is closed when it doesn't.

    Raises:
        BangerError: the script ended instead (see ``Place.refusal``).
    """
    seen = b""
    try:
        while (found := _BEGIN.search(seen)) is None:
            data = await channel.read()
            if not data:
                said = seen + await channel.read_stderr()
                raise place.refusal(await channel.wait() or 1, said)
            seen += data
            if len(seen) > _LONGEST_HEADER:
                raise _nonsense(place, seen[:80].decode(errors="replace"))
    except BaseException:  # a cancel, too, leaves no client in the guest
        await channel.close()
        raise
    words = tuple(found[1].decode(errors="replace").split())
    return Header(seen[: found.start()], words, seen[found.end() :])


def _nonsense(place: Place, said: str) -> GuestFailure:
    return GuestFailure(f"{place.vm.name} does not answer as it should", repr(said[:80]))


async def stream(
    place: Place, *, err: bool = False, offset: int = 0, follow: bool = False
) -> AsyncIterator[Chunk]:
    """Chunks from ``offset`` on, to the end of what there is, or with ``follow`` of the session.

    Waits with the guest's output while nobody takes the next chunk. A broken connection is made
    anew, without a lost or a doubled byte.

    Raises:
        NotFound, GuestUnreachable, GuestFailure
    """
    failures = 0
    while True:
        channel = await place.open(
            "read", "err" if err else "out", offset, "follow" if follow else "stop"
        )
        try:
            head = await header(channel, place)
            [offset], data = head.numbers(place, 1), head.rest
            while data or (data := await channel.read()):
                yield Chunk(offset, data)
                offset += len(data)
                data, failures = b"", 0
            said = await channel.read_stderr()
            code = await channel.wait()
        finally:
            await channel.close()
        if code == 0:
            return
        failures += 1
        if code not in (ASK_AGAIN, BROKEN) or failures > _ATTEMPTS:
            raise place.refusal(code, said)
