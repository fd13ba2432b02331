"""What can be said of a filesystem in a file: whether it is sound, its digest, its room on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.threads import Stop, go_on

_CHUNK = 1 << 16
_ZEROS = bytes(_CHUNK)


async def check(target: Path, stage: Stage) -> None:
    """Have e2fsck look at it, changing nothing.

    Raises:
        ToolFailed: it isn't clean.
    """
    await run_tool(["e2fsck", "-fn", str(target)], log=stage.log, title="The filesystem is damaged")


def content_digest(path: Path, stop: Stop = lambda: False) -> str:
    """A digest of a sparse file's content, without reading its holes. Blocking.

    It is the SHA-256 of the file's size (8 bytes, big-endian) followed, for each 64 KiB block that
    isn't all zeros, by its number (8 bytes) and content. Two files have the same digest exactly
    when they have the same content, holes or not.

    Raises:
        OperationCancelled: ``stop`` says so.
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
                go_on(stop)
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
