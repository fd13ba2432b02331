"""A tree into a filesystem as a tar archive on mke2fs's standard input."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Sequence
from typing import Final

from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.ext4.amend import Carried
from banger_tui.engine.ext4.identity import ENVIRONMENT
from banger_tui.engine.layers.emit import tar_stream
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.model import MIB
from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish

CARRIED: Final = Carried(metadata=True, all_names=True, xattrs=frozenset((b"security.capability",)))
_STEP = MIB


async def by_tar(root: Node, mke2fs: Sequence[str], total: int, stage: Stage) -> None:
    """Run mke2fs, which must read its standard input, with the tree.

    Args:
        total: bytes of content.

    Raises:
        BadContent: a file's source is not what it was.
        ToolFailed
    """
    loop = asyncio.get_running_loop()

    def tell(done: int) -> None:
        loop.call_soon_threadsafe(stage.progress, min(done, total), total, "bytes")

    reading, writing = os.pipe()
    with contextlib.suppress(OSError):  # its owner's pipes have all the memory they may
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, MIB)
    feeding = asyncio.ensure_future(asyncio.to_thread(_feed, root, writing, tell))
    running = asyncio.ensure_future(
        run_tool(
            mke2fs, stdin_file=reading, on_line=stage.note, log=stage.log, env=ENVIRONMENT,
            title="Can't build the filesystem",
        )
    )  # fmt: skip
    try:
        await running
    except ToolFailed:
        pass
    finally:
        # With its reader gone the feeder ends at its next write, whatever it was at.
        os.close(reading)
        (fed,) = await finish(asyncio.gather(feeding, return_exceptions=True))
    if fed is not None:
        raise fed  # mke2fs has failed for want of the rest
    running.result()


def _feed(root: Node, descriptor: int, tell: Callable[[int], None]) -> None:
    done = told = 0
    with open(descriptor, "wb", buffering=0) as pipe:
        try:
            for chunk in tar_stream(root):
                view = memoryview(chunk)
                while view:
                    view = view[pipe.write(view) :]
                done += len(chunk)
                if done - told >= _STEP:
                    told = done
                    tell(done)
        except BrokenPipeError:
            pass  # the program has ended, and says why itself
