"""A guest's side of a copy: the scripts on this host's busybox, and guests that answer badly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from banger_tui.engine.errors import BadContent, BangerError, GuestFailure, OperationCancelled
from banger_tui.engine.hypervisors.base import Channel, Transport
from banger_tui.engine.model import OperationState
from banger_tui.engine.sessions.copy import STAGES, Copied, Place, copy, place
from banger_tui.engine.sessions.copy_tar import END, Entry, Kind, header
from tests.engine_fixtures.engines import fake_engine

if TYPE_CHECKING:
    pass

BUSYBOX = shutil.which("busybox")
with_busybox = pytest.mark.skipif(BUSYBOX is None, reason="no busybox here")


class Process:
    """A program of this host as a guest's. Implements ``Channel``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.read(50_000)

    async def read_stderr(self) -> bytes:
        assert self._process.stderr is not None
        return await self._process.stderr.read(50_000)

    async def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(data)
            await self._process.stdin.drain()

    async def write_eof(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        return await self._process.wait()

    async def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(1)
        await self.write_eof()
        # What it said that nobody read holds its pipes open.
        streams = (self._process.stdout, self._process.stderr)
        await asyncio.gather(*(self.read_to_end(stream) for stream in streams))
        await self._process.wait()

    async def read_to_end(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and await stream.read(1 << 20):
            pass


class Scripted:
    """A guest that says what the test wants. Implements ``Channel``."""

    def __init__(self, out: bytes, err: bytes = b"", code: int = 0) -> None:
        self._out, self._err, self._code = [out], [err], code
        self.taken = b""

    async def read(self) -> bytes:
        return self._out.pop() if self._out else b""

    async def read_stderr(self) -> bytes:
        return self._err.pop() if self._err else b""

    async def write(self, data: bytes) -> None:
        self.taken += data

    async def write_eof(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None: ...


class Host:
    """Implements ``Transport``: this host's busybox, or one scripted channel."""

    def __init__(self, directory: Path, scripted: Scripted | None = None) -> None:
        self._directory = directory
        self._scripted = scripted

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        if self._scripted is not None:
            return self._scripted
        assert argv[0] == "/.banger/bin/busybox"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            BUSYBOX or "", *argv[1:], stdin=pipe, stdout=pipe, stderr=pipe, cwd=self._directory
        )
        return Process(process)

    async def connect(self) -> None: ...

    async def lost(self) -> str:
        return ""

    async def close(self) -> None: ...


async def copied(home: Path, source: str, target: str, scripted: Scripted | None = None) -> Copied:
    """As an operation, with ``vm:`` for the transport's side."""
    guest: Transport = Host(home / "guest", scripted)

    async def transport(vm: str) -> Transport:
        assert vm == "vm"
        return guest

    async with fake_engine(home / "engine") as engine:
        work = copy(place(source), place(target), transport)
        operation = await engine.operations.begin("copy", "it", work, plan=STAGES)
        return await operation.result()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "guest").mkdir()
    (tmp_path / "here").mkdir()
    return tmp_path


def tree(root: Path) -> None:
    (root / "sub" / "-rf").mkdir(parents=True)
    (root / "a b\n'c").write_text("odd")
    (root / os.fsdecode(b"\xff\xfe")).write_bytes(os.urandom(700_000))
    (root / "sub" / "-rf" / ("n" * 250)).write_text("long")
    (root / "sub" / ".hidden").write_text("")
    (root / "out").symlink_to("/etc/passwd")
    (root / "..in").symlink_to("sub/-rf")
    (root / "sub" / "s").write_text("#!/bin/sh")
    (root / "sub" / "s").chmod(0o4750)
    os.utime(root / "sub" / "s", (1e9, 1e9))
    (root / "sub" / "-rf").chmod(0o555)
    for directory in (root / "sub" / "-rf", root / "sub", root):
        os.utime(directory, (1.1e9, 1.1e9))


def facts(root: Path) -> dict[bytes, tuple[object, ...]]:
    """What must be the same on both sides."""
    found: dict[bytes, tuple[object, ...]] = {}
    for directory, folders, files in os.walk(bytes(root)):
        for name in [b".", *folders, *files]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            key = os.path.relpath(path, bytes(root))
            if stat.S_ISLNK(status.st_mode):
                found[key] = (os.readlink(path),)
            else:
                data = Path(os.fsdecode(path)).read_bytes() if stat.S_ISREG(status.st_mode) else b""
                found[key] = (status.st_mode & 0o170777, int(status.st_mtime), data)
    return found


def files(found: dict[bytes, tuple[object, ...]]) -> dict[bytes, tuple[object, ...]]:
    return {
        name: fact
        for name, fact in found.items()
        if not (isinstance(fact[0], int) and stat.S_ISDIR(fact[0]))
    }


@with_busybox
async def test_a_directory_there_and_back(home: Path) -> None:
    source = home / "here" / "source"
    tree(source)
    os.mkfifo(home / "here" / "source" / "sub" / "pipe")
    os.utime(source / "sub", (1.1e9, 1.1e9))
    there = await copied(home, str(source), "vm:there")
    assert there.left_out == 1
    assert there.entries == len(facts(source)) - 1
    (source / "sub" / "pipe").unlink()
    os.utime(source / "sub", (1.1e9, 1.1e9))
    assert facts(home / "guest" / "there") == facts(source)
    await copied(home, "vm:there", str(home / "here" / "back"))
    assert facts(home / "here" / "back") == facts(source)
    await copied(home, "vm:there", "vm:other")
    assert facts(home / "guest" / "other") == facts(source)
    # Over what is there: directories stay as they are.
    (home / "guest" / "there" / "sub" / "s").write_text("old")
    await copied(home, f"{source}/.", "vm:there")
    await copied(home, "vm:there/.", str(home / "here" / "back"))
    for again in (home / "guest" / "there", home / "here" / "back"):
        assert files(facts(again)) == files(facts(source))
    for directory in (home / "guest", home / "here"):
        assert [p.name for p in directory.rglob(".banger-*")] == []


@with_busybox
async def test_a_file_and_its_places(home: Path) -> None:
    here, guest = home / "here", home / "guest"
    (here / "f").write_bytes(os.urandom(1_000_000))
    (here / "f").chmod(0o600)
    (guest / "d").mkdir()
    for target, made in (("vm:g", "g"), ("vm:d", "d/f"), ("vm:d/", "d/f"), ("vm:d/h", "d/h")):
        await copied(home, str(here / "f"), target)
        assert (guest / made).read_bytes() == (here / "f").read_bytes()
        assert stat.S_IMODE((guest / made).stat().st_mode) == 0o600
    await copied(home, "vm:d/h", str(here))
    assert (here / "h").read_bytes() == (here / "f").read_bytes()
    await copied(home, "vm:/proc/version", str(here / "v"))
    assert (here / "v").read_text().startswith("Linux")
    (guest / "link").symlink_to("g")
    await copied(home, "vm:link", str(here / "l"))
    assert not (here / "l").is_symlink()
    await copied(home, str(here / "f"), "vm:link")
    assert (guest / "link").read_bytes() == (here / "f").read_bytes()


@with_busybox
@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("vm:nothing", "here/x", "no such file"),
        ("vm:/dev/null", "here/x", "neither a file nor a directory"),
        ("here/f", "vm:no/where", "no directory"),
        ("here/f", "vm:nowhere/", "no directory"),
        ("here/d", "vm:f", "no directory"),
        ("vm:d", "here/f", "no directory"),
    ],
)
async def test_what_can_not_be_is_told(home: Path, source: str, target: str, why: str) -> None:
    for side in ("here", "guest"):
        (home / side / "f").write_text("old")
        (home / side / "d").mkdir()
    source, target = (
        str(home / side) if not side.startswith("vm:") else side for side in (source, target)
    )
    with pytest.raises(BangerError) as told:
        await copied(home, source, target)
    assert why in str(told.value)
    for side in ("here", "guest"):
        assert sorted(os.listdir(home / side)) == ["d", "f"]
        assert (home / side / "f").read_text() == "old"


@with_busybox
async def test_cancelled_on_its_way_nothing_is_left(home: Path) -> None:
    big = home / "here" / "big"
    with big.open("wb") as file:
        file.truncate(1 << 30)
    (home / "guest" / "huge").hardlink_to(big)

    async def transport(_: str) -> Transport:
        return Host(home / "guest")

    async with fake_engine(home / "engine") as engine:
        for source, target in (
            (Place("", str(big)), Place("vm", "copy")),
            (Place("vm", "huge"), Place("", str(home / "here" / "copy"))),
        ):
            work = copy(source, target, transport)
            operation = await engine.operations.begin("copy", "it", work, plan=STAGES)
            async for view in operation.events():
                if view.stages[-1].done > 1 << 20:
                    operation.cancel()
                    break
            with pytest.raises(OperationCancelled):
                await operation.result()
            assert operation.view.state is OperationState.CANCELLED
    assert os.listdir(home / "guest") == ["huge"]
    assert os.listdir(home / "here") == ["big"]


ROOT = header(Entry((), Kind.DIRECTORY, 0o755), b".")


@pytest.mark.parametrize(
    "said",
    [
        b"directory 0 0 5\n" + ROOT + header(Entry((b"x",), Kind.SYMLINK, target=b"/tmp"), b".")
        + header(Entry((b"x", b"y"), Kind.FILE), b".") + END,
        b"directory 0 0 5\n" + header(Entry((b"x",), Kind.FILE), b"..") + END,
        b"directory 0 0 5\n" + ROOT + header(Entry((b"x",), Kind.FILE), b"/etc") + END,
        b"directory 0 0 5\n" + ROOT + ROOT + END,
        b"directory 0 0 5\n" + header(Entry((b"x",), Kind.FILE), b".") + END,
        b"directory 0 0 5\n" + ROOT,
        b"directory 0 0 5\n" + header(Entry((), Kind.LINK, linked=()), b".") + END,
        b"directory 0 0 5\n",
        b"elephant 0 0 5\n",
        b"file 644 now 5\n",
        b"x" * 1000,
    ],
    ids=range(11),
)  # fmt: skip
async def test_a_hostile_guest_leaves_nothing(home: Path, said: bytes) -> None:
    with pytest.raises(BadContent):
        await copied(home, "vm:what", str(home / "here" / "x"), Scripted(said))
    assert os.listdir(home / "here") == []
    assert sorted(os.listdir(home)) == ["engine", "guest", "here"]


async def test_a_guest_that_fails_at_the_end_has_sent_nothing(home: Path) -> None:
    guest = Scripted(b"file 644 0 5\nhello", b"\x1b[2Jcat: read error\n", 1)
    with pytest.raises(GuestFailure) as told:
        await copied(home, "vm:what", str(home / "here" / "x"), guest)
    assert "read error" in told.value.detail
    assert os.listdir(home / "here") == []


async def test_complaints_without_end_are_cut(home: Path) -> None:
    guest = Scripted(b"", b"no " * 1_000_000, 1)
    with pytest.raises(GuestFailure) as told:
        await copied(home, "vm:what", str(home / "here" / "x"), guest)
    assert len(told.value.detail) <= 300


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("web:/a:b", Place("web", "/a:b")),
        ("web:", Place("web", "")),
        ("./a:b", Place("", "./a:b")),
        ("/x", Place("", "/x")),
        (":x", Place("", ":x")),
    ],
)
def test_places(text: str, wanted: Place) -> None:
    assert place(text) == wanted
