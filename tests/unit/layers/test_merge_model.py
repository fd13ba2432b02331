"""Random layers: the merge and a plain model of it agree."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent
from banger_tui.engine.layers.tree import Kind, Node, walk
from tests.layer_cases import tar
from tests.layer_cases.snapshot import content_bytes
from tests.unit.layers.merging import merged
from tests.unit.layers.plain_model import Change, Inode, Model, Refused

KINDS = {Kind.FILE: "file", Kind.DIRECTORY: "directory", Kind.SYMLINK: "symlink"}

names = st.sampled_from([b"a", b"b", b"c"])
paths = st.lists(names, min_size=1, max_size=4).map(tuple)
targets = st.builds(
    lambda prefix, path: prefix + b"/".join(path),
    st.sampled_from([b"", b"/", b"../", b"../../", b"./", b"a/../"]),
    st.lists(names, max_size=3),
).filter(bool)

files = st.builds(
    Change, st.just("file"), paths, st.binary(max_size=3), st.sampled_from([0o600, 0o755])
)
directories = st.builds(Change, st.just("directory"), paths, mode=st.sampled_from([0o700, 0o1777]))
symlinks = st.builds(Change, st.just("symlink"), paths, targets, st.just(0o777))
links = st.builds(Change, st.just("link"), paths, paths.map(b"/".join))
whiteouts = st.builds(Change, st.just("whiteout"), paths)
opaques = st.builds(Change, st.just("opaque"), paths)

# Twice: what seldom makes the whole refused.
changes = st.one_of(
    directories, files, directories, whiteouts, opaques, whiteouts, opaques, symlinks, links
)
layers = st.lists(st.lists(changes, max_size=8), min_size=1, max_size=4)


def archive(change: Change) -> bytes:
    path = b"/".join(change.path)
    match change.kind:
        case "file":
            return tar.file(path, change.text, mode=change.mode)
        case "directory":
            return tar.directory(path + b"/", mode=change.mode)
        case "symlink":
            return tar.symlink(path, change.text)
        case "link":
            return tar.hardlink(path, change.text)
        case "whiteout":
            return tar.whiteout(path)
        case _:
            return tar.opaque(path)


def of_model(model: Model) -> dict[bytes, tuple[object, ...]]:
    first: dict[Inode, bytes] = {}
    result: dict[bytes, tuple[object, ...]] = {}
    for path, inode in sorted(model.tree.items()):
        name = b"/".join(path)
        result[name] = (inode.kind, inode.text, inode.mode, first.setdefault(inode, name))
    return result


def of_tree(root: Node) -> dict[bytes, tuple[object, ...]]:
    first: dict[Node, bytes] = {}
    pairs = [(tuple(path.split(b"/")), node) for path, node in walk(root)]
    result: dict[bytes, tuple[object, ...]] = {}
    for path, node in sorted([((), root), *pairs], key=lambda pair: pair[0]):
        name = b"/".join(path)
        text = content_bytes(node.content) if node.kind is Kind.FILE else node.target
        result[name] = (KINDS[node.kind], text, node.mode, first.setdefault(node, name))
    return result


def outcome_of_model(stack: Sequence[Sequence[Change]]) -> dict[bytes, tuple[object, ...]] | None:
    model = Model()
    try:
        for layer in stack:
            model.add(layer)
    except Refused:
        return None
    return of_model(model)


def outcome(stack: Sequence[Sequence[Change]]) -> dict[bytes, tuple[object, ...]] | None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            root = merged([tar.layer(*map(archive, layer)) for layer in stack], Path(directory))
        except BadContent:
            return None
        return of_tree(root)


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layers)
def test_merge_and_plain_model_agree(stack: list[list[Change]]) -> None:
    assert outcome(stack) == outcome_of_model(stack)
