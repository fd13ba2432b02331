"""What tests of the ways in and out of images share: halts at every stage, pictures of a home."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.artefacts import Artefacts
from banger_tui.engine.errors import OperationCancelled
from banger_tui.engine.hypervisors.base import Channel, Transport
from banger_tui.engine.images.make import make as make_image
from banger_tui.engine.kernels.build import build as build_kernel
from banger_tui.engine.model import ImageRecord, VmRecord
from banger_tui.engine.operations import Operation
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import run_tool
from banger_tui.engine.settings import Settings
from banger_tui.engine.stages import LiveStage
from tests.engine_fixtures.engines import WatchedDriver
from tests.engine_fixtures.gates import PATIENCE
from tests.engine_fixtures.inspection import assert_consistent, names, processes_mentioning
from tests.engine_fixtures.template import IMAGE

# ------------------------------------------------------------------------------------- guests


@dataclass
class Says:
    """A script's channel: what it prints, then the code it ends with. ``until`` holds it up."""

    chunks: Sequence[bytes] = (b"done\n",)
    code: int = 0
    until: asyncio.Event | None = None
    at_end: Callable[[], Awaitable[None]] | None = None
    stdin: bytes = b""
    closed: bool = False

    def __post_init__(self) -> None:
        self._left = iter(self.chunks)

    async def connect(self) -> None: ...

    async def lost(self) -> str:
        return "It was closed."

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        self._left = iter(self.chunks)
        return self

    async def read(self) -> bytes:
        if self.until is not None:
            await self.until.wait()
        return next(self._left, b"")

    async def read_stderr(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        self.stdin += data

    async def write_eof(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        if self.at_end is not None:
            await self.at_end()
        return self.code

    async def close(self) -> None:
        self.closed = True


@dataclass
class DiskDriver(WatchedDriver):
    """A fake driver whose disks are real ones, and whose guests run scripts by saying ``says``."""

    says: Says = field(default_factory=Says)

    async def create_disk(self, rootfs: Path, disk: Path, size: int) -> None:
        await run_tool(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(rootfs),
             str(disk), str(size)]
        )  # fmt: skip

    def transport(self, vm: VmRecord) -> Transport:
        return self.says


@asynccontextmanager
async def engine_below(home: Path, driver: DiskDriver | None = None) -> AsyncIterator[Engine]:
    """Real images and tools, VMs of the fake driver."""
    async with Engine(
        Paths.below(home),
        Settings(image=IMAGE),
        driver=driver or DiskDriver(),
        artefacts=Artefacts(make_image, build_kernel),
    ) as engine:
        yield engine


# ------------------------------------------------------------------------------------- halts


class Halts:
    """Counts every begin and end of every stage of every operation, and can stand still at one."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._at: int | str = -1
        self._reached = asyncio.Event()
        self._on = asyncio.Event()

    def at(self, place: int | str) -> None:
        """From now on: stand still at the begin or end of this number, or at the first so called
        ("begin publish")."""
        self.seen = []
        self._at = place
        self._reached = asyncio.Event()
        self._on = asyncio.Event()

    def go_on(self) -> None:
        self._on.set()

    async def pass_by(self, place: str) -> None:
        self.seen.append(place)
        if self._at == len(self.seen) - 1 or (self._at == place and self.seen.count(place) == 1):
            self._reached.set()
            await self._on.wait()

    async def reached(self, operation: Operation[Any]) -> None:
        """Raises: AssertionError: the operation is over, and never came by."""
        over = asyncio.ensure_future(_outcome(operation))
        here = asyncio.ensure_future(self._reached.wait())
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({over, here}, return_when=asyncio.FIRST_COMPLETED)
        for task in (over, here):
            task.cancel()
        assert self._reached.is_set(), f"ended before it was to be cancelled: {self.seen}"


async def _outcome(operation: Operation[Any]) -> None:
    with contextlib.suppress(Exception):
        await operation.result()


@contextmanager
def halts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Halts]:
    """Inside the block stages come by."""
    found = Halts()
    original = LiveStage.active

    @asynccontextmanager
    async def active(stage: LiveStage) -> AsyncIterator[LiveStage]:
        async with original(stage) as live:
            await found.pass_by(f"begin {stage.name}")
            yield live
            await found.pass_by(f"end {stage.name}")

    with monkeypatch.context() as patch:
        patch.setattr(LiveStage, "active", active)
        yield found


# ---------------------------------------------------------------------------------- pictures


def picture(home: Path, *more: Path) -> dict[str, str]:
    """Every file that counts, by its path: the state's, and all of ``more``. Blocking."""
    paths = Paths.below(home)
    places = (
        paths.images, paths.kernels, paths.vms, paths.runtime, paths.staging, paths.resume,
        paths.blobs / "unnamed", paths.blobs / "leases", *more,
    )  # fmt: skip
    return {
        str(path): _about(path)
        for place in places
        for path in ([place] if place.is_file() else sorted(place.rglob("*")))
    }


def _about(path: Path) -> str:
    status = path.lstat()
    if not path.is_file() or path.is_symlink():
        return f"{status.st_mode:o}"
    if status.st_size > 4 << 20:
        return f"{status.st_size} bytes, written at {status.st_mtime_ns}"
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def rows(engine: Engine) -> list[str]:
    """The names of all that is kept."""
    return sorted(
        [
            *(f"image {image.name}" for image in await engine.images.list()),
            *(f"kernel {kernel.name}" for kernel in await engine.kernels.list()),
            *(f"vm {vm.name} {vm.state.value}" for vm in await engine.vms.list()),
        ]
    )


def odd_blobs(home: Path) -> list[str]:
    """What lies in the cache of downloads and is neither a whole one nor one to go on with."""
    blobs = Paths.below(home).blobs
    kept = names(blobs / "sha256")
    return sorted(
        [name for name in kept if len(name.removesuffix(".part")) != 64]
        + [*names(blobs / "unnamed"), *names(blobs / "leases")]
    )


# ----------------------------------------------------------------------------------- cancels


@dataclass(frozen=True)
class Way:
    """One way in or out.

    Args:
        begin: begins the operation.
        take_back: removes what a success left.
        watched: files and directories outside of the home that no cancel may change.
        only: names of the stages in which it is tried; () for all.
    """

    begin: Callable[[Engine], Awaitable[Operation[Any]]]
    take_back: Callable[[Engine], Awaitable[object]]
    watched: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()


async def cancelled_everywhere(
    engine: Engine, home: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Cancel the way at the begin and the end of each of its stages: each time all is as before,
    and in the end it succeeds. Returns the places."""

    async def look() -> tuple[dict[str, str], list[str]]:
        await assert_consistent(engine)
        return await asyncio.to_thread(picture, home, *way.watched), await rows(engine)

    with halts(monkeypatch) as stand:
        stand.at(-1)
        await (await way.begin(engine)).result()
        places = list(stand.seen)
        await way.take_back(engine)
        before = await look()
        for number, place in enumerate(places):
            if way.only and place.partition(" ")[2] not in way.only:
                continue
            stand.at(number)
            operation = await way.begin(engine)
            await stand.reached(operation)
            here = f"cancelled at {number}, {stand.seen[-1]} (at first {place})"
            operation.cancel()
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(OperationCancelled):
                    await operation.result()
            assert processes_mentioning([str(home)]) == [], here
            try:
                after = await look()
            except AssertionError as error:
                raise AssertionError(f"{here}: {error}") from error
            assert after == before, here
            assert odd_blobs(home) == [], here
            # what was begun within it is over as well
            assert [v.title for v in await engine.operations.list() if not v.state.over] == [], here
            stand.go_on()
        stand.at(-1)
    await (await way.begin(engine)).result()
    await assert_consistent(engine)
    return places


# ------------------------------------------------------------------------------------- images


async def registered(engine: Engine, file: Path, name: str) -> ImageRecord:
    """A small image with the guest kit, of ``file``, which is made."""
    await asyncio.to_thread(small_filesystem, file)
    return await (await engine.images.register(file, name)).result()


def small_filesystem(target: Path, *, mib: int = 32, content: bytes = b"content\n") -> Path:
    """An ext4 file with a file or two. Blocking."""
    source = target.with_suffix(".files")
    (source / "etc").mkdir(parents=True)
    (source / "etc" / "motd").write_bytes(content)
    subprocess.run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(source), str(target), f"{mib}m"],
        check=True, capture_output=True,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip
    return target
