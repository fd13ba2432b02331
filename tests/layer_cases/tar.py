"""A tiny tar writer that can also write what no tar writer should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.layer_cases.case import MTIME

BLOCK = 512
END = bytes(2 * BLOCK)
USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"
V7 = bytes(8)

Number = int | bytes
"""A header's number: as octal digits, or these very bytes."""


def padded(data: bytes) -> bytes:
    """``data`` up to the next whole block."""
    return data + bytes(-len(data) % BLOCK)


def base256(number: int, width: int) -> bytes:
    """A number as GNU tar writes those that octal digits can't hold; negative ones too."""
    raw = bytearray(number.to_bytes(width, "big", signed=True))
    raw[0] |= 0x80
    return bytes(raw)


def header(
    name: bytes,
    kind: bytes = b"0",
    *,
    size: Number = 0,
    mode: Number = 0o644,
    uid: Number = 0,
    gid: Number = 0,
    mtime: Number = MTIME,
    link: bytes = b"",
    magic: bytes = USTAR,
    major: Number = 0,
    minor: Number = 0,
    prefix: bytes = b"",
    checksum: bytes | None = None,
    signed_sum: bool = False,
) -> bytes:
    """One block. ``prefix`` fills what follows the device numbers, whatever the format calls it."""
    assert len(name) <= 100
    assert len(link) <= 100
    fields = [
        name.ljust(100, b"\0"),
        _number(mode, 8),
        _number(uid, 8),
        _number(gid, 8),
        _number(size, 12),
        _number(mtime, 12),
        b" " * 8,
        kind,
        link.ljust(100, b"\0"),
        magic,
        bytes(64),
        _number(major, 8),
        _number(minor, 8),
        prefix.ljust(167, b"\0"),
    ]
    block = b"".join(fields)
    assert len(block) == BLOCK, len(block)
    if checksum is None:
        total = sum(byte - 256 if signed_sum and byte > 127 else byte for byte in block)
        checksum = b"%06o\0 " % total
    return block[:148] + checksum.ljust(8, b"\0") + block[156:]


def _number(value: Number, width: int) -> bytes:
    if isinstance(value, bytes):
        return value.ljust(width, b"\0")
    digits = b"%0*o\0" % (width - 1, value)
    assert len(digits) == width, value
    return digits


def member(
    name: bytes,
    data: bytes = b"",
    kind: bytes = b"0",
    *,
    size: Number | None = None,
    mode: Number = 0o644,
    uid: Number = 0,
    gid: Number = 0,
    mtime: Number = MTIME,
    link: bytes = b"",
    magic: bytes = USTAR,
    prefix: bytes = b"",
) -> bytes:
    """A header and its padded data. ``size``: what the header says, if it is not the truth."""
    return header(
        name,
        kind,
        size=len(data) if size is None else size,
        mode=mode,
        uid=uid,
        gid=gid,
        mtime=mtime,
        link=link,
        magic=magic,
        prefix=prefix,
    ) + padded(data)


file = member


def directory(
    name: bytes, *, mode: Number = 0o755, uid: Number = 0, gid: Number = 0, mtime: Number = MTIME
) -> bytes:
    return header(name, b"5", mode=mode, uid=uid, gid=gid, mtime=mtime)


def symlink(name: bytes, target: bytes) -> bytes:
    return header(name, b"2", link=target, mode=0o777)


def hardlink(name: bytes, target: bytes) -> bytes:
    return header(name, b"1", link=target)


def whiteout(path: bytes) -> bytes:
    """Hides ``path`` of the layers below."""
    parent, slash, name = path.rpartition(b"/")
    return header(parent + slash + b".wh." + name)


def opaque(path: bytes) -> bytes:
    """Hides all that the layers below have in the directory ``path`` (``b""``: the root)."""
    return header((path + b"/" if path else b"") + b".wh..wh..opq")


def record(key: bytes, value: bytes) -> bytes:
    """One record of an extended header; its length counts its own digits."""
    body = b" %s=%s\n" % (key, value)
    length = len(body)
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d%s" % (length, body)


def pax(
    records: Mapping[bytes, bytes] | Sequence[tuple[bytes, bytes]] | bytes, kind: bytes = b"x"
) -> bytes:
    """An extended header (``g``: a global one). Bytes are taken as they are."""
    if not isinstance(records, bytes):
        pairs = records.items() if isinstance(records, Mapping) else records
        records = b"".join(record(key, value) for key, value in pairs)
    return member(b"././@PaxHeader", records, kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """GNU tar's long name (``K``: long link target) for the entry after it."""
    return member(b"././@LongLink", name + b"\0", kind, magic=GNU)


def old_sparse(name: bytes, pairs: Sequence[tuple[int, int]], data: bytes, size: int) -> bytes:
    """A file with holes as GNU tar wrote them before pax. ``pairs``: (position, length)."""
    fields = [b"%011o\0%011o\0" % pair for pair in pairs]
    blocks = [b"".join(fields[:4]).ljust(96, b"\0")]
    blocks += [b"".join(fields[at : at + 21]) for at in range(4, len(fields), 21)]
    more = [bytes([number + 1 < len(blocks)]) for number in range(len(blocks))]
    head = bytes(41) + blocks[0] + more[0] + b"%011o\0" % size
    extensions = [
        block.ljust(504, b"\0") + mark + bytes(7)
        for block, mark in zip(blocks[1:], more[1:], strict=True)
    ]
    return b"".join(
        (
            header(name, b"S", size=len(data), magic=GNU, prefix=head),
            *extensions,
            padded(data),
        )
    )


def layer(*pieces: bytes, end: bytes = END) -> bytes:
    return b"".join(pieces) + end


def joined(pieces: Iterable[bytes]) -> bytes:
    return b"".join(pieces) + END
