"""What of the merge no table shows: counts, cancel, bounds on work and memory."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from banger_tui.engine.errors import LimitExceeded, OperationCancelled
from banger_tui.engine.layers.merge import Merge
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.tree import Kind, Node, literal, new_root, totals, walk
from banger_tui.engine.limits import Limits
from tests.layer_cases import tar
from tests.layer_cases.sparse_cases import sparse_1_0
from tests.unit.layers.merging import merge, merged


def test_counts(tmp_path: Path) -> None:
    layers = [
        tar.layer(tar.directory(b"d/"), tar.file(b"d/a", b"x" * 100), tar.hardlink(b"b", b"d/a")),
        tar.layer(tar.file(b"e/c", b"y" * 10), tar.whiteout(b"b")),
        tar.layer(sparse_1_0(b"s", ((5000, 1),), b"z", 9000), tar.file(b"e/c", b"y" * 20)),
    ]
    result = merge(layers, tmp_path)
    assert result.entries == 8, "seven of the archives, and one directory for want of an entry"
    counted = result.totals()
    assert (counted.names, counted.inodes) == (5, 6)
    assert (counted.content_bytes, counted.data_bytes) == (100 + 20 + 9000, 100 + 20 + 1)


def test_a_shared_inode_counts_once() -> None:
    root = new_root()
    node = Node(Kind.FILE, content=literal(b"abc"))
    root.children = {b"a": node, b"b": node, b"d": Node(Kind.DIRECTORY, children={b"c": node})}
    counted = totals(root)
    assert (counted.names, counted.inodes, counted.content_bytes) == (4, 3, 3)


def test_walk_goes_parents_first_and_siblings_by_name() -> None:
    leaf = Node(Kind.FILE)
    inner = Node(Kind.DIRECTORY, children={b"z": leaf, b"a": leaf})
    root = Node(
        Kind.DIRECTORY,
        children={b"d": inner, b"d.x": leaf, b"c": leaf, b"e": Node(Kind.DIRECTORY)},
    )
    assert [path for path, _ in walk(root)] == [b"c", b"d", b"d/a", b"d/z", b"d.x", b"e"]


def test_a_deep_tree_needs_no_deep_stack() -> None:
    root = node = new_root()
    for _ in range(5000):
        node.children[b"d"] = node = Node(Kind.DIRECTORY)
    assert sum(1 for _ in walk(root)) == 5000
    assert totals(root).inodes == 5001


def test_what_is_no_directory_never_gets_children(tmp_path: Path) -> None:
    root = merged([tar.layer(tar.file(b"a"), tar.file(b"b"))], tmp_path)
    with pytest.raises(TypeError):
        root.children[b"a"].children[b"x"] = Node(Kind.FILE)
    assert not root.children[b"b"].children


def test_contents_stay_on_disk(tmp_path: Path) -> None:
    root = merged([tar.layer(tar.file(b"a", b"x" * 1000))], tmp_path)
    content = root.children[b"a"].content
    assert content.source == tmp_path / "0.tar"
    assert [extent.offset for extent in content.extents] == [512]


def test_a_merge_stops_when_it_is_told_to(tmp_path: Path) -> None:
    stopping = threading.Event()
    result = Merge(Limits(), stop=stopping.is_set)
    path = tmp_path / "layer.tar"
    path.write_bytes(tar.layer(*(tar.file(b"%d" % number) for number in range(300))))
    with path.open("rb") as archive:
        result.add(archive, path)
    stopping.set()
    with path.open("rb") as archive, pytest.raises(OperationCancelled):
        result.add(archive, path)


def test_names_through_many_links_are_bounded(tmp_path: Path) -> None:
    """Some kilobytes could otherwise keep a processor busy for hours."""
    winding = b"d/../" * 800 + b"d"
    links = [
        tar.pax({b"linkpath": (b"l%d/../" % (n - 1)) * 3 + b"l%d" % (n - 1)})
        + tar.symlink(b"l%d" % n, b"x")
        for n in range(1, 3)
    ]
    # Each turns a link, so that nothing can be remembered from one to the next.
    files = [tar.symlink(b"turned", b"t%d" % n) + tar.file(b"l2/f%d" % n) for n in range(500)]
    archive = tar.layer(
        tar.directory(b"d/"),
        tar.pax({b"linkpath": winding}),
        tar.symlink(b"l0", b"x"),
        *links,
        *files,
    )
    with pytest.raises(LimitExceeded, match="symbolic links"):
        merged([archive], tmp_path, Limits(max_entries=2000))


def test_steps_and_memory_have_their_own_bounds() -> None:
    meter = Meter(Limits(max_entries=1))
    meter.steps(1_000_100)
    with pytest.raises(LimitExceeded, match="max_entries"):
        meter.steps(1)
    meter.memory((64 << 20) + 512)
    with pytest.raises(LimitExceeded, match="max_entries"):
        meter.memory(1)


def test_nested_whiteouts_sweep_each_directory_once(tmp_path: Path) -> None:
    """Each of them covers all that is below it: that would be a square of the work."""
    depth = 300
    path = b"/".join([b"d"] * depth)
    lower = tar.layer(tar.pax({b"path": path + b"/old"}), tar.file(b"x"))
    marks = [b"/".join([b"d"] * n + [b".wh.d"]) for n in range(depth)]
    upper = tar.layer(
        *(tar.pax({b"path": mark}) + tar.file(b"x") for mark in marks),
        tar.pax({b"path": path + b"/new"}),
        tar.file(b"x"),
    )
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return False

    result = Merge(Limits(), stop=stop)
    for number, layer in enumerate((lower, upper)):
        file = tmp_path / f"{number}.tar"
        file.write_bytes(layer)
        with file.open("rb") as archive:
            result.add(archive, file)
    names = [name for name, _ in walk(result.root)]
    assert len(names) == depth + 1
    assert names[-1] == path + b"/new"
    assert asked < 5 * depth
