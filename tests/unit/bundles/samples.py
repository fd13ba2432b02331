"""Small bundles, sound ones and others."""

from __future__ import annotations

import io
import os
import random
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from banger_tui.engine.bundles import tar
from banger_tui.engine.bundles.frame import FrameWriter
from banger_tui.engine.bundles.manifest import FileSum, Manifest
from banger_tui.engine.bundles.read import read
from banger_tui.engine.bundles.sparse import Extent
from banger_tui.engine.bundles.write import write
from banger_tui.engine.ext4.inspect import content_digest
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import Exported

PAGE = 4096
LIMITS = Limits()
ABOUT = Manifest(
    "golden",
    init="/sbin/init",
    kernel="linux",
    config={"Env": ["A=b\nc"], "User": "app", "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}},
    platform="linux/amd64",
    source="catalog: golden",
    provenance="docker.io/library/golden@sha256:" + "0" * 64,
)


class Quiet:
    """A stage that keeps its last progress; ``on_progress`` is called with each."""

    def __init__(self, on_progress: Callable[[int], object] = lambda _: None) -> None:
        self.done = 0
        self.total: int | None = None
        self.names: list[str] = []
        self._on_progress = on_progress

    @property
    def log(self) -> Path:
        return Path(os.devnull)

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        assert unit == "bytes"
        self.done, self.total = done, total
        self._on_progress(done)

    def note(self, detail: str) -> None: ...

    def undo(self, step: Callable[[], object]) -> None:
        raise AssertionError("nothing is left to be undone later")

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[Quiet]:
        self.names.append(name)
        yield self


def make_rootfs(path: Path, size: int, *pieces: tuple[int, bytes]) -> Path:
    """A sparse file with these bytes at these positions."""
    with path.open("wb") as file:
        file.truncate(size)
        for position, data in pieces:
            os.pwrite(file.fileno(), data, position)
    return path


def small_rootfs(path: Path) -> Path:
    """Data at the start, over a chunk's border, in a lone page, and half a page before the end."""
    noise = random.Random(7).randbytes
    return make_rootfs(
        path, 5 * (1 << 20) + 1536,
        (1024, noise(3000)), ((1 << 20) - PAGE, noise(2 * PAGE)), (3 << 20, noise(100)),
        (5 * (1 << 20) + 1000, noise(536)),
    )  # fmt: skip


def make_kernel(path: Path) -> Path:
    noise = random.Random(8).randbytes
    (path / "modules").mkdir(parents=True)
    (path / "vmlinuz").write_bytes(noise(2000))
    (path / "initrd.img").write_bytes(noise(512))
    (path / "manifest.json").write_bytes(b"{}")
    (path / "modules/virtio_blk.ko").write_bytes(b"")
    (path / "modules/README").write_bytes(b"stays here")
    (path / "modules/evil.ko").symlink_to("/etc/passwd")
    return path


async def written(directory: Path, *, kernel: bool = True) -> tuple[Exported, Path, Path | None]:
    """A sound bundle with the files it was made of."""
    rootfs = small_rootfs(directory / "source.ext4")
    tree = make_kernel(directory / "source-kernel") if kernel else None
    about = ABOUT
    exported = await write(
        rootfs, about, directory / "b.tar.zst", stage=Quiet(), limits=LIMITS, kernel=tree
    )
    return exported, rootfs, tree


async def unpacked(
    source: Path, into: Path, limits: Limits = LIMITS, *, sha256: str = "", size: int | None = None
) -> Manifest:
    """``read`` into a directory that is made for it."""
    make_directory(into)
    return await read(source, into, limits=limits, stage=Quiet(), sha256=sha256, size=size)


# The rest blocks, which a test may: nothing else runs in its loop.


def make_directory(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def content(exported: Exported) -> bytes:
    return Path(exported.path).read_bytes()


def run(*argv: str | Path, cwd: Path | None = None) -> bytes:
    """What a program says; it says nothing on stderr."""
    result = subprocess.run(argv, cwd=cwd, capture_output=True, check=True)
    assert result.stderr == b""
    return result.stdout


def sha256(path: Path) -> str:
    return run("sha256sum", path)[:64].decode()


def files_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_file())


# ------------------------------------------------------------- bundles put together by hand


def member(name: str, data: bytes) -> bytes:
    return tar.file_head(name, len(data)) + data + tar.padding(len(data))


def compressed(plain: bytes, trailer: bool = True) -> bytes:
    out = io.BytesIO()
    writer = FrameWriter(out)
    writer.write(plain)
    writer.finish()
    return out.getvalue() if trailer else out.getvalue()[:-40]


def plain_manifest(rootfs: bytes, directory: Path, **files: FileSum) -> Manifest:
    """The manifest of a filesystem with these bytes."""
    path = directory / "plain.ext4"
    path.write_bytes(rootfs)
    return Manifest("x", digest=content_digest(path), size_bytes=len(rootfs), files=files)


def sparse_member(name: str, size: int, extents: tuple[Extent, ...], data: bytes) -> bytes:
    return tar.sparse_head(name, size, extents) + data + tar.padding(len(data))
