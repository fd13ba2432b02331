"""What a guest sends as tar: whole, in pieces, damaged, and meant to do harm."""

from __future__ import annotations

import io
import random
import tarfile

import pytest

from banger_tui.engine.errors import BadContent
from banger_tui.engine.sessions.copy_tar import (
    END,
    Entry,
    Kind,
    TarReader,
    header,
    padding,
    parts_of,
)

LONG = b"l" * 200
TREE: list[Entry | bytes] = [
    Entry((), Kind.DIRECTORY, 0o755, 5),
    Entry((b"a b\n\xff",), Kind.FILE, 0o640, 1_000_000_000, 3),
    b"abc",
    Entry((b"empty",), Kind.FILE, 0o600, 7, 0),
    Entry((b"up",), Kind.SYMLINK, 0o777, 9, target=b"../../etc"),
    Entry((LONG,), Kind.DIRECTORY, 0o500, 11),
    Entry((LONG, b"m" * 255), Kind.FILE, 0o644, 13, 1000),
    b"x" * 1000,
    Entry((b"again",), Kind.LINK, 0o640, 15, linked=(b"a b\n\xff",)),
    Entry((b"to-long",), Kind.SYMLINK, 0o777, 17, target=b"t" * 300),
]


def archive(items: list[Entry | bytes]) -> bytes:
    made = bytearray()
    for item in items:
        made += item + padding(len(item)) if isinstance(item, bytes) else header(item, b".")
    return bytes(made) + END


def read(data: bytes, pieces: random.Random | None = None) -> list[Entry | bytes]:
    """All of it, the bytes of a file joined."""
    reader = TarReader()
    items: list[Entry | bytes] = []
    while data:
        cut = pieces.randrange(1, 700) if pieces else len(data)
        for item in reader.feed(data[:cut]):
            last = items[-1] if items else None
            if isinstance(item, bytes) and isinstance(last, bytes):
                items[-1] = last + item
            else:
                items.append(item)
        data = data[cut:]
    reader.finish()
    return items


def test_what_is_sent_is_what_comes() -> None:
    assert read(archive(TREE)) == TREE


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_any_size_are_the_same(seed: int) -> None:
    assert read(archive(TREE), random.Random(seed)) == TREE


def test_others_write_what_we_read_and_read_what_we_write() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(TREE))) as ours:
        assert [info.name for info in ours][1:3] == ["./a b\n\udcff", "./empty"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as theirs:
        info = tarfile.TarInfo("./" + "d" * 150)
        info.mode, info.size = 0o4755, 2
        theirs.addfile(info, io.BytesIO(b"hi"))
    # Bits that give rights away do not travel.
    assert read(out.getvalue()) == [Entry((b"d" * 150,), Kind.FILE, 0o755, 0, 2), b"hi"]


@pytest.mark.parametrize(
    "name",
    [b"/etc/passwd", b"../x", b"a/../../x", b"a/..", b"..", b"n" * 256, b"d/" * 2100, b"a\0b"],
)
def test_names_that_lead_elsewhere_are_refused(name: bytes) -> None:
    with pytest.raises(BadContent):
        parts_of(name)


def test_names_are_paths() -> None:
    assert parts_of(b"./a//b/./c/") == (b"a", b"b", b"c")
    assert parts_of(b"...") == (b"...",)
    assert parts_of(b"./") == ()


def test_an_archive_with_such_a_name_is_refused() -> None:
    for info in (_info("../../evil"), _info("/evil"), _info("fine", "../../evil")):
        with pytest.raises(BadContent):
            read(info.tobuf(tarfile.GNU_FORMAT) + END)


def _info(name: str, linked: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if linked:
        info.type, info.linkname = tarfile.LNKTYPE, linked
    return info


def test_every_place_to_break_off_is_noticed() -> None:
    whole = archive(TREE)[: -len(END)]
    for length in range(0, len(whole), 97):
        with pytest.raises(BadContent):
            read(whole[:length])


def test_a_name_without_end_is_not_waited_for() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    with pytest.raises(BadContent, match="can't be unpacked"):
        list(TarReader().feed(info.tobuf(tarfile.GNU_FORMAT)))


def test_damage_and_unknown_types_are_refused() -> None:
    block = bytearray(_info("a").tobuf(tarfile.GNU_FORMAT))
    block[0] ^= 1
    with pytest.raises(BadContent):
        list(TarReader().feed(bytes(block)))
    odd = _info("a")
    odd.type = b"S"
    with pytest.raises(BadContent):
        list(TarReader().feed(odd.tobuf(tarfile.GNU_FORMAT)))
    with pytest.raises(BadContent):
        list(TarReader().feed(random.Random(1).randbytes(512)))


def test_nothing_may_follow_the_end_for_ever() -> None:
    with pytest.raises(BadContent):
        read(archive(TREE) + b"more")
    reader = TarReader()
    list(reader.feed(END + bytes(1 << 19)))
    with pytest.raises(BadContent):
        list(reader.feed(bytes(1 << 19)))


def test_devices_are_told_apart() -> None:
    info = _info("null")
    info.type = tarfile.CHRTYPE
    assert read(info.tobuf(tarfile.GNU_FORMAT) + END) == [Entry((b"null",), Kind.OTHER)]
