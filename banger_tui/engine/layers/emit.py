"""A tree as a tar stream, always the same for the same tree, fit for ``mke2fs -d -``.

ustar, with an extended header where that is too small. Parents come first, siblings by name; the
first name of an inode carries it, others are hard links to that name. The root is the entry ``./``.
Files with holes are GNU sparse 1.0, which libarchive (and so mke2fs) and GNU tar read.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote_from_bytes

from banger_tui.engine.layers.header import BLOCK
from banger_tui.engine.layers.pax import SECOND
from banger_tui.engine.layers.pieces import Segment, data, segments
from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Kind, Node, walk

_CHUNK: Final = 1 << 20
_PASSED_ON: Final = _CHUNK // 4
"""Pieces from here on are not copied together with others."""

_TYPES: Final = {
    Kind.FILE: b"0",
    Kind.SYMLINK: b"2",
    Kind.CHARACTER: b"3",
    Kind.BLOCK: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}
_HARD_LINK: Final = b"1"
_EXTENDED: Final = b"x"

_NAME_MAX: Final = 100
_ID_MAX: Final = 0o7777777
_NUMBER_MAX: Final = 0o77777777777

Record = tuple[bytes, bytes]


def tar_stream(root: Node) -> Iterator[bytes]:
    """The whole tree in pieces of about 1 MiB. Blocking.

    Raises:
        BadContent: a file's source is not what it was when its layer was read.
    """
    with Sources() as sources:
        yield from _joined(_pieces(root, sources))
        sources.check()


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        is_small = len(piece) < _PASSED_ON
        if is_small:
            parts.append(piece)
            size += len(piece)
        if parts and (size >= _CHUNK or not is_small):
            yield b"".join(parts)
            parts, size = [], 0
        if not is_small:
            yield piece
    yield b"".join(parts)


def _pieces(root: Node, sources: Sources) -> Iterator[bytes]:
    shared = _with_many_names(root)
    first: dict[Node, bytes] = {}
    yield from _entry(b"./", root, sources)
    for path, node in walk(root):
        if node in shared:
            if node in first:
                yield _head(path, node, _HARD_LINK, 0, first[node])
                continue
            first[node] = path
        yield from _entry(path, node, sources)
    yield bytes(2 * BLOCK)


def _with_many_names(root: Node) -> set[Node]:
    once: set[Node] = set()
    more: set[Node] = set()
    directories = [root]
    for directory in directories:
        for node in directory.children.values():
            if node.kind is Kind.DIRECTORY:
                directories.append(node)
            elif node in once:
                more.add(node)
            else:
                once.add(node)
    return more


def _entry(path: bytes, node: Node, sources: Sources) -> Iterator[bytes]:
    kind = _TYPES[node.kind]
    content = node.content
    if node.kind is not Kind.FILE or not content.size:
        yield _head(path, node, kind, 0, node.target)
        return
    pieces = segments(content)
    stored = sum(piece.length for piece in pieces)
    if stored == content.size:
        yield _head(path, node, kind, stored)
    else:
        text = _sparse_map(pieces, content.size)
        records = [
            (b"GNU.sparse.major", b"1"),
            (b"GNU.sparse.minor", b"0"),
            (b"GNU.sparse.name", path),
            (b"GNU.sparse.realsize", b"%d" % content.size),
        ]
        made_up = b"GNUSparseFile.0/" + path.rpartition(b"/")[2]
        stored += len(text)
        yield _head(made_up[:_NAME_MAX], node, kind, stored, b"", records)
        yield text
    for piece in pieces:
        yield from data(content, piece, sources, _CHUNK)
    if stored % BLOCK:
        yield bytes(-stored % BLOCK)


def _sparse_map(pieces: list[Segment], size: int) -> bytes:
    numbers = [number for piece in pieces for number in (piece.position, piece.length)]
    if not pieces or pieces[-1].end < size:
        numbers += [size, 0]
    return _padded(b"".join(b"%d\n" % number for number in (len(numbers) // 2, *numbers)))


def _head(
    path: bytes,
    node: Node,
    kind: bytes,
    size: int,
    link: bytes = b"",
    records: Iterable[Record] = (),
) -> bytes:
    """The header of an entry, after its extended one if it needs that."""
    seconds, fraction = divmod(node.mtime_ns, SECOND)
    needed = list(records)
    if len(path) > _NAME_MAX:
        needed.append((b"path", path))
    if len(link) > _NAME_MAX:
        needed.append((b"linkpath", link))
    if any(not value.isascii() for _, value in needed):
        # Or libarchive takes them for UTF-8, and fails where they are not, or the locale's is not.
        needed.insert(0, (b"hdrcharset", b"BINARY"))
    if size > _NUMBER_MAX:
        needed.append((b"size", b"%d" % size))
    if node.uid > _ID_MAX:
        needed.append((b"uid", b"%d" % node.uid))
    if node.gid > _ID_MAX:
        needed.append((b"gid", b"%d" % node.gid))
    if fraction or not 0 <= seconds <= _NUMBER_MAX:
        needed.append((b"mtime", _time(node.mtime_ns)))
    if kind != _HARD_LINK:
        needed += map(_attribute, sorted(node.xattrs.items()))
    block = _block(
        path[:_NAME_MAX],
        kind,
        size if size <= _NUMBER_MAX else 0,
        min(max(seconds, 0), _NUMBER_MAX),
        link[:_NAME_MAX],
        node,
    )
    return _extended(needed) + block if needed else block


def _block(name: bytes, kind: bytes, size: int, mtime: int, link: bytes, node: Node) -> bytes:
    block = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0        %b%bustar\x0000%64b%07o\0%07o\0%167b" % (
        name.ljust(_NAME_MAX, b"\0"),
        node.mode,
        node.uid if node.uid <= _ID_MAX else 0,
        node.gid if node.gid <= _ID_MAX else 0,
        size,
        mtime,
        kind,
        link.ljust(_NAME_MAX, b"\0"),
        bytes(64),
        *node.device,
        bytes(167),
    )
    return b"%b%06o\0 %b" % (block[:148], sum(block), block[156:])


def _extended(records: list[Record]) -> bytes:
    text = b"".join(_record(key, value) for key, value in records)
    head = _block(b"PaxHeaders/entry", _EXTENDED, len(text), 0, b"", Node(Kind.FILE))
    return head + _padded(text)


def _record(key: bytes, value: bytes) -> bytes:
    """Its length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(b"%d" % rest)
    length = rest + len(b"%d" % length)
    return b"%d %b=%b\n" % (length, key, value)


def _attribute(attribute: Record) -> Record:
    name, value = attribute
    if b"=" not in name:
        return b"SCHILY.xattr." + name, value
    quoted = quote_from_bytes(name, safe="").encode("ascii")
    return b"LIBARCHIVE.xattr." + quoted, base64.b64encode(value).rstrip(b"=")


def _time(mtime_ns: int) -> bytes:
    seconds, fraction = divmod(abs(mtime_ns), SECOND)
    decimals = (b".%09d" % fraction).rstrip(b"0") if fraction else b""
    return b"%b%d%b" % (b"-" if mtime_ns < 0 else b"", seconds, decimals)


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % BLOCK)
