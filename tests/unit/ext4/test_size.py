"""How large a filesystem becomes: enough for every kind of tree, and no less is taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from banger_tui.engine.errors import InvalidSize
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.ext4.size import BLOCK, need, size_for
from banger_tui.engine.layers.tree import Content, Extent, Kind, Node, literal, new_root
from tests.host.registry.stage import RecordedStage

GIB = 1 << 30
MIB = 1 << 20


def tree(*nodes: Node) -> Node:
    root = new_root()
    root.children = {b"%06d" % number + b"n" * 240: node for number, node in enumerate(nodes)}
    return root


def small(count: int) -> Node:
    return tree(*(Node(Kind.FILE, content=literal(b"x")) for _ in range(count)))


def linked(count: int) -> Node:
    return tree(*([Node(Kind.FILE)] * count))


def with_attributes(count: int) -> Node:
    return tree(*(Node(Kind.FILE, xattrs={b"user.a": b"%500d" % n}) for n in range(count)))


def in_pieces(count: int) -> Node:
    extents = tuple(Extent(number * 3 * BLOCK, number, 1) for number in range(count))
    return tree(Node(Kind.FILE, content=Content(count * 3 * BLOCK, bytes(count), extents)))


def long_links(count: int) -> Node:
    return tree(*(Node(Kind.SYMLINK, target=b"t" * 100) for _ in range(count)))


def directories(count: int) -> Node:
    return tree(*(Node(Kind.DIRECTORY) for _ in range(count)))


TREES = {
    "nothing": new_root(),
    "one large file": tree(Node(Kind.FILE, content=literal(b"x" * (24 * MIB)))),
    "small files": small(600),
    "names of one file": linked(1500),
    "attributes": with_attributes(500),
    "a file in pieces": in_pieces(5000),
    "long symbolic links": long_links(500),
    "directories": directories(400),
}


@pytest.mark.parametrize("name", TREES)
async def test_the_smallest_size_that_is_asked_for_is_enough(name: str, tmp_path: Path) -> None:
    root = TREES[name]
    with pytest.raises(InvalidSize) as caught:
        size_for(root, MIB)
    least = re.search(r"--size (\d+)M", caught.value.hint)
    assert least is not None
    target = tmp_path / "image"
    (tmp_path / "staging").mkdir()
    await ext4.build(
        root, target, size_bytes=int(least[1]) * MIB, label="", staging=tmp_path / "staging",
        stage=RecordedStage(), way=ext4.Way.DIRECTORY,
    )  # fmt: skip
    assert target.stat().st_size == int(least[1]) * MIB
    await inspect.check(target, RecordedStage())


def test_without_a_wish_it_is_a_gibibyte_or_the_content_and_a_third() -> None:
    assert size_for(new_root(), None).bytes == GIB
    content = Content(2 * GIB, b"", (Extent(0, 0, 2 * GIB),))
    size = size_for(tree(Node(Kind.FILE, content=content)), None).bytes
    assert 2 * GIB * 1.3 <= size < 2 * GIB * 1.31
    assert size % BLOCK == 0


def test_holes_take_no_room() -> None:
    sparse = Content(500 * GIB, b"x", (Extent(0, 0, 1),))
    assert size_for(tree(Node(Kind.FILE, content=sparse)), None).bytes == GIB


def test_there_are_inodes_for_every_file_and_as_many_again() -> None:
    assert size_for(directories(3000), None).inodes >= 65_536
    many = size_for(small(100_000), None)
    assert many.inodes >= 200_000


def test_a_wish_is_kept() -> None:
    assert size_for(new_root(), 100 * MIB).bytes == 100 * MIB


def test_a_file_counts_once_whatever_its_names() -> None:
    once, often = need(linked(1)), need(linked(10))
    assert (once.inodes, once.data_bytes) == (often.inodes, often.data_bytes) == (2, 0)
