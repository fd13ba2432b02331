"""The parts of a file that have data, in few pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Content, Extent

_HOLE: Final = 4096
"""What is smaller is data: no filesystem of ours has smaller blocks."""


@dataclass(frozen=True, slots=True)
class Segment:
    """``length`` bytes at ``position`` of a file: extents, with zeros between them."""

    position: int
    length: int
    extents: tuple[Extent, ...]

    @property
    def end(self) -> int:
        return self.position + self.length


def segments(content: Content) -> list[Segment]:
    """Where a file has data; holes too small to keep are part of it."""
    if len(content.extents) == 1 and content.extents[0].length == content.size:
        return [Segment(0, content.size, content.extents)]
    result: list[Segment] = []
    begin = end = 0
    extents: list[Extent] = []
    for extent in content.extents:
        if extent.position - end >= _HOLE:
            if end > begin:
                result.append(Segment(begin, end - begin, tuple(extents)))
            begin, extents = extent.position, []
        extents.append(extent)
        end = extent.position + extent.length
    if content.size - end < _HOLE:
        end = content.size
    if end > begin:
        result.append(Segment(begin, end - begin, tuple(extents)))
    return result


def data(content: Content, segment: Segment, sources: Sources, chunk: int) -> Iterator[bytes]:
    """The bytes of a segment, at most ``chunk`` at a time. Blocking.

    Raises:
        BadContent: see ``Sources.read``.
    """
    at = segment.position
    for extent in segment.extents:
        if extent.position > at:
            yield bytes(extent.position - at)
        for done in range(0, extent.length, chunk):
            length = min(chunk, extent.length - done)
            yield sources.read(content.source, extent.offset + done, length)
        at = extent.position + extent.length
    if segment.end > at:
        yield bytes(segment.end - at)
