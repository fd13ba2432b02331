"""Brings one file over the network to disk, whatever happens on the way.

A try goes on where the last one ended (Range, RFC 9110 section 14). The other side is believed in
nothing: neither in which range it sends nor in how much; and what doesn't come out with the right
digest is got once more from the beginning, then given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

from banger_tui.engine.errors import BadContent, DigestMismatch, LimitExceeded
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.part import Part
from banger_tui.engine.oci.retries import PROGRESS, Attempts, Fault
from banger_tui.engine.oci.wire import Answer
from banger_tui.engine.progress import Stage

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")

#: What a server may answer to a request for a file from some byte on.
STREAM = frozenset({200, 206, 416})
#: Opens such an answer, whose body begins at this byte.
Source = Callable[[int], AbstractAsyncContextManager[Answer]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come: ``what`` and ``host`` for people; ``digest`` "" and ``size`` None when they
    are not known before."""

    what: str
    host: str
    digest: str = ""
    size: int | None = None


class Lie(Exception):
    """What came can't be what was asked for. Never leaves this module."""

    def __init__(self, error: BadContent) -> None:
        super().__init__(str(error))
        self.error = error


async def receive(
    source: Source, wanted: Wanted, part: Part, attempts: Attempts, limits: Limits, stage: Stage
) -> str:
    """Fill ``part``, which may hold a beginning; returns the digest.

    Raises:
        BadContent, DigestMismatch: twice it was something else; ``part`` is removed.
        LimitExceeded: there is more than max_blob_bytes; ``part`` is removed.
        RegistryFailure, NotEnoughDisk, StorageFailure
    """
    transfer = _Transfer(source, wanted, part, attempts, limits, stage)
    last: Lie | None = None
    while True:
        try:
            return await transfer.run()
        except Lie as lie:
            if last is not None:
                await part.discard()
                raise lie.error from None
            last = lie
            await part.restart()
            stage.note(f"again from the start: {lie.error.title}")
        except LimitExceeded:
            await part.discard()
            raise


@dataclass(frozen=True, slots=True)
class _Transfer:
    source: Source
    wanted: Wanted
    part: Part
    attempts: Attempts
    limits: Limits
    stage: Stage

    async def run(self) -> str:
        wanted, part = self.wanted, self.part
        if wanted.size is not None and part.size > wanted.size:
            await part.restart()
        whole = part.size == wanted.size
        while not whole:
            before = part.size
            try:
                whole = await self._once()
            except Fault as fault:
                await part.flush()
                at = f"at {mebibytes(part.size)}" if part.size else ""
                await self.attempts.failed(fault, received=part.size - before, place=at)
        digest = await part.digest()
        if wanted.digest and digest != wanted.digest:
            raise Lie(
                DigestMismatch(
                    f"{wanted.what} from {wanted.host} has another digest",
                    f"It has {digest}, not {wanted.digest}.",
                    "What the registry sends is damaged or was tampered with. Nothing was kept.",
                )
            )
        return digest

    async def _once(self) -> bool:
        """One try; whether all of it is here."""
        part, before = self.part, self.part.size
        async with self.source(part.size) as answer:
            end, total = await self._agree(answer)
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    self._check_size(part.size + len(chunk))
                    await part.write(chunk)
                    self.stage.progress(part.size, total, "bytes")
        await part.flush()
        if end is not None and part.size != end:
            raise Fault("the connection ended early")
        if total is None or part.size == total:
            return True
        if part.size - before < PROGRESS:
            raise Fault(f"it gives only {part.size - before:,} bytes at a time")
        return False

    async def _agree(self, answer: Answer) -> tuple[int | None, int | None]:
        """See that the body begins where ``part`` ends; returns where it ends, and the whole size;
        None where the server doesn't say."""
        start, size = self.part.size, self.wanted.size
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise self._lie("it is compressed, which was not asked for")
        length = answer.headers.get("content-length", "")
        given = int(length) if length.isdecimal() and len(length) < 20 else None
        if answer.status == 200:
            if start:
                await self.part.restart()
                self.stage.note("from the start: the server can't resume")
            if size is not None and given not in (None, size):
                raise self._lie(f"it has {given:,} bytes, not {size:,}")
            self._check_size(given or 0)
            total = given if size is None else size
            return total, total
        if answer.status == 416 and start:
            raise self._lie("the rest of it is refused")
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if answer.status != 206 or not start or not match:
            raise self._lie("it is a part that was not asked for")
        first, last = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
        if first != start or last < first or (total is not None and last >= total):
            raise self._lie(f"it says it begins at {first:,}, not at {start:,}")
        if size is not None and (total not in (None, size) or last >= size):
            raise self._lie(f"it has {total or last + 1:,} bytes, not {size:,}")
        if given not in (None, last - first + 1):
            raise self._lie("its length and its range differ")
        return last + 1, total if size is None else size

    def _check_size(self, size: int) -> None:
        wanted = self.wanted
        if wanted.size is not None and size > wanted.size:
            raise self._lie(f"it has more than the {wanted.size:,} bytes announced")
        if wanted.size is None and size > self.limits.max_blob_bytes:
            raise LimitExceeded(
                f"{wanted.what} is too large",
                f"max_blob_bytes allows {self.limits.max_blob_bytes:,} bytes.",
                "Raise max_blob_bytes below [limits] in config.toml if you trust it.",
            )

    def _lie(self, why: str) -> Lie:
        return Lie(
            BadContent(
                f"{self.wanted.host} sends something else than {self.wanted.what}",
                f"{why[0].upper()}{why[1:]}.",
            )
        )


def mebibytes(count: int) -> str:
    """ "12.0 MiB"."""
    return f"{count / (1 << 20):.1f} MiB"
