"""A strict reader of tar archives: ustar, GNU tar, Version 7, star and pax.

Where archives are ambiguous, it reads as Docker (Go's archive/tar) and GNU tar do:

- The end is a block of zeros; nothing but zeros may follow it. An archive without one may end after
  any entry. (Both accept that; whether all has come is for the layer's digest to say.)
- Links, directories, devices and fifos have no data, whatever size their header claims.
- A file whose name ends with a slash is a directory.

What they pass over is an error here: a damaged header, data or padding cut short, anything after
the end, an entry of an unknown type (volume labels, multi-volume parts, dumps: no image has them),
two extended headers or two long names for one entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from banger_tui.engine.layers import pax, sparse, xattrs
from banger_tui.engine.layers.header import BLOCK, Header
from banger_tui.engine.layers.member import Member
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.refusal import Unsound, broken, exceeded, shown
from banger_tui.engine.layers.tree import Extent, Kind
from banger_tui.engine.limits import Limits

_ZEROS: Final = bytes(BLOCK)
_CHUNK: Final = 1 << 20
_ZERO_CHUNK: Final = bytes(_CHUNK)

_KINDS: Final[dict[bytes, Kind]] = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"S": Kind.FILE,
    b"2": Kind.SYMLINK,
    b"3": Kind.CHARACTER,
    b"4": Kind.BLOCK,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
}
_HARD_LINK: Final = b"1"
_SPARSE: Final = b"S"
_EXTENDED: Final = b"x"
_FOR_ALL: Final = b"g"
_LONG: Final = {b"L": b"path", b"K": b"linkpath"}

_HEADER_BYTES: Final = 1 << 20
"""The most of one extended header that is read, if limits do not ask for more (Go's reader has the
same)."""

_EXTENT_BYTES: Final = 128
"""An extent in memory, about."""


def members(file: BinaryIO, limits: Limits, *, meter: Meter | None = None) -> Iterator[Member]:
    """The entries of an uncompressed archive, in its order. Blocking.

    Data is not read, only checked to be there.

    Args:
        file: seekable; read from its beginning.
        meter: counts, for limits over several archives.

    Raises:
        BadContent: not a sound archive, or an entry that no Linux filesystem can hold.
        LimitExceeded
    """
    return _Reader(file, meter or Meter(limits)).members()


class _Reader:
    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter
        self._limits = meter.limits
        self._end = file.seek(0, 2)
        self._at = 0
        """Where the next block begins; the file stands there between entries."""
        self._name: bytes | None = None
        """Of the entry at hand, once known."""
        self._for_all: pax.Records = {}
        self._records: pax.Records | None = None
        self._long: dict[bytes, bytes] = {}

    def members(self) -> Iterator[Member]:
        self._file.seek(0)
        while True:
            begin = self._at
            self._name = None
            try:
                block = self._file.read(BLOCK)
                if not block or block == _ZEROS:
                    self._finish(begin)
                    return
                if len(block) < BLOCK:
                    raise Unsound("the archive ends within a header")
                self._at += BLOCK
                member = self._entry(Header(block), begin)
            except Unsound as error:
                raise broken(str(error), self._name, begin) from None
            if member is not None:
                yield member

    def _finish(self, begin: int) -> None:
        if self._records is not None or self._long:
            raise Unsound("the archive ends where the entry of an extended header should be")
        self._file.seek(begin)
        while chunk := self._file.read(_CHUNK):
            self._meter.go_on()
            if chunk != _ZERO_CHUNK[: len(chunk)]:
                raise Unsound("something follows the end of the archive")

    def _entry(self, header: Header, begin: int) -> Member | None:
        """The member, or None when the header only says something of the next one."""
        kind = header.kind
        if kind in (_EXTENDED, _FOR_ALL) or kind in _LONG:
            self._special(header)
            return None
        long, self._long = self._long, {}
        records = self._for_all
        if self._records is not None:
            records = {**records, **self._records} if records else self._records
            self._records = None
        name = long.get(b"path") or pax.text(records, b"path") or header.name
        target = long.get(b"linkpath") or pax.text(records, b"linkpath") or header.link
        is_sparse = bool(records) and sparse.is_sparse(records)
        if is_sparse:
            name = sparse.real_name(records) or name
        self._name = name
        self._check_path(name)
        member = Member(name, None, begin)
        if kind == _HARD_LINK:
            self._check_path(target)
            member.target = target
        else:
            member.kind = file_kind = self._kind(header, name)
            member.set_inode(header, records)
            if records:
                member.xattrs = xattrs.kept(xattrs.read(records, self._limits), file_kind)
            if file_kind is Kind.FILE:
                self._locate(member, header, records, is_sparse)
            elif is_sparse:
                raise Unsound("it is sparse, but no file")
            elif file_kind is Kind.SYMLINK:
                self._check_path(target, "target")
                member.set_target(target)
            elif file_kind in (Kind.CHARACTER, Kind.BLOCK):
                member.set_device(header)
        self._count(member)
        return member

    def _count(self, member: Member) -> None:
        self._meter.entry()
        self._meter.memory(len(member.name) + len(member.target))
        for key, value in member.xattrs.items():
            self._meter.memory(len(key) + len(value))
        if member.size:
            self._meter.content(member.size)

    def _kind(self, header: Header, name: bytes) -> Kind:
        kind = _KINDS.get(header.kind)
        if kind is None:
            raise Unsound(f"it is of an unknown type, {shown(header.kind)}")
        if kind is Kind.FILE and name.endswith(b"/"):
            if header.size:
                raise Unsound("it is a file whose name ends as a directory's")
            return Kind.DIRECTORY
        return kind

    def _locate(
        self, member: Member, header: Header, records: pax.Records, is_sparse: bool
    ) -> None:
        """Where the file's bytes are; the reader stands behind them then."""
        stored = pax.number(records, b"size", header.size) if records else header.size
        if stored < 0:
            raise Unsound("its size is negative")
        if header.kind == _SPARSE or is_sparse:
            stored = self._locate_pieces(member, header, records, stored)
        elif stored:
            member.size = stored
            member.extents = (Extent(0, self._at, stored),)
        if stored:
            self._skip(stored)

    def _locate_pieces(
        self, member: Member, header: Header, records: pax.Records, stored: int
    ) -> int:
        """Of a file with holes. Returns how much data comes after its map."""
        if header.kind != _SPARSE:
            size = sparse.real_size(records)
            if sparse.has_map_in_data(records):
                begin = self._at
                pairs = sparse.map_in_data(self._block, self._count_extents)
                stored -= self._at - begin
            else:
                pairs = sparse.map_in_records(records)
                self._count_extents(len(pairs))
        elif header.is_gnu and not sparse.is_sparse(records):
            pairs = sparse.old_map(header, self._block, self._count_extents)
            size = sparse.old_real_size(header)
        else:
            raise Unsound("it is sparse in an unknown format")
        member.size = size
        member.extents = sparse.extents(pairs, size, self._at, stored)
        return stored

    def _check_path(self, path: bytes, what: str = "name") -> None:
        if not path:
            raise Unsound(f"it has no {what}")
        if len(path) > self._limits.max_path_bytes:
            raise exceeded(
                "max_path_bytes",
                self._limits.max_path_bytes,
                f"An entry's {what} has {len(path):,} bytes: {shown(path)}",
            )

    def _special(self, header: Header) -> None:
        self._meter.go_on()
        if (key := _LONG.get(header.kind)) is not None:
            if key in self._long:
                raise Unsound("an entry has two long names")
            most = self._limits.max_path_bytes
            if header.size > most + BLOCK:
                raise exceeded("max_path_bytes", most, f"A path has {header.size:,} bytes")
            self._long[key] = self._data(header.size).partition(b"\0")[0]
            return
        most = max(_HEADER_BYTES, 3 * self._limits.max_xattr_bytes)
        if header.size > most:
            raise exceeded(
                "max_xattr_bytes",
                self._limits.max_xattr_bytes,
                f"An extended header has {header.size:,} bytes, of which {most:,} are read",
            )
        records = pax.parse(self._data(header.size))
        if header.kind == _FOR_ALL:
            self._for_all = {**self._for_all, **pax.for_all(records)}
        elif self._records is not None:
            raise Unsound("an entry has two extended headers")
        else:
            self._records = records

    def _data(self, size: int) -> bytes:
        """The data after a header, with the reader behind it."""
        begin = self._at
        if size < 0:
            raise Unsound("its size is negative")
        self._skip(size)
        self._file.seek(begin)
        data = self._file.read(size)
        self._file.seek(self._at)
        return data

    def _skip(self, size: int) -> None:
        self._at += size + -size % BLOCK
        if self._at > self._end:
            raise Unsound("the archive ends within it")
        self._file.seek(self._at)

    def _block(self) -> bytes:
        """The next block of the entry at hand."""
        if self._at + BLOCK > self._end:
            raise Unsound("the archive ends within it")
        self._at += BLOCK
        return self._file.read(BLOCK)

    def _count_extents(self, count: int) -> None:
        self._meter.memory(_EXTENT_BYTES * count)
