"""Makes a raw sparse ext4 file of a tree: the same for root and for everybody else.

Where mke2fs reads tar (``tool``), the tree is sent as an archive that goes straight into the
filesystem; elsewhere it is unpacked to a directory that mke2fs copies. What neither carries over is
amended. Made again of the same tree in the same way, it is the same to the last byte.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from pathlib import Path
from uuid import UUID

from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.ext4 import by_directory, by_tar, tool
from banger_tui.engine.ext4.amend import amend
from banger_tui.engine.ext4.attributes import check_attributes
from banger_tui.engine.ext4.identity import identity
from banger_tui.engine.ext4.room import check_room, met_by_tool, sparse
from banger_tui.engine.ext4.size import BLOCK, Size, size_for
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.process import find_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish, in_thread


class Way(Enum):
    """How the filesystem gets its files."""

    AUTO = "auto"
    TAR = "tar"
    DIRECTORY = "directory"


async def build(
    root: Node,
    target: Path,
    *,
    size_bytes: int | None,
    label: str,
    staging: Path,
    stage: Stage,
    way: Way = Way.AUTO,
) -> None:
    """Make ``target`` of the tree; what is temporary goes to ``staging``. After a failure there is
    no ``target``.

    Args:
        size_bytes: of the filesystem; None: as the content asks for.

    Raises:
        InvalidSize: the tree does not fit.
        LimitExceeded: a file has more extended attributes than ext4 keeps.
        NotEnoughDisk, StorageFailure, MissingTool, ToolFailed, BadContent
    """
    size, number = await in_thread(_planned, root, size_bytes)
    data = size.data_bytes
    mke2fs = await tool.tar_capable() if way is not Way.DIRECTORY else None
    if mke2fs is None and way is Way.TAR:
        raise ToolFailed(
            "This host's mke2fs reads no tar", "", "Install e2fsprogs 1.47.1 or newer."
        )
    try:
        await asyncio.to_thread(check_room, target.parent, data)
        await asyncio.to_thread(sparse, target, size.bytes)
        if mke2fs is not None:
            argv = _command(mke2fs, size, label, number, "-", target)
            await by_tar.by_tar(root, argv, data, stage)
            await amend(root, target, by_tar.CARRIED, staging, stage)
        else:
            unpacked = staging / "unpacked"
            source = str(unpacked / "root")
            argv = _command(find_tool("mke2fs"), size, label, number, source, target)
            await by_directory.by_directory(root, argv, unpacked, data, stage)
            await amend(root, target, by_directory.CARRIED, staging, stage)
    except BaseException as error:  # a cancel, too, leaves no half of a filesystem
        # Asked first: it is the unfinished file that fills the disk.
        full = met_by_tool(error, target.parent, data) if isinstance(error, ToolFailed) else None
        await finish(asyncio.to_thread(target.unlink, missing_ok=True))
        if full is not None:
            raise full from error
        raise


def _planned(root: Node, size_bytes: int | None) -> tuple[Size, UUID]:
    check_attributes(root)
    return size_for(root, size_bytes), identity(root)


def _command(
    mke2fs: str, size: Size, label: str, number: UUID, source: str, target: Path
) -> list[str]:
    extended = (
        "lazy_itable_init=1", "lazy_journal_init=1", "discard", "root_owner=0:0",
        f"hash_seed={number}",
    )  # fmt: skip
    return [
        mke2fs, "-q", "-F", "-t", "ext4", "-m", "1", "-b", str(BLOCK), "-I", "256",
        "-N", str(size.inodes), "-L", label, "-U", str(number), "-E", ",".join(extended),
        "-d", source, str(target),
    ]  # fmt: skip
