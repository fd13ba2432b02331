"""What mke2fs can't be told, said to debugfs afterwards: one script, inodes by number.

A name may hold whatever it likes; only those that debugfs makes stand in the script.
"""

from __future__ import annotations

import hashlib
import stat
import struct
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.errors import BadContent, ToolFailed
from banger_tui.engine.ext4.identity import ENVIRONMENT
from banger_tui.engine.ext4.reader import ROOT, inodes
from banger_tui.engine.layers.refusal import shown
from banger_tui.engine.layers.tree import Kind, Node, walk
from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.threads import Stop, go_on, in_stoppable_thread

_SECOND = 10**9
_TYPES = {
    Kind.DIRECTORY: stat.S_IFDIR,
    Kind.FILE: stat.S_IFREG,
    Kind.SYMLINK: stat.S_IFLNK,
    Kind.CHARACTER: stat.S_IFCHR,
    Kind.BLOCK: stat.S_IFBLK,
    Kind.FIFO: stat.S_IFIFO,
}
_DEVICES = (Kind.CHARACTER, Kind.BLOCK)
_STOP_EVERY = 4096


@dataclass(frozen=True, slots=True)
class Carried:
    """What a way of making the filesystem brings over by itself, besides contents."""

    metadata: bool
    """Modes, owners, and times as far as mke2fs takes them."""
    all_names: bool
    """Those of devices, and every name of a symbolic link."""
    xattrs: frozenset[bytes] = frozenset()

    def whole(self, node: Node) -> bool:
        """Whether nothing of this node is left to do."""
        return self.metadata and not _late(node) and self.xattrs.issuperset(node.xattrs)


def _late(node: Node) -> bool:
    """A time that mke2fs cuts: below a second, or beyond 32 bits."""
    return bool(node.mtime_ns % _SECOND) or not -(1 << 31) <= node.mtime_ns // _SECOND < 1 << 31


async def amend(root: Node, target: Path, carried: Carried, staging: Path, stage: Stage) -> None:
    """Set all else in ``target``.

    Raises:
        ToolFailed, BadContent
    """
    values = staging / "xattrs"
    script = staging / "amend.debugfs"
    await in_stoppable_thread(_write, root, target, carried, script, values)
    said: list[str] = []
    # Its standard output repeats the script. It goes on after an error, which it tells on the
    # other one, where its version stands, too.
    await run_tool(
        ["debugfs", "-w", "-f", str(script), str(target)],
        capture=True, on_line=said.append, log=stage.log, env=ENVIRONMENT,
        title="Can't finish the filesystem",
    )  # fmt: skip
    if wrong := [line for line in said if not line.startswith("debugfs 1.")]:
        raise ToolFailed(
            "Can't finish the filesystem", f"debugfs: {wrong[0][:300]}", tail="\n".join(wrong)
        )


def _write(
    stop: Stop, root: Node, target: Path, carried: Carried, script: Path, values: Path
) -> None:
    values.mkdir(exist_ok=True)
    with script.open("wb") as file:
        for number, line in enumerate(_script(root, target, carried, values)):
            file.write(line)
            if not number % _STOP_EVERY:
                go_on(stop)


def _script(root: Node, target: Path, carried: Carried, values: Path) -> Iterator[bytes]:
    first: dict[Node, bytes] = {}
    names = Counter[Node]()
    wanted: list[tuple[bytes, Node]] = []
    absent: list[tuple[bytes, Node]] = []
    for path, node in walk(root):
        names[node] += 1
        is_first = first.setdefault(node, path) == path
        if not carried.all_names and _needs_debugfs(node, is_first):
            absent.append((path, node))
        elif is_first and not carried.whole(node):
            wanted.append((path, node))
    numbers = inodes(target) if wanted or absent else {}
    yield from _inode(b"<%d>" % ROOT, root, values, frozenset())
    for path, node in wanted:
        yield from _inode(b"<%d>" % numbers[path], node, values, carried.xattrs)
    for path, node in absent:
        folder, _, name = path.rpartition(b"/")
        yield b"cd <%d>\n" % (numbers[folder] if folder else ROOT)
        if first[node] != path:
            # It makes no room in a directory, and counts no links.
            yield b"expand_dir .\n"
            yield b"ln %b %b\n" % (_place(first[node], numbers), _quoted(name))
            continue
        yield from _device(_quoted(name), _place(path, numbers), node)
        yield from _inode(_place(path, numbers), node, values, frozenset())
    for node in dict.fromkeys(node for path, node in absent if first[node] != path):
        place = _place(first[node], numbers)
        yield b"set_inode_field %b links_count %d\n" % (place, names[node])


def _needs_debugfs(node: Node, is_first: bool) -> bool:
    return node.kind in _DEVICES or (node.kind is Kind.SYMLINK and not is_first)


def _device(name: bytes, place: bytes, node: Node) -> Iterator[bytes]:
    kind = b"c" if node.kind is Kind.CHARACTER else b"b"
    major, minor = node.device
    if max(major, minor) < 256:
        yield b"mknod %b %b %d %d\n" % (name, kind, major, minor)
        return
    # mknod knows no more than 16 bits of a number. Where Linux keeps 12 and 20: new_encode_dev() of
    # linux/kdev_t.h, in the second word of the map.
    yield b"mknod %b %b 0 0\n" % (name, kind)
    encoded = minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
    yield b"set_inode_field %b block[1] %d\n" % (place, encoded)


def _place(path: bytes, numbers: Mapping[bytes, int]) -> bytes:
    """What debugfs calls an inode: its number or, where that was not known, its path. (It takes a
    name like <2> for a number, but no path.)"""
    number = numbers.get(path)
    return _quoted(b"/" + path) if number is None else b"<%d>" % number


def _inode(place: bytes, node: Node, values: Path, carried: Container[bytes]) -> Iterator[bytes]:
    for field, value in _fields(node):
        yield b"set_inode_field %b %b %b\n" % (place, field, str(value).encode())
    for name, value in sorted(node.xattrs.items()):
        if name in carried:
            continue
        source = values / hashlib.sha256(value).hexdigest()
        source.write_bytes(value)
        yield b"ea_set -f %b %b %b\n" % (_quoted(bytes(source)), place, _quoted(name))


def _fields(node: Node) -> Iterable[tuple[bytes, object]]:
    seconds, nanoseconds = divmod(node.mtime_ns, _SECOND)
    # The inode's 32 bits are signed; two more say how often they went round
    # (docs.kernel.org/filesystems/ext4/inodes.html, "Inode Timestamps").
    low = seconds & 0xFFFFFFFF
    (signed,) = struct.unpack("<i", struct.pack("<I", low))
    extra = nanoseconds << 2 | (seconds - signed) >> 32 & 3
    return (
        (b"mode", f"0{_TYPES[node.kind] | node.mode:o}"),
        (b"uid", node.uid),
        (b"gid", node.gid),
        *((field, f"@{low}") for field in (b"mtime", b"ctime", b"atime")),
        *((field, extra) for field in (b"mtime_extra", b"ctime_extra", b"atime_extra")),
    )


def _quoted(name: bytes) -> bytes:
    if b"\n" in name or b"\0" in name:
        raise BadContent(
            "A name can't be written",
            f"A device, a link or an attribute is named {shown(name)}.",
            "It takes e2fsprogs 1.47.1 or newer on this host.",
        )
    return b'"' + name.replace(b'"', b'""') + b'"'
