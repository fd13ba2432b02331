"""Being a client of a session: what every way has in common, and the way to a terminal."""

from __future__ import annotations

import asyncio
from typing import Protocol

from banger_tui.engine.errors import (
    BangerError,
    Conflict,
    GuestFailure,
    GuestUnreachable,
    NotFound,
)
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.model import SessionState, SessionView
from banger_tui.engine.sessions import lifecycle
from banger_tui.engine.sessions.guest import LABEL, Place, token
from banger_tui.engine.sessions.registry import parse
from banger_tui.engine.sessions.stream import Header, header

#: Lines above the screen that a fresh terminal is given to scroll back to.
HISTORY = 10_000
_SMALLEST, _LARGEST = 1, 1000
_LOOKS, _LOOK_AGAIN = 4, 0.25  # how often, and every how many seconds


class Attached(Protocol):
    """A session's streams, of the shape of ``hypervisors.base.Channel``.

    ``writer``: whether this client may type; what others write to the session is never mixed in.
    ``session``: what it was when it was attached.
    """

    session: SessionView

    @property
    def writer(self) -> bool: ...

    async def read(self) -> bytes:
        """The next bytes of stdout, or of the screen; b"" when there will be none.

        In pipe mode it also acknowledges what it returned before: the guest may forget that.
        """
        ...

    async def read_stderr(self) -> bytes:
        """As ``read``; b"" at once in pty mode."""
        ...

    async def write(self, data: bytes) -> None:
        """Give it to the process, waiting until it has room.

        A terminal takes what it can get: keys of one that may not type are ignored, those for one
        that has ended too.

        Raises, in pipe mode:
            Conflict: this client may not type, or no longer.
            IllegalMove: the process has ended, or reads no more.
            GuestUnreachable
        """
        ...

    async def write_eof(self) -> None:
        """End of stdin; in pty mode the key for it. Raises as ``write``."""
        ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        """The session's exit code, when it has ended.

        Raises:
            Conflict: it runs on, without this client: another one took its place.
            GuestUnreachable: the connection broke, or the guest let go of this client.
            GuestFailure: it was lost.
        """
        ...

    async def close(self) -> None:
        """Let go of it; it runs on."""
        ...


class PtyAttached:
    """Implements ``Attached``: a client of the guest's tmux, in a terminal of its own."""

    def __init__(self, place: Place, channel: Channel, head: Header) -> None:
        self.session = lifecycle.only(parse(head.before, place.vm), place)
        self.writer = head.words[0] == "write"
        self._place = place
        self._channel = channel
        self._ahead = head.rest

    @classmethod
    async def open(
        cls, place: Place, size: tuple[int, int], mode: str, history: int
    ) -> PtyAttached:
        """``mode``: look, write or take. Raises: NoTerminal, and others of ``BangerError``"""
        columns, rows = (min(max(side, _SMALLEST), _LARGEST) for side in size)
        channel = await place.open(
            "attach", mode, LABEL, token(), rows, history, pty=(columns, rows)
        )
        head = await header(channel, place)
        try:
            return cls(place, channel, head)
        except BaseException:  # a cancel, too, leaves no client in the guest
            await channel.close()
            raise

    async def read(self) -> bytes:
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        return await self._channel.read()

    async def read_stderr(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        # Of a client that only looks on tmux wants answers to its questions; keys it ignores.
        await self._channel.write(data)

    async def write_eof(self) -> None:
        await self.write(b"\x04")

    async def resize(self, columns: int, rows: int) -> None:
        await self._channel.resize(columns, rows)

    async def wait(self) -> int:
        broke = await self._channel.wait() == 255
        return await outcome(self._place, broke=broke)

    async def close(self) -> None:
        await self._channel.close()


async def outcome(place: Place, *, broke: bool) -> int:
    """The exit code of a session that let us go. Raises as ``Attached.wait``."""
    vm, name = place.vm.name, place.name
    try:
        view = await lifecycle.show(place)
        looks = 0 if broke else _LOOKS
        while looks and view.state is SessionState.RUNNING and not view.writer:
            # Who takes over writes down its name when we have gone.
            await asyncio.sleep(_LOOK_AGAIN)
            view = await lifecycle.show(place)
            looks -= 1
    except NotFound:
        raise GuestFailure(f"Session {name} in {vm} is gone", "Somebody deleted it.") from None
    except BangerError as error:
        if broke:
            raise GuestUnreachable(f"The connection to {vm} broke", error.detail) from error
        raise
    if view.state is SessionState.LOST:
        raise GuestFailure(f"Session {name} in {vm} was lost", "The guest was restarted.")
    if view.exit_code is not None:
        return view.exit_code
    if broke:
        raise GuestUnreachable(f"The connection to {vm} broke", f"Session {name} runs on.")
    if not view.writer:
        # tmux lets go of who has not read for five minutes.
        raise GuestUnreachable(
            f"Session {name} in {vm} let go of this client", "It runs on.", "Attach again."
        )
    raise Conflict(
        f"Session {name} in {vm} was taken over",
        f"{view.writer} types in it now; it runs on.",
        "Attach again to look on, or to take it back.",
    )


def read_only(session: SessionView) -> BangerError:
    return Conflict(
        f"Session {session.name} is attached for reading",
        f"{session.writer} types in it." if session.writer else "",
        "Take it over to type.",
    )
