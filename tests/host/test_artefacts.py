"""Kernel, guest kit and images from Debian's packages, for real: built, looked into, cut short."""
# ruff: noqa: ASYNC240 - looking at files between steps holds up nobody in a test

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banger_tui.engine import assets
from banger_tui.engine.artefacts import ImageRequest, Workplace
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.debian.namespace import remove_tree
from banger_tui.engine.debian.sources import HostSources, Source, probe
from banger_tui.engine.ext4.inspect import content_digest
from banger_tui.engine.guest import kit
from banger_tui.engine.images.make import make
from banger_tui.engine.kernels import build as kernels
from banger_tui.engine.limits import Limits
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import find_tool, run_tool

pytestmark = pytest.mark.timeout(400)


class PlainStage:
    """A Stage that remembers how far it came."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.seen: list[tuple[int, int | None, str | None]] = []
        self.names: list[str] = []
        self.notes: list[str] = []

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        self.seen.append((done, total, unit))

    def note(self, detail: str) -> None:
        self.notes.append(detail)

    @contextlib.asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[PlainStage]:
        self.names.append(name)
        yield self

    def undo(self, step: object) -> None:
        raise AssertionError("nothing here needs undoing")


@pytest.fixture
def paths(private_home: Path) -> Paths:
    found = Paths.below(private_home)
    found.prepare()
    return found


@pytest.fixture
def stage(tmp_path: Path) -> PlainStage:
    return PlainStage(tmp_path / "log")


@pytest.fixture
def staging(paths: Paths) -> Path:
    path = paths.staging / "operation"
    path.mkdir()
    return path


async def test_kernel(paths: Paths, stage: PlainStage, tmp_path: Path) -> None:
    into = tmp_path / "kernel"
    entry = embedded().kernel("debian-bookworm-cloud")
    built = await kernels.build(entry, into=into, paths=paths, stage=stage)
    names = {path.name for path in into.iterdir()}
    assert names == {"vmlinuz", "initrd.img", "modules", "manifest.json"}, "and no leftovers"
    assert re.match(r"\d+\.\d+\.\d+-\d+-cloud-", built.version)
    modules = [path.stem for path in (into / "modules").iterdir()]
    assert {"virtio_blk", "virtio_net", "virtio_console", "virtio_mmio"} <= set(modules)
    assert len(modules) < 25, "only what is needed"
    assert stage.seen[-1][0] > 10_000_000
    assert any(total is not None and unit == "bytes" for _, total, unit in stage.seen)


def _trust(content: tarfile.TarFile) -> None:
    """As the argument ``filter`` would, which Python has only from 3.11.4 on."""
    content.extraction_filter = getattr(tarfile, "tar_filter", None)


async def test_kit_runs_and_is_made_once(paths: Paths, stage: PlainStage, tmp_path: Path) -> None:
    archive = await kit.ensure(paths, stage)
    with tarfile.open(archive) as content:
        assert {(m.uid, m.gid, m.mtime) for m in content} == {(0, 0, 0)}
        _trust(content)
        content.extractall(tmp_path)
    programs = {path.name for path in (tmp_path / ".banger/bin").iterdir()}
    assert {"busybox", "sh", "dropbear", "tmux", "sftp-server", "resize2fs"} <= programs
    library = tmp_path / ".banger/lib"
    result = await run_tool(
        [str(library / "ld.so"), "--argv0", "tmux", "--library-path", str(library),
         str(library / "tmux"), "-V"],
    )  # fmt: skip
    assert "tmux" in result.output, "its libraries are all there"
    before = archive.stat().st_mtime_ns
    assert await kit.ensure(paths, stage) == archive
    assert archive.stat().st_mtime_ns == before
    assert [path.name for path in paths.kits.glob("*.tar")] == [archive.name]
    assert not list(paths.kits.glob(".*"))


async def test_scripts_use_only_what_busybox_has(
    paths: Paths, stage: PlainStage, tmp_path: Path
) -> None:
    with tarfile.open(await kit.ensure(paths, stage)) as content:
        _trust(content)
        content.extract(".banger/bin/busybox", tmp_path)
    busybox = str(tmp_path / ".banger/bin/busybox")
    applets = set((await run_tool([busybox, "--list"], capture=True)).output.split())
    wanted = {
        "chmod", "chroot", "cp", "date", "dd", "grep", "insmod", "ip", "ln", "mkdir", "mkfifo",
        "mount", "od", "poweroff", "reboot", "rm", "sed", "setsid", "sleep",
        "stty", "switch_root", "sync", "usleep",
    }  # fmt: skip
    assert wanted <= applets
    for name in ("agent", "console", "init", "initrd-init"):
        await run_tool([busybox, "sh", "-n"], stdin=assets.read(f"guest/{name}"))


STAGES = ("flatten", "guest kit", "build ext4", "check")


async def test_small_image(paths: Paths, stage: PlainStage, staging: Path) -> None:
    place = Workplace(staging / "rootfs.ext4", staging, paths, Limits())
    rootfs = place.rootfs
    built = await make(ImageRequest(embedded().image("busybox")), place, stage)
    assert [name for name in stage.names if name in STAGES] == list(STAGES)
    assert built.disk_bytes == rootfs.stat().st_size == 1 << 30
    assert built.size_bytes < 40 << 20
    assert built.digest == content_digest(rootfs)
    listing = await run_tool(["debugfs", "-R", "stat /.banger/agent", str(rootfs)], capture=True)
    assert re.search(r"Mode:\s+0755", listing.output)
    assert re.search(r"User:\s+0\s+Group:\s+0", listing.output)
    await remove_tree(staging)
    assert not staging.exists()


async def test_stale_lists_of_the_host_are_replaced(
    paths: Paths, stage: PlainStage, tmp_path: Path
) -> None:
    """A version its mirror no longer has: private lists are fetched and the download succeeds."""
    selection = await packages.select(
        ["busybox-static"], suite="bookworm", paths=paths, stage=stage
    )
    if selection.apt is None:
        pytest.skip("this host has no Debian sources")
    if selection.apt.lists is not None:
        pytest.skip("this host's own lists are of no use already")
    (package,) = selection.packages
    gone = packages.Selection(
        selection.suite, selection.names, (type(package)(package.name, "0.0-1", 1),),
        selection.keep, selection.apt, selection.host,
    )  # fmt: skip
    unpacked = await packages.fetch(gone, tmp_path / "tree", stage)
    assert [p.name for p in unpacked] == ["busybox-static"]
    assert unpacked[0].version != "0.0-1"
    assert list((tmp_path / "tree").glob("**/bin/busybox"))
    assert list(paths.apt.glob("*/lists/*"))


async def test_sources_that_are_not_debians_are_left_out(
    paths: Paths, stage: PlainStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unconfirmed source that says another origin is dropped once its release file is here."""
    host = await probe("bookworm", debian_architecture())
    if host is None:
        pytest.skip("this host has no Debian sources")
    other = tmp_path / "other/dists/bookworm"
    (other / f"main/binary-{debian_architecture()}").mkdir(parents=True)
    (other / f"main/binary-{debian_architecture()}/Packages").touch()
    (other / "Release").write_text(
        "Origin: Somebody\nSuite: bookworm\nCodename: bookworm\n"
        f"Architectures: {debian_architecture()}\nComponents: main\n"
        "Date: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n"
        f" {'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'} 0"
        f" main/binary-{debian_architecture()}/Packages\n"
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    (tmp_path / "apt.conf").write_text('Acquire::AllowInsecureRepositories "true";\n')
    foreign = Source(f"file:{tmp_path}/other/", "bookworm")
    mixed = HostSources((*host.sources, foreign), listed=False, confirmed=False)

    async def pretend(suite: str, architecture: str) -> HostSources:
        return mixed

    monkeypatch.setattr(packages, "probe", pretend)
    selection = await packages.select(
        ["busybox-static"], suite="bookworm", paths=paths, stage=stage
    )
    assert selection.apt is not None
    kept = (selection.apt.root / "debian.sources").read_text()
    assert f"file:{tmp_path}" not in kept
    assert kept.count("Types: deb") == len(host.sources)


async def test_host_without_debian_sources(
    paths: Paths, stage: PlainStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mmdebstrap alone, by its own default."""

    async def none(suite: str, architecture: str) -> None:
        return None

    monkeypatch.setattr(packages, "probe", none)
    selection = await packages.select(
        ["busybox-static"], suite="bookworm", paths=paths, stage=stage
    )
    await packages.fetch(selection, tmp_path / "tree", stage)
    assert list((tmp_path / "tree").glob("**/bin/busybox"))
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("tree")} == {"tree"}


async def test_cancelling_an_installation_leaves_nothing(
    paths: Paths, stage: PlainStage, staging: Path
) -> None:
    entry = embedded().image("debian-bookworm")
    place = Workplace(staging / "rootfs.ext4", staging, paths, Limits())
    work = asyncio.create_task(make(ImageRequest(entry), place, stage))
    while not any(note.startswith("unpack ") for note in stage.notes):
        assert not work.done(), work.exception()
        await asyncio.sleep(0.1)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not mounts_below(staging)
    await remove_tree(staging)
    assert not staging.exists()
    assert not processes_naming(staging)


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.host.test_artefacts import PlainStage
from banger_tui.engine.artefacts import ImageRequest, Workplace
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.images.make import make
from banger_tui.engine.limits import Limits
from banger_tui.engine.paths import Paths
home, staging = map(Path, sys.argv[1:])
stage = PlainStage(home / "log")
stage.note = lambda text: print(text, flush=True)
place = Workplace(staging / "rootfs.ext4", staging, Paths.below(home), Limits())
asyncio.run(make(ImageRequest(embedded().image("debian-bookworm")), place, stage))
"""


async def test_killing_the_program_ends_the_installation(paths: Paths, staging: Path) -> None:
    """kill -9 in the middle: no process stays, no mount, and what lies there can be removed."""
    home = paths.state.parent
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(home), str(staging),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2], start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    async for line in child.stdout:
        if line.startswith(b"unpack "):
            break
    else:
        raise AssertionError("it never began to unpack")
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    async with asyncio.timeout(30):
        while processes_naming(staging):
            await asyncio.sleep(0.1)
    assert not mounts_below(staging)
    await remove_tree(staging)
    assert not staging.exists()


def mounts_below(path: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(path) in line]


def processes_naming(path: Path) -> list[str]:
    """Command lines of living processes that name ``path`` or work in it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            places = [os.readlink(entry / "cwd"), os.readlink(entry / "root")]
            if str(path) in line or any(place.startswith(str(path)) for place in places):
                found.append(line)
    return found


def test_tools_are_here() -> None:
    """The rest of this file would fail in less obvious ways without them."""
    for tool in ("apt-get", "dpkg-deb", "mmdebstrap", "mke2fs", "e2fsck", "unshare"):
        assert subprocess.run([find_tool(tool), "--version"], capture_output=True).returncode in (
            0, 1, 16,
        )  # fmt: skip
