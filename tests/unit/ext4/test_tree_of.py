"""Filesystems of mke2fs read as trees: everything in them, whatever their layout; broken ones."""

from __future__ import annotations

import os
import random
import socket
import stat
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent, BangerError, LimitExceeded, OperationCancelled
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4.inode import decode
from banger_tui.engine.ext4.reader import Reader
from banger_tui.engine.ext4.tree_of import is_ext4, tree_of
from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Kind, Node, walk
from banger_tui.engine.limits import Limits
from banger_tui.engine.process import find_tool
from banger_tui.engine.stages import LiveStage

LIMITS = Limits()
LAYOUTS = {
    "as ours": ["-t", "ext4", "-b", "4096"],
    "blocks of 1 KiB": ["-t", "ext4", "-b", "1024"],
    "no extents": ["-t", "ext4", "-b", "4096", "-O", "^extents,^64bit,^flex_bg"],
    "no extents, 1 KiB": ["-t", "ext4", "-b", "1024", "-O", "^extents,^64bit"],
    "inline": ["-t", "ext4", "-b", "4096", "-O", "inline_data"],
    "small inodes": ["-t", "ext4", "-b", "4096", "-I", "128"],
    "ext2": ["-t", "ext2", "-b", "4096"],
}


def run(*argv: str, data: str = "") -> str:
    done = subprocess.run(
        [find_tool(argv[0]), *argv[1:]], input=data, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make(source: Path, target: Path, layout: str = "as ours", *, size: str = "48M") -> Path:
    run("mke2fs", "-q", "-F", *LAYOUTS[layout], "-d", str(source), str(target), size)
    return target


def change(image: Path, *commands: str) -> None:
    run("debugfs", "-w", "-f", "-", str(image), data="".join(f"{line}\n" for line in commands))


def read(node: Node) -> bytes:
    content = bytearray(node.content.size)
    with Sources() as sources:
        for e in node.content.extents:
            content[e.position : e.position + e.length] = sources.read(
                node.content.source, e.offset, e.length
            )
    return bytes(content)


def described(root: Node) -> dict[bytes, tuple[object, ...]]:
    """Everything that counts, by path; hard links by the first path of theirs."""
    first: dict[int, bytes] = {}
    return {
        path: (
            node.kind, node.mode if node.kind is not Kind.SYMLINK else 0, node.uid, node.gid,
            node.mtime_ns, read(node), node.target, node.device, node.xattrs,
            first.setdefault(id(node), path),
        )
        for path, node in [(b"", root), *walk(root)]
    }  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with about everything that a user may make."""
    top = tmp_path / "source"
    top.mkdir()
    dice = random.Random(1)
    for name, size in (("empty", 0), ("tiny", 7), ("inline", 100), ("block", 4096), ("odd", 70001)):
        (top / name).write_bytes(dice.randbytes(size))
    (top / "large").write_bytes(dice.randbytes(3 << 20))
    with (top / "sparse").open("wb") as file:
        for at in (0, 5 << 20, (5 << 20) + 8192, 20 << 20):
            file.seek(at)
            file.write(b"x" * 4096)
    (top / "deep" / "er").mkdir(parents=True)
    os.link(top / "tiny", top / "deep" / "linked")
    (top / "short").symlink_to("tiny")
    (top / "long").symlink_to("/" + "x" * 300)
    (top / "between").symlink_to("y" * 59)
    (top / "edge").symlink_to("z" * 60)
    (top / b"\xff not text".decode("utf-8", "surrogateescape")).write_text("name")
    (top / "many").mkdir()
    for number in range(1500):
        (top / "many" / f"a file with a longer name {number}").touch()
    (top / "tiny").chmod(0o4751)
    (top / "deep").chmod(0o1777)
    os.mkfifo(top / "fifo", 0o600)
    os.utime(top / "odd", ns=(1, 1_700_000_000_123_456_789))
    os.utime(top / "empty", ns=(1, -86400 * 10**9))
    with socket.socket(socket.AF_UNIX) as left:
        where = Path.cwd()
        os.chdir(top)
        try:
            left.bind("socket")
        finally:
            os.chdir(where)
    return top


def assert_same(root: Node, source: Path, *, small: bool) -> None:
    """The tree is what is in the directory."""
    on_disk = {
        os.fsencode(path.relative_to(source)): path
        for path in source.rglob("*")
        if not stat.S_ISSOCK(path.lstat().st_mode)
    }
    found = dict(walk(root))
    assert found.keys() == on_disk.keys()
    for name, path in on_disk.items():
        node, state = found[name], path.lstat()
        assert (node.uid, node.gid) == (state.st_uid, state.st_gid)
        if not small:
            assert node.mtime_ns // 10**9 == state.st_mtime_ns // 10**9, name
        if node.kind is Kind.SYMLINK:
            assert node.target == os.fsencode(path.readlink())
            continue
        assert node.mode == stat.S_IMODE(state.st_mode), name
        if node.kind is Kind.FILE:
            assert read(node) == path.read_bytes(), name
    assert found[b"deep/linked"] is found[b"tiny"]
    assert found[b"fifo"].kind is Kind.FIFO


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_is_there_in_every_layout(tmp_path: Path, source: Path, layout: str) -> None:
    image = make(source, tmp_path / "image", layout)
    assert is_ext4(image)
    # 128 bytes hold times of 32 bits, unsigned for whoever reads them so.
    assert_same(tree_of(image, LIMITS), source, small="-I" in LAYOUTS[layout])


def test_holes_stay_holes(tmp_path: Path, source: Path) -> None:
    os.truncate(source / "sparse", (21 << 20) + 5)
    sparse = tree_of(make(source, tmp_path / "image"), LIMITS).children[b"sparse"]
    assert read(sparse) == (source / "sparse").read_bytes()
    assert [extent.length for extent in sparse.content.extents] == [4096] * 4


def test_times_beyond_32_bits(tmp_path: Path, source: Path) -> None:
    image = make(source, tmp_path / "image")
    # Beyond 2038 by the bits that say so, and as early as there are times.
    for name, low, more in (
        ("odd", "0", "0x2"), ("tiny", "0x80000000", "0"), ("block", "5", "0x1d6f3450"),
    ):  # fmt: skip
        change(
            image,
            f"set_inode_field {name} mtime @{low}",
            f"set_inode_field {name} mtime_extra {more}",
        )
    tree = tree_of(image, LIMITS)
    assert tree.children[b"odd"].mtime_ns == 2 * (1 << 32) * 10**9
    assert tree.children[b"tiny"].mtime_ns == -(1 << 31) * 10**9
    assert tree.children[b"block"].mtime_ns == 5 * 10**9 + 123_456_788


def test_attributes_lists_and_devices(tmp_path: Path, source: Path) -> None:
    image = make(source, tmp_path / "image")
    list_path, long_path = tmp_path / "list", tmp_path / "long-value"
    # linux/posix_acl_xattr.h: owner rwx, user 1000 r, group r-x, mask r-x, others nothing
    listed = b"\x02\0\0\0" + b"".join(
        struct.pack("<HHI", *entry)
        for entry in (
            (1, 7, 0xFFFFFFFF), (2, 4, 1000), (4, 5, 0xFFFFFFFF), (16, 5, 0xFFFFFFFF),
            (32, 0, 0xFFFFFFFF),
        )
    )  # fmt: skip
    list_path.write_bytes(listed)
    long_path.write_bytes(b"L" * 2000)
    change(
        image,
        'ea_set tiny user.colour "blue"',
        "ea_set tiny security.capability \\001\\000\\000\\002",
        f"ea_set -f {list_path} tiny system.posix_acl_access",
        f"ea_set -f {long_path} odd user.long",
        "ea_set odd security.selinux label",
        "mknod null c 1 3",
        "mknod disk b 259 40000",
        "set_inode_field large uid 4000000000",
        "set_inode_field large gid 70000",
    )
    tree = tree_of(image, LIMITS)
    tiny = tree.children[b"tiny"].xattrs
    assert tiny[b"user.colour"] == b"blue"
    assert tiny[b"security.capability"] == b"\1\0\0\2"
    assert tiny[b"system.posix_acl_access"] == listed
    assert tree.children[b"odd"].xattrs == {b"user.long": b"L" * 2000}
    null, disk = tree.children[b"null"], tree.children[b"disk"]
    assert (null.kind, null.device) == (Kind.CHARACTER, (1, 3))
    assert (disk.kind, disk.device) == (Kind.BLOCK, (259, 40000))
    assert (tree.children[b"large"].uid, tree.children[b"large"].gid) == (4_000_000_000, 70000)


def test_what_was_never_written_is_zeros(tmp_path: Path, source: Path) -> None:
    image = make(source, tmp_path / "image")
    change(image, "fallocate empty 0 40", "set_inode_field empty size 100000")
    empty = tree_of(image, LIMITS).children[b"empty"]
    assert (empty.content.size, empty.content.extents) == (100_000, ())


async def test_a_filesystem_made_of_the_tree_has_the_same_tree(
    tmp_path: Path, source: Path
) -> None:
    image = make(source, tmp_path / "image")
    change(image, 'ea_set tiny user.colour "blue"', "mknod null c 1 3")
    before = described(tree_of(image, LIMITS))
    staging = tmp_path / "staging"
    staging.mkdir()
    again = tmp_path / "again"
    await ext4.build(
        tree_of(image, LIMITS), again, size_bytes=None, label="x", staging=staging,
        stage=LiveStage("", lambda _: None, lambda _: None, tmp_path / "log"),
    )  # fmt: skip
    run("e2fsck", "-fn", str(again))
    assert described(tree_of(again, LIMITS)) == before


# ------------------------------------------------------------------------------------- broken


def test_what_is_no_filesystem_is_refused(tmp_path: Path) -> None:
    for name, data in (("nothing", b""), ("text", b"hello" * 1000), ("zeros", bytes(1 << 20))):
        path = tmp_path / name
        path.write_bytes(data)
        assert not is_ext4(path)
        with pytest.raises(BadContent):
            tree_of(path, LIMITS)


def test_cut_short_unclean_and_unknown_ones_are_refused(tmp_path: Path, source: Path) -> None:
    image = make(source, tmp_path / "image")
    whole = image.read_bytes()
    for command, words in (
        ("feature needs_recovery", "journal"),
        ("feature encrypt", "features"),
    ):
        image.write_bytes(whole)
        change(image, command)
        with pytest.raises(BadContent) as caught:
            tree_of(image, LIMITS)
        assert words in str(caught.value)
    image.write_bytes(whole[: 40 << 20])
    with pytest.raises(BadContent) as caught:
        tree_of(image, LIMITS)
    assert "cut short" in str(caught.value)


def test_limits_are_kept(tmp_path: Path, source: Path) -> None:
    image = make(source, tmp_path / "image")
    for limits, key in (
        (Limits(max_entries=1000), "max_entries"),
        (Limits(max_rootfs_bytes=1 << 20), "max_rootfs_bytes"),
        (Limits(max_path_bytes=20), "max_path_bytes"),
    ):
        with pytest.raises(LimitExceeded, match="larger than") as caught:
            tree_of(image, limits)
        assert key in caught.value.detail
    change(image, f"ea_set tiny user.a {'x' * 300}")
    with pytest.raises(LimitExceeded) as caught:
        tree_of(image, Limits(max_xattr_bytes=100))
    assert "max_xattr_bytes" in caught.value.detail


def test_it_stops_when_told(tmp_path: Path, source: Path) -> None:
    with pytest.raises(OperationCancelled):
        tree_of(make(source, tmp_path / "image"), LIMITS, stop=lambda: True)


def where_inode(image: Path, path: bytes) -> tuple[int, int]:
    """(offset of an inode in the file, block size)"""
    with image.open("rb") as file:
        reader = Reader(file)
        number = dict(reader.walk())[path]
        raw = reader.inode(number)
        return image.read_bytes().index(raw), reader.block


def patch(image: Path, offset: int, data: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def to_itself(image: Path) -> None:
    """A map of extents whose only block says that the map goes on in this block."""
    inode, block = where_inode(image, b"large")
    number = struct.unpack_from("<I", image.read_bytes(), inode + 0x28 + 12 + 8)[0]
    index = struct.pack("<HHHHI", 0xF30A, 1, 4, 1, 0) + struct.pack("<IIHH", 0, number, 0, 0)
    patch(image, inode + 0x28, index)
    patch(image, number * block, index)


def pointers_to_themselves(image: Path) -> None:
    """Blocks of blocks that are all the same one."""
    inode, block = where_inode(image, b"large")
    flags = struct.unpack_from("<I", image.read_bytes(), inode + 0x20)[0]
    number = struct.unpack_from("<I", image.read_bytes(), inode + 0x28 + 12 + 8)[0]
    patch(image, inode + 0x20, struct.pack("<I", flags & ~0x80000))
    patch(image, inode + 0x28, bytes(48) + struct.pack("<III", 0, 0, number))
    patch(image, number * block, struct.pack("<I", number) * (block // 4))


def beyond_the_end(image: Path) -> None:
    inode, _ = where_inode(image, b"odd")
    patch(image, inode + 0x28 + 12 + 8, struct.pack("<I", 0xFFFFFFF0))


def enormous(image: Path) -> None:
    inode, _ = where_inode(image, b"odd")
    patch(image, inode + 0x6C, struct.pack("<I", 0x7FFFFFFF))


def directory_in_itself(image: Path) -> None:
    change(image, "ln deep deep/er/again")


def parent_as_child(image: Path) -> None:
    change(image, "ln <2> deep/er/top")


def name_with_a_slash(image: Path) -> None:
    data = image.read_bytes()
    patch(image, data.index(b"linked"), b"../../")


def twice_the_same_name(image: Path) -> None:
    change(image, "ln odd deep/linkee")
    patch(image, image.read_bytes().index(b"linkee"), b"linked")


def no_such_inode(image: Path) -> None:
    at = image.read_bytes().index(b"linked") - 8
    patch(image, at, struct.pack("<I", 900_000))


def no_such_type(image: Path) -> None:
    change(image, "set_inode_field odd mode 0170644")


def value_outside(image: Path) -> None:
    change(image, "ea_set odd user.a bcd")
    first = where_inode(image, b"odd")[0] + 128 + 32 + 4
    patch(image, first + 2, b"\xff\x7f")


def value_elsewhere(image: Path) -> None:
    change(image, "ea_set odd user.a bcd")
    first = where_inode(image, b"odd")[0] + 128 + 32 + 4
    patch(image, first + 4, struct.pack("<I", 13))


def bad_list(image: Path) -> None:
    change(image, "ea_set odd user.b bcde")
    first = where_inode(image, b"odd")[0] + 128 + 32 + 4
    # named system.posix_acl_access instead, which has no name of its own; its value is no list
    patch(image, first, b"\0\2" + image.read_bytes()[first + 2 : first + 16] + bytes(4))


HOSTILE: list[Callable[[Path], None]] = [
    to_itself, pointers_to_themselves, beyond_the_end, enormous, directory_in_itself,
    parent_as_child, name_with_a_slash, twice_the_same_name, no_such_inode, no_such_type,
    value_outside, value_elsewhere, bad_list,
]  # fmt: skip


@pytest.mark.parametrize("spoil", HOSTILE)
def test_hostile_ones_are_refused(
    tmp_path: Path, source: Path, spoil: Callable[[Path], None]
) -> None:
    image = make(source, tmp_path / "image")
    spoil(image)
    with pytest.raises(BadContent) as caught:
        tree_of(image, LIMITS)
    assert caught.value.detail


def test_damage_anywhere_ends_in_a_tree_or_an_error(tmp_path: Path) -> None:
    """Bytes of metadata set at random: nothing but our own errors, and always an end."""
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    for number in range(40):
        (top / "a" / f"file{number}").write_bytes(bytes([number]) * 3000)
    (top / "link").symlink_to("x" * 100)
    image = make(top, tmp_path / "image", "blocks of 1 KiB", size="2M")
    whole = image.read_bytes()
    used = [at for at, byte in enumerate(whole) if byte and at >= 1024]
    dice = random.Random(7)
    refused = 0
    for _ in range(400):
        spoilt = bytearray(whole)
        for _ in range(dice.randrange(1, 12)):
            at = dice.choice(used)
            spoilt[at] = dice.choice((0, 1, 0xFF, dice.randrange(256)))
        image.write_bytes(spoilt)
        try:
            tree_of(image, LIMITS)
        except BangerError:
            refused += 1
    assert 0 < refused < 400


@pytest.mark.parametrize("size", [128, 160, 256])
def test_an_inode_of_zeros_decodes(size: int) -> None:
    assert decode(bytes(size)).links == 0
