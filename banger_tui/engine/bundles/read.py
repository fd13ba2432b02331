"""Reads a bundle: checked while it is unpacked, and nothing is left of one that is not sound."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from banger_tui.engine.bundles import sparse, tar
from banger_tui.engine.bundles.digest import ContentDigest
from banger_tui.engine.bundles.frame import FrameReader
from banger_tui.engine.bundles.manifest import MANIFEST, ROOTFS, FileSum, Manifest, decode
from banger_tui.engine.bundles.tar import Member
from banger_tui.engine.bundles.work import Work, run, told
from banger_tui.engine.errors import BadContent, DigestMismatch, LimitExceeded
from banger_tui.engine.limits import Limits
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish

_KERNEL = "kernel"


async def read(
    source: Path,
    into: Path,
    *,
    limits: Limits,
    stage: Stage,
    sha256: str = "",
    size: int | None = None,
) -> Manifest:
    """Unpack the bundle ``source`` to ``rootfs.ext4`` and maybe ``kernel/`` in ``into``.

    Every byte of the file is accounted for: by digests and sizes in the manifest, by the checksums
    of zstd and tar, by the digest at its end. Progress is in bytes of the file. The filesystem
    itself is not looked into: that is e2fsck's part.

    Args:
        into: a directory that is there, without those names in it.
        sha256: of the file, 64 hex digits; "": any.
        size: of the file in bytes; None: any.

    Raises:
        BadContent, DigestMismatch, LimitExceeded: it is refused.
        NotEnoughDisk, HostLacks
    """
    try:
        total = await asyncio.to_thread(_size, source, limits, size)
        return await run(lambda work: _unpack(source, into, limits, sha256, work), stage, total)
    except BaseException:  # a cancel, too, leaves nothing of it
        await finish(asyncio.to_thread(_remove, into))
        raise


async def manifest_of(source: Path, limits: Limits) -> Manifest:
    """A bundle's manifest alone.

    Raises:
        BadContent, LimitExceeded, HostLacks
    """

    def look() -> Manifest:
        with _told(f"Can't read {source}", source), source.open("rb") as file:
            reader = FrameReader(file, Work())
            return _manifest(tar.members(reader, limits), reader, limits)

    return await asyncio.to_thread(look)


def _size(source: Path, limits: Limits, wanted: int | None) -> int:
    with _told(f"Can't read {source}", source):
        found = source.stat().st_size
    if wanted is not None and found != wanted:
        raise BadContent(f"{source.name} has another size", f"It has {found} bytes, not {wanted}.")
    if found > limits.max_blob_bytes:
        raise LimitExceeded(
            f"{source.name} is too large",
            f"It has {found} bytes, the limit max_blob_bytes is {limits.max_blob_bytes}.",
            "If you trust it, raise max_blob_bytes in [limits] of config.toml.",
        )
    return found


def _unpack(source: Path, into: Path, limits: Limits, sha256: str, work: Work) -> Manifest:
    with _told(f"Can't unpack {source.name} into {into}", into), source.open("rb") as file:
        reader = FrameReader(file, work)
        manifest = _contents(reader, into, limits)
        found = reader.finish()
    if sha256 and found != sha256:
        raise DigestMismatch(
            f"{source.name} is not the bundle that is wanted",
            f"Its SHA-256 is {found}, not {sha256}.",
            "It was damaged on its way, or it is another one.",
        )
    return manifest


def _contents(reader: FrameReader, into: Path, limits: Limits) -> Manifest:
    members = tar.members(reader, limits)
    manifest = _manifest(members, reader, limits)
    missing = dict(manifest.files)
    second = next(members, None)
    if second is None or second.name != ROOTFS:
        raise BadContent("The bundle is damaged", f"Its second file is not {ROOTFS}.")
    _rootfs(reader, second, manifest, into / ROOTFS)
    for member in members:
        wanted = missing.pop(member.name, None)
        if wanted is None:
            raise BadContent("The bundle is damaged", f"{member.name!r} is not in its manifest.")
        path = into / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        _file(reader, member, wanted, path)
    if missing:
        raise BadContent("The bundle is damaged", f"{min(missing)} is missing.")
    return manifest


def _manifest(members: Iterator[Member], reader: FrameReader, limits: Limits) -> Manifest:
    first = next(members, None)
    if first is None or first.name != MANIFEST:
        raise BadContent("This is no bundle", f"Its first file is not {MANIFEST}.")
    return decode(_small(reader, first, limits), limits)


def _small(reader: FrameReader, member: Member, limits: Limits) -> bytes:
    if member.size > limits.max_manifest_bytes:
        raise LimitExceeded(
            "The manifest of the bundle is too large",
            f"It has {member.size} bytes, the limit max_manifest_bytes is "
            f"{limits.max_manifest_bytes}.",
            "If you trust it, raise max_manifest_bytes in [limits] of config.toml.",
        )
    return b"".join(_whole(reader, member))


def _rootfs(reader: FrameReader, member: Member, manifest: Manifest, target: Path) -> None:
    """Pages of zeros stay holes, however they are stored."""
    _same_size(member, manifest.size_bytes)
    digest = ContentDigest(member.size)
    with target.open("xb", buffering=0) as file:
        file.truncate(member.size)
        for position, data in tar.pieces(reader, member):
            digest.feed(position, data)
            for offset, length in sparse.runs(data):
                _put(file, position + offset, data[offset : offset + length])
    if digest.value() != manifest.digest:
        raise DigestMismatch(
            "The root filesystem in the bundle is damaged", "Its digest is not the manifest's."
        )


def _file(reader: FrameReader, member: Member, wanted: FileSum, target: Path) -> None:
    _same_size(member, wanted.size)
    sums = hashlib.sha256()
    with target.open("xb") as file:
        for data in _whole(reader, member):
            sums.update(data)
            file.write(data)
    if sums.hexdigest() != wanted.sha256:
        raise DigestMismatch(
            f"{member.name} in the bundle is damaged", "Its SHA-256 is not the manifest's."
        )


def _whole(reader: FrameReader, member: Member) -> Iterator[bytes]:
    """The bytes of a file that can have no holes."""
    if member.stored_bytes != member.size:
        raise BadContent("The bundle is damaged", f"{member.name} has holes.")
    for _, data in tar.pieces(reader, member):
        yield data


def _same_size(member: Member, wanted: int) -> None:
    if member.size != wanted:
        raise BadContent(
            "The bundle is damaged",
            f"{member.name} has {member.size} bytes, the manifest says {wanted}.",
        )


def _put(file: BinaryIO, position: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, position)
        position += written
        view = view[written:]


def _remove(into: Path) -> None:
    (into / ROOTFS).unlink(missing_ok=True)
    shutil.rmtree(into / _KERNEL, ignore_errors=True)


@contextmanager
def _told(title: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise told(error, title, path) from error
