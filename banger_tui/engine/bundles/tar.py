"""The few kinds of tar members a bundle is made of, written and strictly read in order.

Written is POSIX pax format (POSIX.1-2017, pax). Read is that and what GNU tar makes of the same
files: its own format for plain files, and ``--format=posix --sparse``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from banger_tui.engine.bundles import sparse
from banger_tui.engine.bundles.frame import FrameReader
from banger_tui.engine.bundles.sparse import Extent
from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.limits import Limits

BLOCK = 512
END = bytes(2 * BLOCK)
_FILE, _OLD_FILE, _DIRECTORY, _PAX = b"0", b"\0", b"5", b"x"
_MAX_PAX = 64 << 10
_MAX_END = 1 << 20  # zeros behind the last member; GNU tar fills up to 10 KiB
_CHECKSUM = re.compile(rb"([0-7]{6})\0 ")
_SIZE = re.compile(rb"([0-7]{11})[\0 ]")
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,18}")
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ")
#: Records that say nothing about what is in a file.
_HARMLESS = frozenset("mtime atime ctime uid gid uname gname".split())
_SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file of ``size`` bytes, ``stored_bytes`` of which are in the archive."""

    name: str
    size: int
    extents: tuple[Extent, ...]

    @property
    def stored_bytes(self) -> int:
        return sum(extent.length for extent in self.extents)


# ------------------------------------------------------------------------------------- writing


def file_head(name: str, size: int) -> bytes:
    """What stands before a plain file's bytes."""
    return _header(name.encode(), size, _FILE)


def sparse_head(name: str, size: int, extents: tuple[Extent, ...]) -> bytes:
    """What stands before the data of a file with holes."""
    text = sparse.encode(size, extents)
    text += padding(len(text))
    records = {
        **_SPARSE,
        "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(size),
    }
    pax = b"".join(_record(key, value) for key, value in records.items())
    stored = len(text) + sum(extent.length for extent in extents)
    return (
        _header(b"PaxHeaders.0/" + name.encode(), len(pax), _PAX)
        + pax
        + padding(len(pax))
        # The name a program sees that does not know the format.
        + _header(b"GNUSparseFile.0/" + name.encode(), stored, _FILE)
        + text
    )


def padding(size: int) -> bytes:
    """Zeros up to the next block."""
    return bytes(-size % BLOCK)


def _header(name: bytes, size: int, kind: bytes) -> bytes:
    # 8 GiB and more do not fit 11 octal digits: GNU's base-256 then, which other programs know too.
    number = b"%011o\0" % size if size < 1 << 33 else b"\x80" + size.to_bytes(11, "big")
    head = bytearray(BLOCK)
    head[0 : len(name)] = name
    head[100:124] = b"0000644\0" + b"0000000\0" * 2
    head[124:148] = number + b"%011o\0" % 0
    head[148:157] = b" " * 8 + kind
    head[257:265] = b"ustar\x0000"
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def _record(key: str, value: str) -> bytes:
    """``LENGTH key=value`` and a newline, LENGTH counting itself."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


# ------------------------------------------------------------------------------------- reading


def members(source: FrameReader, limits: Limits) -> Iterator[Member]:
    """The files in the archive; read the ``pieces`` of each before the next is asked for.

    Raises:
        BadContent, LimitExceeded
    """
    while True:
        block = source.exactly(BLOCK)
        if block == END[:BLOCK]:
            return _end(source)
        name, size, kind = _parse(block)
        records: Mapping[str, str] = {}
        if kind == _PAX:
            records = _records(_content(source, name, size, _MAX_PAX))
            name, size, kind = _parse(source.exactly(BLOCK))
        if kind == _DIRECTORY and not size and not records:
            if name.rstrip("/") not in (".", "kernel", "kernel/modules"):
                raise _wrong(f"{name!r} does not belong there.")
            continue
        if kind not in (_FILE, _OLD_FILE):
            raise _wrong(f"{name!r} is no plain file.")
        if "GNU.sparse.name" in records:
            yield _sparse_member(source, records, size, limits)
        elif records:
            raise _wrong(f"{name!r} has records that are not known.")
        else:
            yield _limited(Member(name, size, (Extent(0, size),) if size else ()), limits)


def pieces(source: FrameReader, member: Member) -> Iterator[tuple[int, bytes]]:
    """(position, bytes) of a member's data, in order, to its end; at most ``sparse.CHUNK`` each.

    Raises:
        BadContent
    """
    for extent in member.extents:
        end = extent.position + extent.length
        for position in range(extent.position, end, sparse.CHUNK):
            yield position, source.exactly(min(sparse.CHUNK, end - position))
    _padding(source, member.stored_bytes)


def _end(source: FrameReader) -> None:
    rest = BLOCK
    if any(source.exactly(BLOCK)):
        raise _wrong("Its end is not marked.")
    while not source.at_end():
        rest += BLOCK
        if any(source.exactly(BLOCK)) or rest > _MAX_END:
            raise _wrong("Something else follows its end.")


def _sparse_member(
    source: FrameReader, records: Mapping[str, str], stored: int, limits: Limits
) -> Member:
    known = {*_SPARSE, "GNU.sparse.name", "GNU.sparse.realsize"}
    name = records["GNU.sparse.name"]
    if records.keys() != known or any(records[key] != one for key, one in _SPARSE.items()):
        raise _wrong(f"{name!r} is stored in a way that is not known.")
    size = _number(records["GNU.sparse.realsize"].encode())
    extents, read = _map(source, limits)
    if not sparse.valid(extents, size):
        raise _wrong(f"The map of {name!r} makes no sense.")
    member = Member(name, size, tuple(extent for extent in extents if extent.length))
    if read + member.stored_bytes != stored:
        raise _wrong(f"The map of {name!r} does not fit its size.")
    return _limited(member, limits)


def _map(source: FrameReader, limits: Limits) -> tuple[tuple[Extent, ...], int]:
    """The map before a sparse file's data, and how many bytes of the archive it takes."""
    numbers: list[int] = []
    wanted = 1
    text, read = b"", 0
    while len(numbers) < wanted:
        line, newline, rest = text.partition(b"\n")
        if not newline:
            if len(text) >= BLOCK:
                raise _wrong("A number in a map is too long.")
            text += source.exactly(BLOCK)
            read += BLOCK
            continue
        numbers.append(_number(line))
        text = rest
        if len(numbers) == 1:
            if numbers[0] > limits.max_entries:
                raise _over("The map of a file in the bundle", "max_entries", limits.max_entries)
            wanted = 1 + 2 * numbers[0]
    if any(text):
        raise _wrong("Something else follows a map.")
    pairs = iter(numbers[1:])
    return tuple(Extent(at, length) for at, length in zip(pairs, pairs, strict=True)), read


def _limited(member: Member, limits: Limits) -> Member:
    if member.stored_bytes > limits.max_rootfs_bytes:
        raise _over(f"{member.name} in the bundle", "max_rootfs_bytes", limits.max_rootfs_bytes)
    return member


def _parse(block: bytes) -> tuple[str, int, bytes]:
    """(name, size in the archive, kind) of a header."""
    checksum = _CHECKSUM.fullmatch(block[148:156])
    expected = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    sound = checksum is not None and int(checksum[1], 8) == expected
    if not sound or block[257:265] not in (b"ustar\x0000", b"ustar  \0"):
        raise _wrong("A header is damaged.")
    raw = block[:100].rstrip(b"\0")
    if (
        any(block[345:])
        or any(block[157:257])
        or not raw.isascii()
        or not raw.decode().isprintable()
    ):
        raise _wrong("A header has a name that does not belong there.")
    return raw.decode().removeprefix("./") or ".", _size(block[124:136]), block[156:157]


def _size(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = _SIZE.fullmatch(field)
    if octal is None:
        raise _wrong("A size in a header is none.")
    return int(octal[1], 8)


def _records(data: bytes) -> dict[str, str]:
    """A pax header's records, without those that do not matter."""
    found: dict[str, str] = {}
    while data:
        head = _RECORD.match(data)
        length = int(head[1]) if head else 0
        record = data[head.end() : length] if head else b""
        key, equals, value = record.partition(b"=")
        if not equals or len(data) < length or not value.endswith(b"\n") or not record.isascii():
            raise _wrong("A record of its pax headers is damaged.")
        if key.decode() in found:
            raise _wrong("A record of its pax headers is there twice.")
        if key.decode() not in _HARMLESS:
            found[key.decode()] = value[:-1].decode()
        data = data[length:]
    return found


def _content(source: FrameReader, name: str, size: int, most: int) -> bytes:
    if size > most:
        raise _wrong(f"{name!r} is too long.")
    data = source.exactly(size)
    _padding(source, size)
    return data


def _padding(source: FrameReader, size: int) -> None:
    if any(source.exactly(-size % BLOCK)):
        raise _wrong("What fills up a member is not empty.")


def _number(text: bytes) -> int:
    if not _NUMBER.fullmatch(text):
        raise _wrong("A number in its archive is none.")
    return int(text)


def _wrong(detail: str) -> BadContent:
    return BadContent("The bundle is damaged", detail)


def _over(what: str, limit: str, most: int) -> LimitExceeded:
    return LimitExceeded(
        f"{what} is too large",
        f"The limit {limit} is {most}.",
        f"If you trust it, raise {limit} in [limits] of config.toml.",
    )
