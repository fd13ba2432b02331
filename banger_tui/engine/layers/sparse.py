"""Files with holes: GNU tar's four ways to say where their data is.

Sources: GNU tar manual, "Storing Sparse Files"; tar.h for the old way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from banger_tui.engine.layers import pax
from banger_tui.engine.layers.header import Header, number
from banger_tui.engine.layers.refusal import Unsound
from banger_tui.engine.layers.tree import Extent

_MAJOR: Final = b"GNU.sparse.major"
_MINOR: Final = b"GNU.sparse.minor"

Map = list[tuple[int, int]]
"""(position in the file, length) of each piece of data."""

_PAIR: Final = 24
_IN_HEADER: Final = 386
_EXTENDED: Final = 482
_REAL_SIZE: Final = 483
_IN_EXTENSION: Final = 21
_MAP_NUMBER: Final = 20


def is_sparse(records: pax.Records) -> bool:
    """Whether an extended header says that the entry's data is in pieces."""
    return any(key.startswith(b"GNU.sparse.") for key in records)


def real_name(records: pax.Records) -> bytes:
    """Of a file whose own name in the archive is made up; empty when there is none."""
    return pax.text(records, b"GNU.sparse.name")


def real_size(records: pax.Records) -> int:
    """With all holes.

    Raises:
        Unsound: the header does not say.
    """
    for key in (b"GNU.sparse.realsize", b"GNU.sparse.size"):
        if key in records:
            return pax.decimal(records[key], key)
    raise Unsound("it is sparse, but does not say how large")


def has_map_in_data(records: pax.Records) -> bool:
    """Format 1.0: the map comes before the data.

    Raises:
        Unsound: a format that nobody knows.
    """
    version = records.get(_MAJOR, b"0"), records.get(_MINOR, b"0")
    if version == (b"1", b"0"):
        return True
    if version[0] == b"0" and version[1] in (b"0", b"1"):
        return False
    raise Unsound("it is sparse in an unknown format")


def map_in_records(records: pax.Records) -> Map:
    """Formats 0.0 and 0.1."""
    text = records.get(pax.SPARSE_MAP, b"")
    return _pairs(text.split(b",") if text else [])


def map_in_data(read: Callable[[], bytes], count_extents: Callable[[int], None]) -> Map:
    """Format 1.0: a count, then offsets and lengths, a line each, in whole blocks.

    Args:
        read: the next block of data; raises when there is none.
        count_extents: told how many come, before they are read.
    """
    lines: list[bytes] = []
    rest = b""
    wanted = 1
    while len(lines) < wanted:
        *whole, rest = (rest + read()).split(b"\n")
        if whole and not lines:
            count = pax.decimal(whole[0], b"sparse map")
            count_extents(count)
            wanted += 2 * count
        lines += whole
        if len(lines) < wanted and len(rest) > _MAP_NUMBER:
            raise Unsound("its sparse map has a line that is no number")
    return _pairs(lines[1:wanted])


def old_map(header: Header, read: Callable[[], bytes], count_extents: Callable[[int], None]) -> Map:
    """The way before extended headers: four pieces in the header, 21 in each block after it."""
    pairs: Map = []
    block, at, places = header.block, _IN_HEADER, 4
    extended = block[_EXTENDED]
    while True:
        for start in range(at, at + places * _PAIR, _PAIR):
            if not block[start]:
                break
            pairs.append(
                (number(block[start : start + 12]), number(block[start + 12 : start + 24]))
            )
        if not extended:
            return pairs
        count_extents(_IN_EXTENSION)
        block, at, places = read(), 0, _IN_EXTENSION
        extended = block[_IN_EXTENSION * _PAIR]


def old_real_size(header: Header) -> int:
    return number(header.block[_REAL_SIZE : _REAL_SIZE + 12])


def extents(
    pairs: Iterable[tuple[int, int]], size: int, offset: int, stored: int
) -> tuple[Extent, ...]:
    """Where the pieces are.

    Args:
        size: of the file, with its holes.
        offset: of the data in the archive.
        stored: bytes of data.

    Raises:
        Unsound: pieces overlap, are out of order or beyond the end, or are not what is stored.
    """
    if size < 0:
        raise Unsound("its size is negative")
    result: list[Extent] = []
    begin, end = offset, 0
    for position, length in pairs:
        if position < end or length < 0 or position + length > size:
            raise Unsound("its sparse map has pieces that overlap or lie outside")
        end = position + length
        if length:
            result.append(Extent(position, offset, length))
        offset += length
    if offset - begin != stored:
        raise Unsound("its sparse map does not fit its data")
    return tuple(result)


def _pairs(texts: list[bytes]) -> Map:
    if len(texts) % 2:
        raise Unsound("its sparse map has an offset without a length")
    numbers = [pax.decimal(text, b"sparse map") for text in texts]
    return list(zip(numbers[::2], numbers[1::2], strict=True))
