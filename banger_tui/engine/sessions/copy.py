"""Files and directories between this host and VMs, or between two VMs.

Modes (without set-user-id and its kin), times and symbolic links go along; owners do not. Names
are held against what a hostile guest could mean by them before anybody makes a file of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from banger_tui.engine.errors import InvalidInput, LimitExceeded
from banger_tui.engine.operations import Run
from banger_tui.engine.progress import Stage
from banger_tui.engine.sessions.copy_guest import Guest, Opener
from banger_tui.engine.sessions.copy_sink import LocalSink
from banger_tui.engine.sessions.copy_source import measure, walk
from banger_tui.engine.sessions.copy_tar import Entry, Kind, Parts, unsafe
from banger_tui.engine.shield import finish, in_thread

STAGES: Final = ("connect", "copy")
_MOST_ENTRIES: Final = 2_000_000
_MOST_NAMES: Final = 64 << 20
"""Bytes of the names of all directories: what is remembered of a copy."""
_AT_ONCE: Final = 512 << 10
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Place:
    """One side of a copy. ``vm``: its name or id; "": this host. ``shown``: what people know it as,
    where its path says nothing; then it has no name to go into a directory with, either."""

    vm: str
    path: str
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or (f"{self.vm}:{self.path}" if self.vm else self.path)

    @property
    def name(self) -> bytes:
        """What it is called; b"" for the contents of a directory, and for what has no name."""
        name = posixpath.basename(self.path.rstrip("/"))
        return b"" if self.shown or name in ("", ".", "..") else os.fsencode(name)


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied. ``left_out``: sockets, pipes and devices, which stay where they are."""

    source: str
    target: str
    entries: int
    size_bytes: int
    left_out: int


def place(text: str) -> Place:
    """``NAME:PATH`` in a VM, anything else here; ``./a:b`` is a file here.

    Raises:
        InvalidInput: there is nothing in it.
    """
    vm, colon, path = text.partition(":")
    if colon and vm and "/" not in vm:
        return Place(vm, path)
    if not text:
        raise InvalidInput("A path is empty", "", "For example: ./notes.txt, or web:/root")
    return Place("", text)


def copy(source: Place, target: Place, transport: Opener) -> Callable[[Run], Awaitable[Copied]]:
    """The work of "copy". ``transport`` gives the way into a VM.

    A directory that is there is gone into, with the source's name; anything else is its new name.
    What is there already is replaced, file by file, when all has come.

    The work raises NotFound, Conflict, GuestFailure, GuestUnreachable, BadContent, NotEnoughDisk.
    """

    async def work(run: Run) -> Copied:
        async with run.stage("connect"):
            reader = await _guest(source, transport)
            writer = await _guest(target, transport)
        async with run.stage("copy") as stage:
            meter = _Meter(stage)
            if reader is not None:
                entries = reader.read(meter.expect)
            else:
                here = Path(source.path)
                entries = _read(here)
                meter.expect(await in_thread(measure, here))
            async with (
                contextlib.aclosing(entries),
                contextlib.aclosing(meter.checked(entries)) as checked,
            ):
                if writer is not None:
                    await writer.write(checked, source.name)
                else:
                    await _write(checked, target.path, source.name)
        return Copied(str(source), str(target), meter.entries, meter.size_bytes, meter.left_out)

    return work


async def _guest(side: Place, transport: Opener) -> Guest | None:
    return Guest(await transport(side.vm), side.vm, side.path) if side.vm else None


class _Meter:
    """Counts what goes by, shows it, and lets nothing pass that is no tree."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._directories: set[Parts] = set()
        self._names = 0
        self.entries = 0
        self.size_bytes = 0
        self.left_out = 0

    def expect(self, total: int) -> None:
        """About so many bytes will come."""
        self._stage.progress(0, total or None, "bytes")

    async def checked(
        self, entries: AsyncIterator[Entry | bytes]
    ) -> AsyncGenerator[Entry | bytes, None]:
        """The same, without what can't be copied. Raises: BadContent, LimitExceeded"""
        async for item in entries:
            if isinstance(item, bytes):
                self.size_bytes += len(item)
                self._stage.progress(self.size_bytes)
                yield item
            elif item.kind is Kind.OTHER:
                self.left_out += 1
            else:
                self._check(item)
                yield item

    def _check(self, entry: Entry) -> None:
        self.entries += 1
        if (self.entries == 1) == bool(entry.parts):
            raise unsafe(f"It does not begin with what was asked for: {entry.parts[-3:]!r}")
        if entry.parts and entry.parts[:-1] not in self._directories:
            raise unsafe(f"It does not lie in a directory: {entry.parts[-3:]!r}")
        if entry.kind is Kind.LINK and not (
            entry.linked and entry.linked[:-1] in self._directories
        ):
            raise unsafe(f"A hard link leads elsewhere: {entry.parts[-3:]!r}")
        if entry.parts in self._directories:
            raise unsafe(f"It comes twice: {entry.parts[-3:]!r}")
        if entry.kind is Kind.DIRECTORY:
            self._directories.add(entry.parts)
            self._names += sum(len(part) for part in entry.parts)
        if self.entries > _MOST_ENTRIES or self._names > _MOST_NAMES:
            raise LimitExceeded(
                "That is too much for one copy",
                f"There are more than {self.entries - 1:,} files and directories.",
                "Copy parts of it, or one archive of it.",
            )
        if entry.parts:
            self._stage.note(entry.parts[-1].decode(errors="replace")[:_SHOWN])


async def _read(source: Path) -> AsyncGenerator[Entry | bytes, None]:
    items = walk(source)
    while batch := await in_thread(_batch, items):
        for item in batch:
            yield item


def _batch(items: Iterator[Entry | bytes]) -> list[Entry | bytes]:
    batch: list[Entry | bytes] = []
    room = _AT_ONCE
    for item in items:
        batch.append(item)
        room -= _weight(item)
        if room < 0:
            break
    return batch


async def _write(entries: AsyncIterator[Entry | bytes], target: str, name: bytes) -> None:
    sink = LocalSink(target, name)
    try:
        await in_thread(sink.prepare)
        batch: list[Entry | bytes] = []
        room = _AT_ONCE
        async for item in entries:
            batch.append(item)
            room -= _weight(item)
            if room < 0:
                await in_thread(_take, sink, batch)
                batch, room = [], _AT_ONCE
        await in_thread(_take, sink, batch)
        await in_thread(sink.publish)
    finally:
        await finish(asyncio.to_thread(sink.discard))


def _take(sink: LocalSink, batch: list[Entry | bytes]) -> None:
    for item in batch:
        if isinstance(item, bytes):
            sink.data(item)
        else:
            sink.put(item)


def _weight(item: Entry | bytes) -> int:
    """What an item is in memory, about: work goes to a thread and back in such portions."""
    return len(item) if isinstance(item, bytes) else 1 << 10
