"""How long the network is waited for, and how often it is asked again."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from banger_tui.engine.errors import RegistryUnreachable
from banger_tui.engine.progress import Stage

_HINT = "Check the network, then try again: what has been downloaded counts."
#: After so many bytes a try counts as a success, however it ended.
PROGRESS = 1 << 20


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines and pauses, in seconds.

    Args:
        connect: for a connection, TLS included.
        stall: for the next byte, for an answer's head, and for each ``floor`` bytes of a body.
        floor: bytes; a server that gives fewer in ``stall`` seconds counts as stalled.
        tries: of one thing without progress in between.
        few: tries where more are of little use: a refused connection, an unknown host.
        pause: before the second try; each further one doubles it up to ``longest_pause``.
        longest_wait: that a server may ask for by Retry-After.
        total_wait: all pauses of one thing together.
    """

    connect: float = 10.0
    stall: float = 30.0
    floor: int = 16 << 10
    tries: int = 6
    few: int = 3
    pause: float = 0.5
    longest_pause: float = 15.0
    longest_wait: float = 60.0
    total_wait: float = 180.0


class Fault(Exception):
    """A try failed in a way in which another may not. Never leaves this package.

    Args:
        reason: for people, as the middle of a sentence.
        wait: seconds that the server asked for.
        few: more than a few tries are of no use.
        hint: the next step for people, when all tries are used up.
    """

    def __init__(
        self, reason: str, *, wait: float | None = None, few: bool = False, hint: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.few = few
        self.hint = hint


class Attempts:
    """Counts and spaces the tries to get one thing.

    Args:
        what, host: for people: what is wanted, and from where.
        stage: told of retries.
    """

    def __init__(
        self, patience: Patience, what: str, host: str, stage: Stage | None = None
    ) -> None:
        self._patience = patience
        self._what = what
        self._host = host
        self._stage = stage
        self._failed = 0
        self._in_vain = 0
        self._waited = 0.0

    async def failed(self, fault: Fault, *, received: int = 0, place: str = "") -> None:
        """Wait until the next try is due.

        Args:
            received: bytes that this try brought.
            place: where it broke off, for people ("at 12.0 MiB").

        Raises:
            RegistryUnreachable: it has been enough.
        """
        self._failed += 1
        self._in_vain = 1 if received >= PROGRESS else self._in_vain + 1
        tries = self._patience.few if fault.few else self._patience.tries
        pause = pause_before(self._in_vain, fault.wait, self._patience)
        reason = f"{fault.reason} {place}".strip()
        if self._in_vain >= tries or self._waited + pause > self._patience.total_wait:
            count = "once" if self._failed == 1 else f"{self._failed} times"
            raise RegistryUnreachable(
                f"Can't get {self._what} from {self._host}",
                f"It failed {count}, at last: {reason}.",
                fault.hint or _HINT,
            )
        if self._stage is not None:
            self._stage.note(
                f"retried: {reason}" if pause < 3 else f"waiting {pause:.0f} s: {reason}"
            )
        self._waited += pause
        await asyncio.sleep(pause)
        if self._stage is not None:
            self._stage.note(f"retried: {reason}")


def pause_before(again: int, wait: float | None, patience: Patience) -> float:
    """Seconds before the ``again``-th retry: what the server asks for, or twice as long each time,
    less up to a half so that those who failed together do not come back together."""
    if wait is not None:
        return min(max(wait, 0.0), patience.longest_wait)
    longest = min(patience.pause * 2.0 ** min(again - 1, 16), patience.longest_pause)
    return longest * random.uniform(0.5, 1.0)


def retry_after(value: str, now: float | None = None) -> float | None:
    """Seconds of a Retry-After header, which has seconds or a date (RFC 9110, 10.2.3).

    Args:
        now: seconds since the epoch.
    """
    from email.utils import parsedate_to_datetime

    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    current = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    return max((when - current).total_seconds(), 0.0)
