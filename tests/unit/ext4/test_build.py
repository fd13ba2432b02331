"""Trees as filesystems, by the way that any host has; what debugfs sees in them; failures."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from banger_tui.engine.errors import (
    BadContent,
    InvalidSize,
    LimitExceeded,
    OperationCancelled,
    StorageFailure,
    ToolFailed,
)
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4 import by_directory, inspect, tool
from banger_tui.engine.ext4.amend import amend
from banger_tui.engine.ext4.attributes import ROOM, room_for
from banger_tui.engine.ext4.identity import identity
from banger_tui.engine.ext4.tree_of import tree_of
from banger_tui.engine.ext4.unpack import unpack
from banger_tui.engine.layers.tree import Content, Extent, Kind, Node, literal, new_root
from banger_tui.engine.limits import Limits
from banger_tui.engine.process import find_tool, processes_with
from tests.host.registry.stage import RecordedStage, until
from tests.layer_cases.snapshot import snapshot

MIB = 1 << 20
SECOND = 10**9


def file(data: bytes = b"", **metadata: object) -> Node:
    return Node(Kind.FILE, content=literal(data), **metadata)  # type: ignore[arg-type]


def directory(children: dict[bytes, Node], mode: int = 0o755) -> Node:
    return Node(Kind.DIRECTORY, mode, children=children)


def root_of(children: dict[bytes, Node]) -> Node:
    root = new_root()
    root.children.update(children)
    return root


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path


async def made(
    root: Node, place: Path, size: int | None = 32 * MIB, stage: RecordedStage | None = None
) -> Path:
    target = place / "image.ext4"
    await ext4.build(
        root, target, size_bytes=size, label="test", staging=place / "staging",
        stage=stage or RecordedStage(), way=ext4.Way.DIRECTORY,
    )  # fmt: skip
    return target


async def same_again(root: Node, place: Path, size: int | None = 32 * MIB) -> None:
    """Made, sound, and read back as it was."""
    image = await made(root, place, size)
    await inspect.check(image, RecordedStage())
    assert snapshot(tree_of(image, Limits())) == snapshot(root)
    assert not (place / "staging" / "unpacked").exists()


def debugfs(image: Path, request: str) -> str:
    done = subprocess.run(
        [find_tool("debugfs"), "-R", request, str(image)],
        capture_output=True, text=True, errors="replace", check=True,
    )  # fmt: skip
    return done.stdout


# -- read by somebody else


async def test_debugfs_sees_what_our_reader_sees(place: Path, tmp_path: Path) -> None:
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    shared = file(b"text" * 3000, mode=0o4711, uid=70_000, gid=1_500_000)
    shared.mtime_ns = -5 * SECOND + 250_000_000
    shared.xattrs = {b"user.a": b"one\0two", b"security.capability": capability}
    root = root_of(
        {
            b"f": shared,
            b"g": shared,
            b"d": directory({b"p": Node(Kind.FIFO, 0o620, 5, 6)}, 0o1777),
            b"null": Node(Kind.CHARACTER, 0o666, device=(1, 3)),
            b"far": Node(Kind.BLOCK, 0o600, device=(259, 70_000)),
            b"s": Node(Kind.SYMLINK, 0o777, target=b"x" * 100),
        }
    )
    image = await made(root, place)

    text = debugfs(image, "stat /f")
    assert re.search(r"Type: regular +Mode: +04711 ", text)
    assert re.search(r"User: +70000 +Group: +1500000 .* Size: 12000\n", text)
    assert "Links: 2 " in text
    # -4.75 s: the 32 bits of -5 and, above the two bits of the epoch, a quarter of a second
    assert f"mtime: 0xfffffffb:{250_000_000 << 2:08x}" in text
    numbers = {re.match(r"Inode: (\d+)", debugfs(image, f"stat /{name}")) for name in "fg"}
    assert len({match[1] for match in numbers if match}) == 1
    for name, value in shared.xattrs.items():
        debugfs(image, f"ea_get -f {tmp_path}/value /f {name.decode()}")
        assert (tmp_path / "value").read_bytes() == value
    debugfs(image, f"dump /f {tmp_path}/content")
    assert (tmp_path / "content").read_bytes() == b"text" * 3000

    assert re.search(r"Type: directory +Mode: +01777 ", debugfs(image, "stat /d"))
    pipe = debugfs(image, "stat /d/p")
    assert re.search(r"Type: FIFO +Mode: +0620 ", pipe)
    assert re.search(r"User: +5 +Group: +6 ", pipe)
    assert re.search(r"Type: character special", debugfs(image, "stat /null"))
    assert "259:70000" in debugfs(image, "stat /far")
    assert debugfs(image, "cat /s") == "x" * 100


# -- what is hard to carry


async def test_names_may_hold_anything(place: Path) -> None:
    odd = [b'a"b', b"new\nline", b"\xff\xfe", b" front", b"<2>", b"-d", b"a\\b", b"*", b"n" * 255]
    root = root_of({name: file(name, mode=0o640, uid=9) for name in odd})
    root.children[b"d"] = directory({name: directory({name: file(name)}) for name in odd})
    await same_again(root, place)


async def test_devices_and_links_that_debugfs_makes_may_have_odd_names(place: Path) -> None:
    link = Node(Kind.SYMLINK, 0o777, 3, 4, 5 * SECOND + 6, target=b"nowhere")
    device = Node(Kind.CHARACTER, 0o600, 7, 8, SECOND, device=(5, 1))
    device.xattrs = {b"user.kept": b"1"}
    odd = directory({b"<2>": device, b'q"uote': device, b" s": link, b"<11>": link})
    await same_again(root_of({b"odd": odd, b"other": link}), place)


@pytest.mark.parametrize(
    "node", [Node(Kind.CHARACTER, device=(1, 3)), file(xattrs={b"user.\n": b"1"})]
)
async def test_what_debugfs_can_not_be_told_is_refused(node: Node, place: Path) -> None:
    with pytest.raises(BadContent, match="named"):
        await made(root_of({b"new\nline": node}), place)
    assert not (place / "image.ext4").exists()


async def test_a_linked_symbolic_link_finds_room_in_a_full_directory(place: Path) -> None:
    link = Node(Kind.SYMLINK, 0o777, target=b"t")
    names = [b"%03d" % n + b"n" * 240 for n in range(64)]
    await same_again(root_of({b"a": link, b"d": directory(dict.fromkeys(names, link))}), place)


async def test_a_tree_deeper_than_a_path_can_be(place: Path) -> None:
    root = at = new_root()
    for _ in range(700):
        at.children[b"deeper"] = at = directory({})
    at.children[b"f"] = file(b"down here")
    image = await made(root, place)
    await inspect.check(image, RecordedStage())
    assert snapshot(tree_of(image, Limits(max_path_bytes=5000))) == snapshot(root)


async def test_unreadable_files_and_directories_are_read_all_the_same(place: Path) -> None:
    inner = directory({b"f": file(b"secret", mode=0)}, mode=0)
    await same_again(root_of({b"d": inner}), place)


async def test_holes_stay_holes(place: Path) -> None:
    node = Node(Kind.FILE, content=Content(300 * MIB, b"end", (Extent(200 * MIB, 0, 3),)))
    root = root_of({b"sparse": node})
    image = await made(root, place)
    assert inspect.disk_usage(image) < 32 * MIB
    (read,) = tree_of(image, Limits()).children.values()
    assert read.content.size == 300 * MIB
    assert [extent.position for extent in read.content.extents] == [200 * MIB]


@pytest.mark.parametrize(("size", "fits"), [(ROOM - 16 - 4, True), (ROOM - 16 - 3, False)])
async def test_attributes_fill_their_block_and_no_more(size: int, fits: bool, place: Path) -> None:
    root = root_of({b"f": file(xattrs={b"user.abcd": b"v" * size})})
    assert (room_for(root.children[b"f"].xattrs) <= ROOM) is fits
    if fits:
        await same_again(root, place)
        return
    with pytest.raises(LimitExceeded, match="'/f'"):
        await made(root, place)
    assert not (place / "image.ext4").exists()


# -- always the same


async def test_the_same_tree_is_the_same_filesystem(tmp_path: Path) -> None:
    def tree(name: bytes) -> Node:
        return root_of({name: file(b"1"), b"c": Node(Kind.CHARACTER), b"d": directory({})})

    digests = []
    for number, name in enumerate((b"a", b"a", b"b")):
        place = tmp_path / str(number)
        (place / "staging").mkdir(parents=True)
        digests.append(inspect.content_digest(await made(tree(name), place)))
    assert digests[0] == digests[1] != digests[2]


def test_a_number_is_of_names_and_metadata() -> None:
    trees = [
        root_of({}),
        root_of({b"a": file()}),
        root_of({b"a": file(mode=0o600)}),
        root_of({b"a": file(b"1")}),
        root_of({b"b": file()}),
    ]
    assert len({identity(tree) for tree in trees}) == len(trees)
    assert identity(root_of({b"a": file()})) == identity(trees[1])


# -- failures


def test_unpacking_stops_when_told(tmp_path: Path) -> None:
    root = root_of({b"large": file(bytes(1) * (8 * MIB))})
    told: list[int] = []
    with pytest.raises(OperationCancelled):
        unpack(lambda: bool(told), root, tmp_path, told.append)
    assert told == [MIB]
    assert (tmp_path / "root" / "large").stat().st_size == MIB


def test_what_lies_on_the_host_has_no_rights(tmp_path: Path) -> None:
    unpack(
        lambda: False,
        root_of({b"su": file(b"x", mode=0o4755), b"null": Node(Kind.CHARACTER, device=(1, 3))}),
        tmp_path,
        lambda _: None,
    )
    assert stat.S_IMODE((tmp_path / "root" / "su").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["su"]


async def test_cancel_while_unpacking_leaves_nothing(place: Path) -> None:
    stage = RecordedStage()
    task = asyncio.create_task(made(root_of({b"f": file(b"x" * (8 * MIB))}), place, stage=stage))
    stage.progress = lambda *_: task.cancel()  # type: ignore[method-assign,assignment]
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(place) == []


@pytest.mark.parametrize("way", [ext4.Way.TAR, ext4.Way.DIRECTORY])
async def test_cancel_ends_the_tool_and_leaves_nothing(
    way: ext4.Way, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(place, "head -c 100 >/dev/null; sleep 600", monkeypatch)
    task = asyncio.create_task(by(way, root_of({b"f": file(b"x" * (8 * MIB))}), place))
    await until(lambda: bool(processes_with(program)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(place) == []
    assert processes_with(program) == []


@pytest.mark.parametrize("way", [ext4.Way.TAR, ext4.Way.DIRECTORY])
async def test_a_tool_that_fails_says_why_and_leaves_nothing(
    way: ext4.Way, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(place, "echo out of order; exit 3", monkeypatch)
    with pytest.raises(ToolFailed, match="code 3: out of order"):
        await by(way, root_of({b"f": file(b"x" * (8 * MIB))}), place)
    assert left(place) == []


async def test_a_source_that_has_changed_counts_though_mke2fs_is_content(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(place, "cat >/dev/null", monkeypatch)
    layer = place / "layer"
    layer.write_bytes(b"0123456789")
    root = root_of({b"f": Node(Kind.FILE, content=Content(20, layer, (Extent(0, 0, 20),)))})
    with pytest.raises(BadContent, match="shorter"):
        await by(ext4.Way.TAR, root, place)
    assert left(place) == []


def stand_in(place: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A mke2fs that does as we say, for both ways."""
    program = place / "bin" / "mke2fs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    async def capable() -> str:
        return str(program)

    monkeypatch.setattr(tool, "tar_capable", capable)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return str(program)


async def by(way: ext4.Way, root: Node, place: Path) -> None:
    await ext4.build(
        root, place / "image.ext4", size_bytes=32 * MIB, label="", staging=place / "staging",
        stage=RecordedStage(), way=way,
    )  # fmt: skip


def left(place: Path) -> list[Path]:
    return [*place.glob("*.ext4"), *(place / "staging").iterdir()]


async def test_a_source_that_has_changed_is_noticed(place: Path) -> None:
    layer = place / "layer"
    layer.write_bytes(b"0123456789")
    root = root_of({b"f": Node(Kind.FILE, content=Content(20, layer, (Extent(0, 0, 20),)))})
    with pytest.raises(BadContent, match="shorter"):
        await made(root, place)
    assert not (place / "image.ext4").exists()


async def test_a_place_that_can_not_be_written_is_told(place: Path) -> None:
    (place / "image.ext4").symlink_to(place / "nowhere" / "image.ext4")
    with pytest.raises(StorageFailure, match="No such file"):
        await made(root_of({}), place)


async def test_an_error_of_debugfs_is_not_overlooked(place: Path) -> None:
    image = await made(root_of({}), place)
    later = root_of({b"null": Node(Kind.CHARACTER, device=(1, 3))})
    image.write_bytes(b"\0" * 8192 + image.read_bytes()[8192:])  # superblock and descriptors
    with pytest.raises((ToolFailed, BadContent)):
        await amend(later, image, by_directory.CARRIED, place / "staging", RecordedStage())


async def test_a_size_too_small_is_told_with_one_that_is_not(place: Path) -> None:
    with pytest.raises(InvalidSize) as caught:
        await made(root_of({b"f": file(b"x" * (20 * MIB))}), place, 20 * MIB)
    assert re.search(r"--size \d+M", caught.value.hint)
    assert not (place / "image.ext4").exists()
