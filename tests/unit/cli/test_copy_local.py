"""This host's side of a copy: what a guest sends stays in its place, and is whole or not there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent, BangerError, Conflict, NotEnoughDisk, NotFound
from banger_tui.engine.sessions import copy_sink
from banger_tui.engine.sessions.copy_sink import LocalSink
from banger_tui.engine.sessions.copy_source import measure, walk
from banger_tui.engine.sessions.copy_tar import Entry, Kind

ROOT = Entry((), Kind.DIRECTORY, 0o755, 1_000_000_000)


def put(target: str, items: list[Entry | bytes], name: bytes = b"new") -> None:
    sink = LocalSink(target, name)
    try:
        sink.prepare()
        for item in items:
            if isinstance(item, bytes):
                sink.data(item)
            else:
                sink.put(item)
        sink.publish()
    finally:
        sink.discard()


def file(*parts: bytes, mode: int = 0o640) -> list[Entry | bytes]:
    return [Entry(parts, Kind.FILE, mode, 1_000_000_001, 2), b"hi"]


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def test_a_tree_with_modes_times_and_links(tmp_path: Path) -> None:
    items: list[Entry | bytes] = [
        ROOT,
        *file(b"one\n"),
        Entry((b"sub",), Kind.DIRECTORY, 0o500, 1_000_000_002),
        *file(b"sub", b"\xff"),
        Entry((b"out",), Kind.SYMLINK, target=b"/etc/passwd"),
        Entry((b"same",), Kind.LINK, linked=(b"sub", b"\xff")),
    ]
    put(str(tmp_path / "copy"), items)
    made = tmp_path / "copy"
    assert names(tmp_path) == ["copy"]
    assert names(made) == ["one\n", "out", "same", "sub"]
    assert (made / "one\n").read_bytes() == b"hi"
    assert stat.S_IMODE((made / "one\n").stat().st_mode) == 0o640
    assert (made / "one\n").stat().st_mtime == 1_000_000_001
    assert os.readlink(made / "out") == "/etc/passwd"
    assert stat.S_IMODE((made / "sub").stat().st_mode) == 0o500
    assert (made / "sub").stat().st_mtime == 1_000_000_002
    assert made.stat().st_mtime == 1_000_000_000
    assert os.stat(made / "same").st_ino == os.stat(os.path.join(bytes(made), b"sub/\xff")).st_ino


def test_into_a_directory_beside_it_and_its_contents(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    put(str(place), [ROOT, *file(b"a")])
    assert names(place) == ["new"]
    put(str(place / "other"), [ROOT, *file(b"a")])
    assert names(place) == ["new", "other"]
    put(str(place), [ROOT, *file(b"a")], name=b"")
    assert names(place) == ["a", "new", "other"]
    with pytest.raises(NotFound, match="no directory"):
        put(f"{place}/nowhere/", [ROOT])
    with pytest.raises(NotFound, match="no directory"):
        put(f"{place}/nowhere/new", file())


def test_what_is_there_is_replaced_file_by_file(tmp_path: Path) -> None:
    old = tmp_path / "new"
    (old / "sub").mkdir(parents=True)
    (old / "sub" / "kept").write_text("kept")
    (old / "a").write_text("old")
    sub = Entry((b"sub",), Kind.DIRECTORY, 0o700, 3)
    put(str(tmp_path), [ROOT, *file(b"a"), sub, *file(b"sub", b"b")])
    assert (old / "a").read_text() == "hi"
    assert names(old / "sub") == ["b", "kept"]
    # A directory that was there keeps its mode and time.
    assert (old / "sub").stat().st_mtime > 3


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([ROOT, Entry((b"a",), Kind.DIRECTORY)], id="a directory over a file"),
        pytest.param([ROOT, *file(b"d")], id="a file over a directory"),
        pytest.param(
            [ROOT, Entry((b"l",), Kind.DIRECTORY), *file(b"l", b"x")], id="through a link"
        ),
    ],
)  # fmt: skip
def test_kinds_do_not_mix(tmp_path: Path, items: list[Entry | bytes]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    new = tmp_path / "new"
    (new / "d").mkdir(parents=True)
    (new / "a").write_text("old")
    (new / "l").symlink_to(outside)
    with pytest.raises(Conflict):
        put(str(tmp_path), items)
    assert names(outside) == []
    assert (new / "a").read_text() == "old"
    assert names(tmp_path) == ["new", "outside"]


def test_a_file_does_not_replace_a_directory(tmp_path: Path) -> None:
    (tmp_path / "new" / "new").mkdir(parents=True)
    with pytest.raises(Conflict):
        put(str(tmp_path / "new"), file())
    assert names(tmp_path / "new") == ["new"]


EVIL: list[Callable[[], list[Entry | bytes]]] = [
    # A link, then something through it.
    lambda: [ROOT, Entry((b"l",), Kind.SYMLINK, target=b".."), *file(b"l", b"evil")],
    lambda: [ROOT, Entry((b"l",), Kind.SYMLINK, target=b"/tmp"), *file(b"l", b"evil")],
    # A link, then a file of the same name, which would be written through it.
    lambda: [ROOT, Entry((b"l",), Kind.SYMLINK, target=b"../victim"), *file(b"l")],
    lambda: [ROOT, *file(b"a"), *file(b"a")],
    # A second name for what lies elsewhere.
    lambda: [ROOT, Entry((b"l",), Kind.SYMLINK, target=b"../victim"),
             Entry((b"h",), Kind.LINK, linked=(b"l",))],
    lambda: [ROOT, Entry((b"d",), Kind.DIRECTORY), Entry((b"h",), Kind.LINK, linked=(b"d",))],
    lambda: [ROOT, Entry((b"h",), Kind.LINK, linked=(b"nowhere", b"x"))],
    # A file where a directory should be.
    lambda: [ROOT, *file(b"a"), *file(b"a", b"b")],
    lambda: [ROOT, *file(b"nowhere", b"b")],
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_leaves_the_place(tmp_path: Path, evil: Callable[[], list[Entry | bytes]]) -> None:
    place = tmp_path / "place"
    place.mkdir()
    victim = tmp_path / "place" / "victim"
    victim.write_text("untouched")
    with pytest.raises(BadContent):
        put(str(place), evil())
    assert names(place) == ["victim"]
    assert names(tmp_path) == ["place"]
    assert victim.read_text() == "untouched"
    assert victim.stat().st_nlink == 1


def test_a_guest_that_never_ends_does_not_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_sink, "_RESERVE", 1 << 60)
    monkeypatch.setattr(copy_sink, "_CHECK_EVERY", 10)
    with pytest.raises(NotEnoughDisk):
        put(str(tmp_path), [Entry((), Kind.FILE, size=100), b"x" * 50, b"x" * 50])
    assert names(tmp_path) == []


def test_walking_a_tree(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o700)
    (tmp_path / "d" / "f").write_bytes(b"x" * 600_000)
    (tmp_path / "d" / "s").symlink_to("/nowhere")
    os.mkfifo(tmp_path / "d" / "p")
    (tmp_path / "link").symlink_to("d")
    items = list(walk(tmp_path / "link"))
    entries = [(item.parts, item.kind) for item in items if isinstance(item, Entry)]
    assert entries == [
        ((), Kind.DIRECTORY),
        ((b"f",), Kind.FILE),
        ((b"p",), Kind.OTHER),
        ((b"s",), Kind.SYMLINK),
    ]
    assert sum(len(item) for item in items if isinstance(item, bytes)) == 600_000
    assert measure(tmp_path / "link") == 600_000
    assert [type(item) for item in walk(tmp_path / "d" / "f")][:2] == [Entry, bytes]
    with pytest.raises(NotFound):
        list(walk(tmp_path / "nowhere"))


def test_a_file_that_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 600_000)
    items = walk(path)
    next(items), next(items)
    os.truncate(path, 10)
    with pytest.raises(BangerError, match="changed while it was read"):
        list(items)
