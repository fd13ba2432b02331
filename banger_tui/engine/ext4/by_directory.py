"""A tree into a filesystem by way of files on the host, for a mke2fs that reads no tar."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from banger_tui.engine.ext4.amend import Carried
from banger_tui.engine.ext4.identity import ENVIRONMENT
from banger_tui.engine.ext4.room import check_room, unwritable
from banger_tui.engine.ext4.unpack import unpack
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish
from banger_tui.engine.threads import in_stoppable_thread

CARRIED: Final = Carried(metadata=False, all_names=False)


async def by_directory(
    root: Node, mke2fs: Sequence[str], directory: Path, total: int, stage: Stage
) -> None:
    """Unpack the tree, and run mke2fs.

    Args:
        mke2fs: its command line, which must name ``directory``/root as what to copy.
        directory: not there yet, and gone again afterwards.
        total: bytes of content.

    Raises:
        BadContent: a file's source is not what it was.
        NotEnoughDisk, StorageFailure, ToolFailed
    """
    loop = asyncio.get_running_loop()

    def tell(done: int) -> None:
        loop.call_soon_threadsafe(stage.progress, done, total, "bytes")

    await asyncio.to_thread(check_room, directory.parent, total)
    try:
        await asyncio.to_thread(directory.mkdir)
        await in_stoppable_thread(unpack, root, directory, tell)
        stage.note("mke2fs")
        await run_tool(
            mke2fs, on_line=stage.note, log=stage.log, env=ENVIRONMENT,
            title="Can't build the filesystem",
        )  # fmt: skip
    except OSError as error:
        raise unwritable(error, directory.parent, total) from error
    finally:
        # A tree may be deeper than Python's own rmtree goes.
        await finish(run_tool(["rm", "-rf", "--one-file-system", str(directory)]))
