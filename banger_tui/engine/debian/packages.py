"""Debian packages, downloaded and unpacked without installing anything and without root."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.debian.apt import Apt, Package, prepare, refreshed
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.debian.namespace import as_root_alone
from banger_tui.engine.debian.sources import HostSources, probe
from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import find_tool, run_tool
from banger_tui.engine.progress import Stage

_POLL = 0.2

Keep = Callable[[Package], bool]


def _keep_all(_: Package) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Selection:
    """Packages chosen for download, and what to download them with.

    ``apt`` and ``host`` are None on a host that is no Debian: mmdebstrap alone does it there, and
    versions are only known afterwards (``packages`` then holds just the names asked for).
    """

    suite: str
    names: tuple[str, ...]
    packages: tuple[Package, ...]
    keep: Keep
    apt: Apt | None = None
    host: HostSources | None = None

    @property
    def size_bytes(self) -> int:
        return sum(package.size for package in self.packages)


async def select(
    names: Sequence[str], *, suite: str, paths: Paths, stage: Stage, keep: Keep = _keep_all
) -> Selection:
    """What apt would download for ``names`` and all they need, less what ``keep`` refuses.

    Raises:
        MissingTool, ToolFailed, BangerError
    """
    architecture = debian_architecture()
    host = await probe(suite, architecture)
    if host is None:
        return Selection(suite, tuple(names), tuple(Package(n, "", 0) for n in names), keep)
    apt = await prepare(host, architecture, paths.apt, stage)
    try:
        found = await apt.resolve(list(names))
    except ToolFailed:
        if apt.lists is not None:
            raise
        apt = await refreshed(apt, host, stage)
        found = await apt.resolve(list(names))
    return Selection(suite, tuple(names), tuple(filter(keep, found)), keep, apt, host)


async def fetch(selection: Selection, into: Path, stage: Stage) -> tuple[Package, ...]:
    """Download and unpack the selection into the directory ``into`` (made; must not exist).

    Progress is in bytes. Returns the packages with the versions that were unpacked (empty versions
    where mmdebstrap did it).

    Raises:
        MissingTool, ToolFailed
    """
    await asyncio.to_thread(into.mkdir, parents=True)
    if selection.apt is None:
        await _bootstrap(selection, into, stage)
        return selection.packages
    archives = into.with_name(into.name + ".debs")
    await asyncio.to_thread(archives.mkdir)
    try:
        selection = await _download(selection, archives, stage)
        for archive in sorted(await asyncio.to_thread(_archives, archives)):
            stage.note(f"unpack {archive.name.partition('_')[0]}")
            await run_tool(["dpkg-deb", "-x", str(archive), str(into)], log=stage.log)
    finally:
        await asyncio.to_thread(shutil.rmtree, archives, ignore_errors=True)
    return selection.packages


async def _download(selection: Selection, archives: Path, stage: Stage) -> Selection:
    apt, host = selection.apt, selection.host
    assert apt is not None
    assert host is not None
    try:
        await _get(apt, selection.packages, archives, stage)
    except ToolFailed:
        if apt.lists is not None:
            raise
        # The host's lists name packages its mirror has replaced since: fetch lists of our own.
        apt = await refreshed(apt, host, stage)
        found = await apt.resolve(list(selection.names))
        selection = Selection(
            selection.suite, selection.names, tuple(filter(selection.keep, found)),
            selection.keep, apt, host,
        )  # fmt: skip
        await _get(apt, selection.packages, archives, stage)
    return selection


async def _get(apt: Apt, packages: Iterable[Package], archives: Path, stage: Stage) -> None:
    packages = tuple(packages)
    stage.progress(0, sum(package.size for package in packages), "bytes")

    async def watch() -> None:
        while True:
            await asyncio.sleep(_POLL)
            stage.progress(await asyncio.to_thread(_size, archives))

    def line(text: str) -> None:
        if text.startswith("Get:"):
            stage.note(_package_of(text))

    async with _beside(watch()):
        await run_tool(
            ["apt-get", *apt.options, "-q", "download", *(p.spec for p in packages)],
            cwd=archives,
            on_line=line,
            log=stage.log,
            title="Can't download packages",
        )
    stage.progress(await asyncio.to_thread(_size, archives))


def _package_of(line: str) -> str:
    """``Get:3 URI bookworm/main amd64 tmux amd64 3.3a-3 [455 kB]`` -> ``tmux``."""
    fields = line.split()
    return fields[4] if len(fields) > 4 else ""


async def _bootstrap(selection: Selection, into: Path, stage: Stage) -> None:
    """For hosts with no Debian sources: mmdebstrap knows where Debian's packages are."""
    archive = into.with_name(into.name + ".tar")
    try:
        await run_tool(
            [*await as_root_alone(),
             find_tool("mmdebstrap"), "--mode=root", "--variant=extract", "--verbose",
             f"--include={','.join(selection.names)}",
             "--aptopt=APT::Install-Recommends false",
             selection.suite, str(archive)],
            on_line=stage.note,
            log=stage.log,
            env={"TMPDIR": str(into.parent)},
            title="Can't download packages",
        )  # fmt: skip
        await run_tool(
            [
                "tar",
                "-x",
                "--no-same-owner",
                "--exclude=./dev/*",
                "-f",
                str(archive),
                "-C",
                str(into),
            ],
            log=stage.log,
        )
    finally:
        await asyncio.to_thread(archive.unlink, missing_ok=True)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run ``work`` while the block runs; it ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _archives(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.suffix == ".deb"]


def _size(directory: Path) -> int:
    total = 0
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(directory):
            with contextlib.suppress(FileNotFoundError):
                total += entry.stat().st_size
    return total
