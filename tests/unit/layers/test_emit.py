"""The tar stream: what other readers make of it, and what happens when its sources change."""

from __future__ import annotations

import ctypes
import ctypes.util
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent
from banger_tui.engine.layers.emit import tar_stream
from banger_tui.engine.layers.pieces import segments
from banger_tui.engine.layers.tree import Content, Extent, Kind, Node, literal, new_root, walk
from tests.layer_cases.case import Case
from tests.layer_cases.cases import CASES
from tests.layer_cases.snapshot import content_bytes
from tests.unit.layers.merging import merged

ACCEPTED = [case for case in CASES if not case.is_refused]


def stream(root: Node) -> bytes:
    return b"".join(tar_stream(root))


def tree_of(**files: bytes) -> Node:
    root = new_root()
    for name, data in files.items():
        root.children[name.encode()] = Node(Kind.FILE, content=literal(data))
    return root


def on_disk(path: Path, data: bytes, *extents: tuple[int, int, int], size: int) -> Node:
    path.write_bytes(data)
    root = new_root()
    content = Content(size, path, tuple(Extent(*extent) for extent in extents))
    root.children[b"f"] = Node(Kind.FILE, content=content)
    return root


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_python_reads_the_same(case: Case, tmp_path: Path) -> None:
    root = merged(case.layers(), tmp_path, case.limits)
    expected = dict(walk(root))
    source = io.BytesIO(stream(root))
    with tarfile.open(fileobj=source, errors="surrogateescape") as archive:
        read = {os.fsencode(info.name): info for info in archive}
        assert {*read} == {b".", *expected}
        for path, node in expected.items():
            info = read[path]
            assert (info.uid, info.gid, info.mode) == (node.uid, node.gid, node.mode)
            assert abs(info.mtime - node.mtime_ns / 1e9) < 1e-3
            if node.kind is Kind.FILE:
                # Its own bytes: a hard link's are those of the name it leads to.
                data = archive.extractfile(info)
                assert data is not None
                assert data.read() == content_bytes(node.content)
            elif node.kind is Kind.SYMLINK and info.issym():
                assert os.fsencode(info.linkname) == node.target
            elif info.isdev() and not info.isfifo():
                assert (info.devmajor, info.devminor) == node.device


class Libarchive:
    """As mke2fs uses it: in a locale that has no letter beyond ASCII, and no warning allowed."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("archive")
        if name is None:
            pytest.skip("libarchive is not installed")
        self.library = ctypes.CDLL(name)
        for function in ("archive_read_new", "archive_entry_pathname", "archive_entry_hardlink"):
            getattr(self.library, function).restype = ctypes.c_void_p
        self.library.archive_read_data.restype = ctypes.c_ssize_t
        self.library.archive_entry_size.restype = ctypes.c_int64
        self.library.archive_entry_symlink.restype = ctypes.c_void_p
        self.library.archive_error_string.restype = ctypes.c_char_p

    def entries(self, data: bytes) -> Iterator[tuple[bytes, bytes | None, bytes | None, bytes]]:
        """(name, hard link's target, symbolic link's target, data)."""
        reader = ctypes.c_void_p(self.library.archive_read_new())
        entry = ctypes.c_void_p()
        self.library.archive_read_support_filter_all(reader)
        self.library.archive_read_support_format_all(reader)
        assert self.library.archive_read_open_memory(reader, data, ctypes.c_size_t(len(data))) == 0
        end = 1
        while (code := self.library.archive_read_next_header(reader, ctypes.byref(entry))) != end:
            assert code == 0, self.library.archive_error_string(reader)
            yield (
                self._text(self.library.archive_entry_pathname(entry)) or b"",
                self._text(self.library.archive_entry_hardlink(entry)),
                self._text(self.library.archive_entry_symlink(entry)),
                self._data(reader, self.library.archive_entry_size(entry)),
            )
        self.library.archive_read_free(reader)

    def _text(self, address: int | None) -> bytes | None:
        return ctypes.string_at(address) if address else None

    def _data(self, reader: ctypes.c_void_p, size: int) -> bytes:
        buffer = ctypes.create_string_buffer(size + 1)
        got = self.library.archive_read_data(reader, buffer, ctypes.c_size_t(size + 1))
        assert got >= 0, self.library.archive_error_string(reader)
        # It ends where the last data does; the file's size says what hole there is behind.
        return buffer.raw[:got].ljust(size, b"\0")


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_libarchive_reads_the_same(case: Case, tmp_path: Path) -> None:
    root = merged(case.layers(), tmp_path, case.limits)
    nodes = dict(walk(root))
    names = []
    for name, hard_link, symlink, data in Libarchive().entries(stream(root)):
        names.append(name)
        if name == b"./":
            continue
        node = nodes[name]
        if hard_link is not None:
            assert nodes[hard_link] is node
        elif node.kind is Kind.SYMLINK:
            assert symlink == node.target
        elif node.kind is Kind.FILE:
            assert data == content_bytes(node.content)
    assert names == [b"./", *nodes]


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar on this host")
def test_gnu_tar_unpacks_holes_links_and_times(tmp_path: Path) -> None:
    root = on_disk(tmp_path / "source", b"abc", (300_000, 0, 3), size=500_000)
    file = root.children[b"f"]
    file.mtime_ns = 1_600_000_000_250_000_000
    root.children[b"g"] = file
    root.children[b"n" * 150] = Node(Kind.SYMLINK, target=b"f")
    root.children[b"d"] = Node(Kind.DIRECTORY, 0o750, children={b"caf\xe9" * 30: file})
    target = tmp_path / "out"
    target.mkdir()
    subprocess.run(["tar", "-xf-", "-C", target], input=stream(root), check=True, timeout=60)
    status = (target / "f").stat()
    assert (status.st_size, status.st_mtime_ns, status.st_nlink) == (
        500_000,
        1_600_000_000_250_000_000,
        3,
    )
    assert (target / "f").read_bytes() == bytes(300_000) + b"abc" + bytes(199_997)
    assert os.readlink(target / ("n" * 150)) == "f"
    assert os.stat(os.fsencode(target) + b"/d/" + b"caf\xe9" * 30).st_ino == status.st_ino


def test_the_stream_comes_in_pieces_of_a_megabyte(tmp_path: Path) -> None:
    root = tree_of(**{f"small{number:04}": b"x" * 3000 for number in range(1000)})
    path = tmp_path / "big"
    path.write_bytes(os.urandom(5 << 20))
    root.children[b"tail"] = Node(
        Kind.FILE, content=Content(5 << 20, path, (Extent(0, 0, 5 << 20),))
    )
    sizes = [len(piece) for piece in tar_stream(root)]
    assert max(sizes) <= (1 << 20) + (1 << 18)
    assert sum(sizes) / len(sizes) > 1 << 19
    assert min(sizes) > 0


def test_the_order_of_making_a_tree_is_nothing() -> None:
    one, two = tree_of(a=b"1", b=b"2", c=b"3"), tree_of(c=b"3", a=b"1", b=b"2")
    assert stream(one) == stream(two)


@pytest.mark.parametrize("around", [60, 950])
def test_the_length_of_a_record_counts_its_own_digits(around: int, tmp_path: Path) -> None:
    root = new_root()
    for length in range(around, around + 50):
        node = Node(Kind.FILE, xattrs={b"user.key": b"x" * length})
        root.children[b"%d" % length] = node
    again = merged([stream(root)], tmp_path)
    for name, node in root.children.items():
        assert again.children[name].xattrs == node.xattrs


def test_a_source_that_became_shorter(tmp_path: Path) -> None:
    root = on_disk(tmp_path / "source", b"abcdef", (0, 0, 6), size=6)
    (tmp_path / "source").write_bytes(b"abc")
    with pytest.raises(BadContent, match="shorter"):
        stream(root)


def test_a_source_that_is_gone(tmp_path: Path) -> None:
    root = on_disk(tmp_path / "source", b"abcdef", (0, 0, 6), size=6)
    (tmp_path / "source").unlink()
    with pytest.raises(BadContent, match="No such file"):
        stream(root)


def test_a_source_that_is_written_to_meanwhile(tmp_path: Path) -> None:
    big = os.urandom(3 << 20)
    root = on_disk(tmp_path / "source", big, (0, 0, len(big)), size=len(big))
    pieces = tar_stream(root)
    next(pieces)
    with (tmp_path / "source").open("r+b") as file:
        file.write(b"changed")
        os.utime(file.fileno(), ns=(0, 0))
    with pytest.raises(BadContent, match="not the file it was"):
        list(pieces)


def test_content_shorter_than_its_extents_in_memory() -> None:
    root = new_root()
    root.children[b"f"] = Node(Kind.FILE, content=Content(5, b"abc", (Extent(0, 0, 5),)))
    with pytest.raises(BadContent, match="shorter"):
        stream(root)


def test_more_sources_than_may_be_open(tmp_path: Path) -> None:
    root = new_root()
    for number in range(50):
        path = tmp_path / f"{number}"
        path.write_bytes(b"%02d" % number)
        content = Content(2, path, (Extent(0, 0, 2),))
        root.children[b"%02d" % number] = Node(Kind.FILE, content=content)
        root.children[b"z%02d" % number] = Node(Kind.FILE, content=content)
    before = len(os.listdir("/proc/self/fd"))
    most = 0
    for _ in tar_stream(root):
        most = max(most, len(os.listdir("/proc/self/fd")))
    assert most <= before + 20
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_stream_given_up_closes_its_sources(tmp_path: Path) -> None:
    big = bytes(3 << 20)
    root = on_disk(tmp_path / "source", big, (0, 0, len(big)), size=len(big))
    before = len(os.listdir("/proc/self/fd"))
    pieces = tar_stream(root)
    next(pieces)
    assert len(os.listdir("/proc/self/fd")) > before
    del pieces
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("size", "extents", "expected"),
    [
        (0, [], []),
        (10, [], [(0, 10)]),
        (10_000, [], []),
        (10, [(0, 0, 10)], [(0, 10)]),
        (5000, [(0, 0, 1)], [(0, 1)]),
        (4000, [(0, 0, 1)], [(0, 4000)]),
        (20_000, [(100, 0, 1), (200, 1, 1)], [(0, 201)]),
        (20_000, [(5000, 0, 1), (9000, 1, 1), (19_000, 2, 1)], [(5000, 4001), (19_000, 1000)]),
    ],
)
def test_small_holes_are_data(
    size: int, extents: list[tuple[int, int, int]], expected: list[tuple[int, int]]
) -> None:
    content = Content(size, b"xyz" * 10, tuple(Extent(*extent) for extent in extents))
    assert [(piece.position, piece.length) for piece in segments(content)] == expected
