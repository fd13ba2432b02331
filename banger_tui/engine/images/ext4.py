"""Root filesystems as raw sparse ext4 files, made from tar archives, with or without root.

Without root the work is done in a user namespace, so that files get their right owners. What is
unpacked there belongs to the user's subordinate ids on disk; ``remove_tree`` removes it, also after
a crash.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.debian.namespace import as_root, remove_tree
from banger_tui.engine.process import find_tool, run_tool
from banger_tui.engine.progress import Stage

__all__ = ["Layer", "build", "check", "content_digest", "disk_usage", "remove_tree"]

_CHUNK = 1 << 16
_ZEROS = bytes(_CHUNK)

# $1: directory to unpack in, $2: file to make, $3: label, then pairs of tar option and tar file.
_BUILD = """
set -eu
root=$1 target=$2 label=$3; shift 3
mkdir "$root"
trap 'rm -rf --one-file-system "$root"' EXIT
while [ $# -gt 0 ]; do
    echo "unpack $2"
    tar --numeric-owner --xattrs --xattrs-include='*' $1 --exclude='./dev/*' -xpf "$2" -C "$root"
    shift 2
done
chmod 755 "$root"
echo 'make filesystem'
mke2fs -q -t ext4 -F -m 1 -L "$label" -E lazy_itable_init=1,lazy_journal_init=1,discard \
    -d "$root" "$target"
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """A tar archive to unpack; with ``keep`` it replaces nothing that is there already."""

    path: Path
    keep: bool = False


async def build(
    layers: Sequence[Layer],
    target: Path,
    *,
    size_bytes: int,
    label: str,
    staging: Path,
    stage: Stage,
) -> None:
    """Unpack the layers over each other and make ``target`` of them; /dev stays empty.

    Raises:
        MissingTool, HostLacks, ToolFailed
    """
    root = staging / "root"
    await asyncio.to_thread(_sparse, target, size_bytes)
    arguments = [
        part
        for layer in layers
        for part in ("--skip-old-files" if layer.keep else "--overwrite", str(layer.path))
    ]
    tools = [find_tool(tool) for tool in ("tar", "mke2fs")]
    path = ":".join(dict.fromkeys(str(Path(tool).parent) for tool in tools))
    await run_tool(
        [*await as_root(), "/bin/sh", "-c", _BUILD, "build",
         str(root), str(target), label, *arguments],
        on_line=stage.note,
        log=stage.log,
        env={"PATH": f"{path}:{os.environ.get('PATH', os.defpath)}"},
        title="Can't build the filesystem",
    )  # fmt: skip


async def check(target: Path, stage: Stage) -> None:
    """Have e2fsck look at it, changing nothing.

    Raises:
        ToolFailed: it isn't clean.
    """
    await run_tool(
        ["e2fsck", "-fn", str(target)], log=stage.log, title="The new filesystem is damaged"
    )


def content_digest(path: Path) -> str:
    """A digest of a sparse file's content, without reading its holes. Blocking.

    It is the SHA-256 of the file's size (8 bytes, big-endian) followed, for each 64 KiB block that
    isn't all zeros, by its number (8 bytes) and content. Two files have the same digest exactly
    when they have the same content, however either lies on disk.
    """
    sums = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        sums.update(size.to_bytes(8, "big"))
        position = 0
        while position < size:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA) // _CHUNK * _CHUNK
            except OSError:  # ENXIO: only a hole follows
                break
            hole = os.lseek(file.fileno(), position, os.SEEK_HOLE)
            while position < max(hole, position + 1) and position < size:
                block = os.pread(file.fileno(), _CHUNK, position)
                if block != _ZEROS[: len(block)]:
                    sums.update((position // _CHUNK).to_bytes(8, "big"))
                    sums.update(block)
                position += _CHUNK
                if position >= hole:
                    break
    return f"sha256:{sums.hexdigest()}"


def disk_usage(path: Path) -> int:
    """Bytes a sparse file takes on disk. Blocking."""
    return path.stat().st_blocks * 512


def _sparse(target: Path, size_bytes: int) -> None:
    with target.open("wb") as file:
        file.truncate(size_bytes)
