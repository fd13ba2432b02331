"""The tar reader by itself: what it tells of members, what it costs, what garbage does to it."""

from __future__ import annotations

import contextlib
import io
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent, BangerError, LimitExceeded, OperationCancelled
from banger_tui.engine.layers.archive import members
from banger_tui.engine.layers.emit import tar_stream
from banger_tui.engine.layers.header import BLOCK
from banger_tui.engine.layers.member import Member
from banger_tui.engine.layers.merge import Merge
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.refusal import shown
from banger_tui.engine.layers.tree import Extent, Kind
from banger_tui.engine.limits import Limits
from tests.layer_cases import tar
from tests.layer_cases.cases import CASES

FUZZED = [
    case
    for case in CASES
    if not case.is_refused and case.parts and sum(map(len, case.layers())) < 100_000
]


def read(archive: bytes, limits: Limits | None = None) -> list[Member]:
    return list(members(io.BytesIO(archive), limits or Limits()))


def test_members_are_located_not_read() -> None:
    archive = tar.layer(tar.file(b"a", b"x" * 700), tar.directory(b"d/"), tar.file(b"d/b", b"y"))
    first, second, third = read(archive)
    assert (first.name, first.kind, first.at) == (b"a", Kind.FILE, 0)
    assert (first.size, first.extents) == (700, (Extent(0, 512, 700),))
    assert (second.name, second.kind, second.at) == (b"d/", Kind.DIRECTORY, 1536)
    assert third.extents == (Extent(0, 2560, 1),)
    assert archive[2560:2561] == b"y"


def test_a_hard_link_has_no_kind_of_its_own() -> None:
    _, link = read(tar.layer(tar.file(b"a"), tar.hardlink(b"b", b"a")))
    assert (link.kind, link.target, link.name) == (None, b"a", b"b")


def test_a_reader_can_be_given_up_between_members() -> None:
    archive = tar.file(b"a") + b"\xff" * 600
    reading = members(io.BytesIO(archive), Limits())
    assert next(reading).name == b"a"
    with pytest.raises(BadContent, match="at byte 512"):
        next(reading)


def test_an_error_names_the_entry_and_where_it_is() -> None:
    archive = tar.layer(tar.file(b"a", b"x"), tar.file(b"b\x1b[31m\xff", size=b"zz\0"))
    with pytest.raises(BadContent) as caught:
        read(archive)
    assert "at byte 1024" in caught.value.detail
    archive = tar.layer(tar.file(b"a"), tar.file(b"b\x1b[31m\xff", uid=b"\xff" * 8))
    with pytest.raises(BadContent) as caught:
        read(archive)
    assert r"'b\x1b[31m\xff' at byte 512" in caught.value.detail


def test_names_are_shown_short_and_printable() -> None:
    assert shown(b"plain/name") == "'plain/name'"
    assert shown("café".encode()) == "'café'"
    assert shown(b"a\nb\x9f\xe2\x80\xae") == r"'a\nb\x9f\u202e'"
    assert len(shown(b"x" * 100_000)) < 90
    assert shown(b"start" + b"x" * 1000 + b"end").startswith("'start")
    assert shown(b"start" + b"x" * 1000 + b"end").endswith("end'")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_another_writer(form: int) -> None:
    output = io.BytesIO()
    long = "directory/" * 9 + "file"
    with tarfile.open(fileobj=output, mode="w", format=form) as archive:
        for name, data in (("short", b"1"), (long, b"2" * 1000)):
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode, info.uid = len(data), 1234, 0o751, 1000
            archive.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo("link")
        info.type, info.linkname = tarfile.SYMTYPE, "target/" * 14
        archive.addfile(info)
    short, other, link = read(output.getvalue())
    assert (short.name, short.size, short.mode, short.uid) == (b"short", 1, 0o751, 1000)
    assert (other.name, other.size, other.mtime_ns) == (long.encode(), 1000, 1234 * 10**9)
    assert (link.kind, link.target) == (Kind.SYMLINK, b"target/" * 14)


def test_one_meter_counts_over_several_archives() -> None:
    meter = Meter(Limits(max_entries=3))
    archive = io.BytesIO(tar.layer(tar.file(b"a"), tar.file(b"b")))
    assert len(list(members(archive, meter.limits, meter=meter))) == 2
    with pytest.raises(LimitExceeded):
        list(members(archive, meter.limits, meter=meter))


def test_reading_stops_when_it_is_told_to() -> None:
    archive = tar.layer(*(tar.file(b"%d" % number) for number in range(1000)))
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 2

    meter = Meter(Limits(), stop)
    with pytest.raises(OperationCancelled):
        list(members(io.BytesIO(archive), meter.limits, meter=meter))
    assert meter.entries == 512


def test_reading_endless_padding_stops_when_it_is_told_to() -> None:
    meter = Meter(Limits(), lambda: True)
    with pytest.raises(OperationCancelled):
        list(members(io.BytesIO(bytes(1 << 20)), meter.limits, meter=meter))


def test_long_names_fill_no_memory() -> None:
    name = b"/".join([b"d" * 200] * 15)
    pair = tar.long_name(name) + tar.file(b"x")
    limits = Limits(max_entries=100)
    meter = Meter(limits)
    meter.memory((64 << 20) + 512 * 100 - 2 * len(name))
    reading = members(io.BytesIO(pair * 10), limits, meter=meter)
    assert len([next(reading), next(reading)]) == 2
    with pytest.raises(LimitExceeded, match="memory"):
        next(reading)


def exercise(archive: bytes, path: Path) -> None:
    """Read, merge and emit; whatever the bytes are, only our own errors may come of it."""
    path.write_bytes(archive)
    merge = Merge(Limits(max_rootfs_bytes=1 << 26, max_entries=10_000))
    with path.open("rb") as file, contextlib.suppress(BangerError):
        merge.add(file, path)
        sum(map(len, tar_stream(merge.root)))


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_raise_nothing_else(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    for case in dice.sample(FUZZED, 40):
        archive = bytearray(dice.choice(case.layers()))
        if not archive:
            continue
        for _ in range(dice.randrange(1, 6)):
            archive[dice.randrange(len(archive))] = dice.randrange(256)
        exercise(bytes(archive), tmp_path / "fuzzed.tar")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_with_right_checksums_raise_nothing_else(seed: int, tmp_path: Path) -> None:
    """A wrong checksum ends it early; this gets behind it."""
    dice = random.Random(seed)
    for case in dice.sample(FUZZED, 40):
        archive = bytearray(dice.choice(case.layers()))
        blocks = [
            at
            for at in range(0, len(archive), BLOCK)
            if b"ustar" in archive[at + 257 : at + 265] or archive[at + 148 : at + 154].isdigit()
        ]
        if not blocks:
            continue
        for _ in range(dice.randrange(1, 4)):
            at = dice.choice(blocks)
            offset = dice.choice([*range(100), *range(100, 148), *range(156, 512)])
            archive[at + offset] = dice.choice([0, 0x20, 0x2F, 0x30, 0x37, 0x80, 0xFF, 0x78, 0x4C])
            block = bytes(archive[at : at + 148]) + b" " * 8 + bytes(archive[at + 156 : at + BLOCK])
            archive[at + 148 : at + 156] = b"%06o\0 " % sum(block)
        exercise(bytes(archive), tmp_path / "fuzzed.tar")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"x", b"g"]))
def test_extended_headers_of_garbage_raise_nothing_else(parts: list[bytes], kind: bytes) -> None:
    body = b"".join(tar.record(b"key", part) if len(part) % 2 else part for part in parts)
    with contextlib.suppress(BangerError):
        read(tar.layer(tar.pax(body, kind), tar.file(b"a")))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000))
def test_garbage_raises_nothing_else(garbage: bytes) -> None:
    with contextlib.suppress(BangerError):
        read(garbage)
