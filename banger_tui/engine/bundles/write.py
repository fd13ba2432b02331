"""Writes a bundle: a root filesystem, what is known of it and maybe a kernel, as one file."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from banger_tui.engine.bundles import sparse, tar
from banger_tui.engine.bundles.digest import ContentDigest
from banger_tui.engine.bundles.frame import FrameWriter
from banger_tui.engine.bundles.manifest import (
    MANIFEST,
    ROOTFS,
    FileSum,
    Manifest,
    decode,
    is_kernel_file,
)
from banger_tui.engine.bundles.sparse import CHUNK, Extent, Layout
from banger_tui.engine.bundles.work import Work, run, told
from banger_tui.engine.errors import BadContent, DigestMismatch, InvalidInput, NameTaken
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import Exported
from banger_tui.engine.process import ProcessId
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish

_PART = re.compile(r"(\d+)\.(\d+)\.[0-9a-f]{8}\.part")


@dataclass(frozen=True, slots=True)
class _Written:
    digest: str
    size: int


async def write(
    rootfs: Path,
    manifest: Manifest,
    target: Path,
    *,
    stage: Stage,
    limits: Limits,
    kernel: Path | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the bundle ``target``, beside its place first.

    The same files give the same bundle, byte for byte, with the same version of zstd. Progress is
    in bytes of what is stored, before compression. Nested stages: read, compress.

    Args:
        rootfs: the raw ext4 file.
        manifest: size and files are filled in, and so is the digest. One that is given must fit:
            an image that has changed on disk since it was published is not given away.
        limits: those a reader will have; what it would refuse is not written.
        kernel: a kernel's directory; of its files those that belong in a bundle are taken.
        overwrite: replace a file that is there.

    Raises:
        InvalidInput: there is no directory for ``target``, or the manifest can't be told in JSON.
        NameTaken: ``target`` is there.
        DigestMismatch: ``rootfs`` is not what ``manifest`` says.
        BadContent: a file changed meanwhile.
        NotEnoughDisk, HostLacks, LimitExceeded
    """
    target = await asyncio.to_thread(_free, target, overwrite)
    temporary = await asyncio.to_thread(_beside, target)
    try:
        async with stage.stage("read") as nested:
            layout, full = await run(
                lambda work: _look(rootfs, kernel, manifest, limits, work), nested
            )
        async with stage.stage("compress") as nested:
            total = layout.data_bytes + sum(file.size for file in full.files.values())
            written = await run(
                lambda work: _pack(rootfs, kernel, full, layout, temporary, work), nested, total
            )
        await finish(asyncio.to_thread(_place, temporary, target, overwrite))
    finally:
        await finish(asyncio.to_thread(temporary.unlink, missing_ok=True))
    return Exported(str(target), f"sha256:{written.digest}", written.size)


def _free(target: Path, overwrite: bool) -> Path:
    """Its absolute path, if a file can be made there."""
    target = target.absolute()
    if not target.parent.is_dir():
        raise InvalidInput(f"There is no directory {target.parent}", "", "Make it first.")
    if target.is_dir():
        raise InvalidInput(f"{target} is a directory", "", f"Name a file: {target}/image.tar.zst")
    if not overwrite and (target.exists() or target.is_symlink()):
        raise _taken(target)
    return target


def _beside(target: Path) -> Path:
    """A name for what is on its way to the target's place, with the process that writes it: so
    what one left that was killed is known, and removed here. Blocking."""
    stem, own = f".{target.name[:200]}.", ProcessId.own()
    for entry in target.parent.iterdir():
        found = _PART.fullmatch(entry.name.removeprefix(stem))
        if not found or not entry.name.startswith(stem):
            continue
        if not ProcessId(int(found[1]), int(found[2])).alive:
            with contextlib.suppress(OSError):
                entry.unlink()
    return target.with_name(f"{stem}{own.pid}.{own.start}.{secrets.token_hex(4)}.part")


def _taken(target: Path) -> NameTaken:
    return NameTaken(f"{target} is already there", "", "Name another file, or remove that one.")


def _look(
    rootfs: Path, kernel: Path | None, manifest: Manifest, limits: Limits, work: Work
) -> tuple[Layout, Manifest]:
    """Read all of it once: the manifest comes first in a bundle and has every digest."""
    with _opened(rootfs) as descriptor:
        layout = sparse.scan(descriptor, work)
    if manifest.digest and manifest.digest != layout.digest:
        raise DigestMismatch(
            f"{rootfs} has changed since the image was made",
            f"Its digest is {layout.digest}, not {manifest.digest}.",
            "If it was changed on purpose, make an image of it anew: banger-tui image register",
        )
    files: dict[str, FileSum] = {}
    for name in _kernel_files(kernel):
        with _opened(_path(name, rootfs, kernel)) as descriptor:
            files[name] = _sum(descriptor, work)
    full = replace(manifest, digest=layout.digest, size_bytes=layout.size, files=files)
    try:
        decode(full.encode(), limits)
    except BadContent as error:
        title = f"The image does not fit into a bundle: {error.title}"
        raise type(error)(title, error.detail, error.hint) from error
    return layout, full


def _pack(
    rootfs: Path, kernel: Path | None, manifest: Manifest, layout: Layout, target: Path, work: Work
) -> _Written:
    try:
        with target.open("xb") as file:
            out = FrameWriter(file)
            head = manifest.encode()
            out.write(tar.file_head(MANIFEST, len(head)) + head + tar.padding(len(head)))
            out.write(tar.sparse_head(ROOTFS, layout.size, layout.extents))
            _copy_rootfs(rootfs, layout, out, work)
            for name, sums in manifest.files.items():
                out.write(tar.file_head(name, sums.size))
                _copy_file(_path(name, rootfs, kernel), sums, out, work)
            out.write(tar.END)
            digest = out.finish()
            file.flush()
            os.fsync(file.fileno())
            return _Written(digest, out.size)
    except OSError as error:
        raise told(error, f"Can't write into {target.parent}", target.parent) from error


def _copy_rootfs(rootfs: Path, layout: Layout, out: FrameWriter, work: Work) -> None:
    digest = ContentDigest(layout.size)
    with _opened(rootfs) as descriptor:
        for extent in layout.extents:
            for position, data in _read(descriptor, extent):
                digest.feed(position, data)
                out.write(data)
                work.advance(len(data))
    if digest.value() != layout.digest:
        raise _changed(rootfs)
    out.write(tar.padding(layout.data_bytes))


def _copy_file(path: Path, wanted: FileSum, out: FrameWriter, work: Work) -> None:
    sums = hashlib.sha256()
    with _opened(path) as descriptor:
        for _, data in _read(descriptor, Extent(0, wanted.size)):
            sums.update(data)
            out.write(data)
            work.advance(len(data))
    if sums.hexdigest() != wanted.sha256:
        raise _changed(path)
    out.write(tar.padding(wanted.size))


def _read(descriptor: int, extent: Extent) -> Iterator[tuple[int, bytes]]:
    """(position, bytes); where the file has become shorter, zeros stand for what is not there."""
    end = extent.position + extent.length
    for position in range(extent.position, end, CHUNK):
        wanted = min(CHUNK, end - position)
        yield position, os.pread(descriptor, wanted, position).ljust(wanted, b"\0")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise told(error, f"Can't read {path}", path) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _changed(path: Path) -> BadContent:
    return BadContent(f"{path} changed while it was read", "", "Try again when nothing writes it.")


def _sum(descriptor: int, work: Work) -> FileSum:
    sums, size = hashlib.sha256(), 0
    while data := os.pread(descriptor, CHUNK, size):
        sums.update(data)
        size += len(data)
        work.advance(len(data))
    return FileSum(sums.hexdigest(), size)


def _kernel_files(kernel: Path | None) -> list[str]:
    """Names in a bundle of those files of a kernel that belong there."""
    if kernel is None:
        return []
    plain = (path for path in kernel.rglob("*") if stat.S_ISREG(path.lstat().st_mode))
    names = (f"kernel/{path.relative_to(kernel)}" for path in plain)
    return sorted(name for name in names if is_kernel_file(name))


def _path(name: str, rootfs: Path, kernel: Path | None) -> Path:
    return rootfs if kernel is None else kernel / name.removeprefix("kernel/")


def _place(temporary: Path, target: Path, overwrite: bool) -> None:
    """Into its place, as one step. A link is made only where nothing is; a rename would replace
    what came there meanwhile."""
    try:
        if not overwrite:
            with contextlib.suppress(FileExistsError):
                target.hardlink_to(temporary)
                return
            raise _taken(target)
    except OSError as error:
        # Some filesystems know no hard links.
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise told(error, f"Can't write {target}", target.parent) from error
        _free(target, overwrite)
    try:
        temporary.replace(target)
    except OSError as error:
        raise told(error, f"Can't write {target}", target.parent) from error
