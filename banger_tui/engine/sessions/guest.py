"""What is asked of the guest kit's ``session`` script, and what its refusals mean."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from banger_tui.engine.errors import (
    BangerError,
    Busy,
    GuestFailure,
    GuestUnreachable,
    IllegalMove,
    InvalidInput,
    NameTaken,
    NotFound,
)
from banger_tui.engine.hypervisors.base import Channel, Transport
from banger_tui.engine.model import VmRecord

SESSION = "/.banger/session"
#: Who we are to other clients of a session: one word.
LABEL = f"banger-tui:{os.getpid()}"
_TOKEN_BYTES = 6
#: How long a client waits for the guest to notice that it goes.
GOING_SECONDS = 2.0
_PATIENCE = 60.0  # seconds for an answer: a loaded guest is slow, a dead one is not waited for
_MOST = 8 << 20
_MOST_WORDS = 2000


def token() -> str:
    """What makes asking for one thing twice no harm: the guest does it once."""
    return secrets.token_hex(_TOKEN_BYTES)


class NoTerminal(IllegalMove):
    """The session is of the other mode: it has no terminal."""


class IsTerminal(InvalidInput):
    """The session is of the other mode: to be attached it needs a size."""


@dataclass(frozen=True, slots=True)
class Place:
    """A session of a VM, and the way there."""

    vm: VmRecord
    transport: Transport
    name: str = ""

    async def open(self, verb: str, *words: object, pty: tuple[int, int] | None = None) -> Channel:
        """Start the script. Raises: GuestUnreachable"""
        argv = [SESSION, verb, *([self.name] if self.name else []), *map(str, words)]
        return await self.transport.open(argv, pty=pty, term="xterm-256color" if pty else "")

    async def ask(
        self, verb: str, *words: object, stdin: bytes = b"", patience: float = _PATIENCE
    ) -> bytes:
        """Run the script to its end; what it printed.

        Raises:
            GuestUnreachable, and what ``refusal`` makes of it
        """
        try:
            async with asyncio.timeout(patience):
                channel = await self.open(verb, *words)
                try:
                    if stdin:
                        await channel.write(stdin)
                    await channel.write_eof()
                    out, err = await asyncio.gather(
                        bounded(channel.read), bounded(channel.read_stderr)
                    )
                    code = await channel.wait()
                finally:
                    await channel.close()
        except TimeoutError as error:
            raise GuestUnreachable(
                f"{self.vm.name} does not answer", f"It said nothing for {patience:.0f} seconds."
            ) from error
        if code:
            raise self.refusal(code, err)
        return out

    def refusal(self, code: int, said: bytes) -> BangerError:
        """The script's exit code and its words as an error for people."""
        vm, name = self.vm.name, self.name
        reason = readable(said[-_MOST_WORDS:]).strip()
        for prefix in ("session: ", "run: "):
            reason = reason.removeprefix(prefix)
        match code:
            case 3:
                return NotFound(
                    f"There is no session {name} in {vm}", "",
                    f"See what there is: banger-tui session list {vm}",
                )  # fmt: skip
            case 4:
                return IllegalMove(f"Session {name} in {vm} can't do that", _sentence(reason))
            case 6:
                return NoTerminal(f"Session {name} in {vm} has no terminal")
            case 7:
                return IsTerminal(f"Session {name} in {vm} is a terminal", "It needs a size.")
            case 16:
                return Busy(
                    f"Somebody else types in {name}",
                    f"It is {reason}.",
                    "Take it over, or look on.",
                )
            case 17:
                return NameTaken(
                    f"There is a session {name} in {vm} already", "", "Give it another name."
                )
            case 20:
                return InvalidInput(
                    f"{vm} can't run that", _sentence(reason),
                    "The command, its directory and its user are looked for in the guest.",
                )  # fmt: skip
            case 28:
                return GuestFailure(
                    f"No room for a session in {vm}", _sentence(reason), "Its disk is full."
                )
            case 127:
                return GuestFailure(
                    f"{vm} can't keep sessions",
                    "Its image was made by an earlier version, without what keeps them.",
                    f"Delete image {self.vm.image}, pull it again, and make the VM anew.",
                )
            case 255:
                return GuestUnreachable(f"The connection to {vm} broke", reason)
            case _:
                return GuestFailure(f"{vm} refuses", _sentence(reason) or f"It ends with {code}.")


async def gone(channel: Channel) -> None:
    """Wait, not for long, until the guest has noticed that we go: then another client may type."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOING_SECONDS):
            while await channel.read():
                pass
            await channel.wait()


async def bounded(read: Callable[[], Awaitable[bytes]], most: int = _MOST) -> bytes:
    """All that a channel's stream says; the rest beyond ``most`` is read and dropped."""
    kept = bytearray()
    while data := await read():
        kept += data[: max(0, most - len(kept))]
    return bytes(kept)


def readable(said: bytes) -> str:
    """Text of a guest's that can be shown: nothing in it moves a cursor."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\ufffd"
        for char in said.decode(errors="replace")
    )


def _sentence(text: str) -> str:
    return f"{text}." if text and not text.endswith(".") else text
