"""Which mke2fs there is, and whether it reads a tar archive from its standard input.

From 1.47.1 on ``mke2fs -d -`` does, if it was built with libarchive: then no file of an image is
ever made on the host, and owners are right without root. What a program says of its version is no
proof of that, so it is tried on an archive of one file.
"""

from __future__ import annotations

import asyncio
import io
import tarfile
import tempfile
from pathlib import Path

from banger_tui.engine.errors import BangerError
from banger_tui.engine.process import find_tool, run_tool

_known: dict[tuple[str, int, int], bool] = {}


async def tar_capable() -> str | None:
    """A mke2fs that reads tar, if this host has one; never fails."""
    try:
        program = find_tool("mke2fs")
    except BangerError:
        return None
    state = await asyncio.to_thread(Path(program).stat)
    key = (program, state.st_size, state.st_mtime_ns)
    if key not in _known:
        _known[key] = await _tried(program)
    return program if _known[key] else None


async def _tried(program: str) -> bool:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        writer.addfile(tarfile.TarInfo("probe"))
    with tempfile.TemporaryDirectory(prefix="banger-mke2fs-") as directory:
        target = Path(directory, "probe.ext4")
        try:
            await run_tool(
                [program, "-q", "-F", "-t", "ext4", "-d", "-", str(target), "4M"],
                stdin=archive.getvalue(),
            )
            listing = await run_tool(["debugfs", "-R", "ls -p /", str(target)], capture=True)
        except BangerError:
            return False
        return "/probe/" in listing.output
