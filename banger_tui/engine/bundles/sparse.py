"""Where a sparse file has data, and the text that a PAX archive keeps of it.

The format is GNU tar's "PAX format, version 1.0" (the manual's appendix "Storing Sparse Files").
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from banger_tui.engine.bundles.digest import ContentDigest
from banger_tui.engine.bundles.work import Work

CHUNK = 1 << 20
"""Bytes read or written at once."""
_PAGE = 4096
_ZEROS = bytes(CHUNK)


@dataclass(frozen=True, slots=True)
class Extent:
    """``length`` bytes of data at ``position``."""

    position: int
    length: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A sparse file: its size, its data in order, and its content digest."""

    size: int
    extents: tuple[Extent, ...]
    digest: str

    @property
    def data_bytes(self) -> int:
        return sum(extent.length for extent in self.extents)


def scan(descriptor: int, work: Work) -> Layout:
    """Find the data of an open file: neither its holes nor pages of zeros. Blocking."""
    size = os.fstat(descriptor).st_size
    digest = ContentDigest(size)
    found: list[Extent] = []
    for start, end in _segments(descriptor, size):
        for position in range(start, end, CHUNK):
            data = os.pread(descriptor, min(CHUNK, end - position), position)
            work.advance(len(data))
            digest.feed(position, data)
            for offset, length in runs(data):
                at = position + offset
                if found and found[-1].position + found[-1].length == at:
                    found[-1] = Extent(found[-1].position, found[-1].length + length)
                else:
                    found.append(Extent(at, length))
    return Layout(size, tuple(found), digest.value())


def runs(data: bytes) -> Iterator[tuple[int, int]]:
    """(offset, length) of the parts of ``data`` that are left without its pages of zeros; at most
    ``CHUNK`` bytes."""
    if data == _ZEROS[: len(data)]:
        return
    zeros = _ZEROS[:_PAGE]
    begin: int | None = None
    for offset in range(0, len(data), _PAGE):
        page = data[offset : offset + _PAGE]
        if page == zeros[: len(page)]:
            if begin is not None:
                yield begin, offset - begin
            begin = None
        elif begin is None:
            begin = offset
    if begin is not None:
        yield begin, len(data) - begin


def encode(size: int, extents: tuple[Extent, ...]) -> bytes:
    """The map as it stands before the data: the number of entries, then two numbers each. As GNU
    tar does, a hole at the end is an empty entry behind it."""
    entries = [(extent.position, extent.length) for extent in extents]
    if not entries or sum(entries[-1]) < size:
        entries.append((size, 0))
    text = f"{len(entries)}\n" + "".join(f"{at}\n{length}\n" for at, length in entries)
    return text.encode()


def valid(extents: tuple[Extent, ...], size: int) -> bool:
    """Whether they are in order, apart, and within the file."""
    ends = [Extent(0, 0), *extents, Extent(size, 0)]
    return all(one.position + one.length <= two.position for one, two in pairwise(ends))


def _segments(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """(start, end) of what the filesystem says is no hole."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole follows
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
