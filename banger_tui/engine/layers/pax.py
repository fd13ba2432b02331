"""Extended headers: records of "length key=value" before an entry (POSIX.1-2001, pax)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from banger_tui.engine.layers.refusal import Unsound, shown

Records = dict[bytes, bytes]

SPARSE_MAP: Final = b"GNU.sparse.map"
SECOND: Final = 1_000_000_000

_DIGITS: Final = 20
"""Of the greatest 64-bit number."""

_TIME = re.compile(rb"(-?)([0-9]{1,20})(?:\.([0-9]*))?")

_FOR_ALL = frozenset((b"uid", b"gid", b"mtime"))
"""What a global header may set. A path, a size or an attribute is one entry's own."""

_ONE_ENTRYS = (
    b"path",
    b"linkpath",
    b"size",
    b"GNU.sparse.",
    b"SCHILY.xattr.",
    b"LIBARCHIVE.xattr.",
)


def parse(data: bytes) -> Records:
    """The records of one header; of a repeated key the last.

    Sparse format 0.0 repeats offset and length for each extent: they become the map of format 0.1.

    Raises:
        Unsound: not records all the way to the end.
    """
    records: Records = {}
    numbers: list[bytes] = []
    at = 0
    while at < len(data):
        blank = data.find(b" ", at, at + _DIGITS + 1)
        length = data[at:blank] if blank > 0 else b""
        end = at + int(length) if length.isdigit() else 0
        if end <= blank + 1 or end > len(data) or data[end - 1] != 0x0A:
            raise Unsound("its extended header has a record of a wrong length")
        key, equals, value = data[blank + 1 : end - 1].partition(b"=")
        if not key or not equals or b"\0" in key:
            raise Unsound("its extended header has a record without a key")
        at = end
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            if (len(numbers) % 2 == 0) is not (key == b"GNU.sparse.offset"):
                raise Unsound("its sparse map has an offset without a length")
            numbers.append(value)
        else:
            records[key] = value
    if numbers:
        records[SPARSE_MAP] = b",".join(numbers)
    return records


def for_all(records: Records) -> Records:
    """What a global header says of all entries after it.

    Raises:
        Unsound: it says what makes no sense for more than one.
    """
    for key in records:
        if key.startswith(_ONE_ENTRYS):
            raise Unsound(f"a header for all entries sets {shown(key)}")
    return {key: value for key, value in records.items() if key in _FOR_ALL}


def text(records: Mapping[bytes, bytes], key: bytes) -> bytes:
    """A path; empty when there is none.

    Raises:
        Unsound: it has a NUL in it.
    """
    value = records.get(key, b"")
    if b"\0" in value:
        raise Unsound(f"its {shown(key)} has a NUL in it")
    return value


def number(records: Mapping[bytes, bytes], key: bytes, default: int) -> int:
    """A decimal number that is not negative. An empty value takes a global one back.

    Raises:
        Unsound: it is none.
    """
    value = records.get(key)
    return decimal(value, key) if value else default


def decimal(value: bytes, what: bytes) -> int:
    """Digits and nothing else. ``what``: the key, for the complaint.

    Raises:
        Unsound: it is not.
    """
    if not value.isdigit() or len(value) > _DIGITS:
        raise Unsound(f"its {shown(what)} is {shown(value)}, not a number")
    return int(value)


def time_ns(value: bytes) -> int:
    """Seconds since 1970 with any number of decimals, negative before; digits below a nanosecond
    are cut off.

    Raises:
        Unsound: it is no time.
    """
    match = _TIME.fullmatch(value)
    if match is None:
        raise Unsound(f"its 'mtime' is {shown(value)}, not a time")
    sign, seconds, fraction = match.groups()
    nanoseconds = int(seconds) * SECOND + int((fraction or b"")[:9].ljust(9, b"0"))
    return -nanoseconds if sign else nanoseconds
