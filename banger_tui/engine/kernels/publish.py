"""A kernel that is ready gets its place and its row."""

from __future__ import annotations

from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import NameTaken
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run


async def publish_kernel(
    ctx: Context, run: Run, directory: Path, kernel: KernelRecord, *, stage: str = "publish kernel"
) -> KernelRecord:
    """Publish a directory (vmlinuz, initrd.img, modules/, manifest.json) as ``kernel``, in a stage
    of its own.

    The very same kernel may be here already, from another image's bundle or an import made twice:
    then that one is taken, and the directory stays where it is.

    Raises:
        NameTaken: another kernel has the name.
    """
    known = kernels(ctx)
    async with run.stage(stage) as live:
        live.note(kernel.name)
        here = await known.find(kernel.name)
        if here is None:
            # Left before: a cancel may come when it is published and not yet known to be.
            run.undo(lambda: known.discard(kernel))
            try:
                await known.publish(directory, kernel)
            except NameTaken:
                here = await known.find(kernel.name)
                if here is None:
                    raise
            else:
                return kernel
        if here.digest != kernel.digest:
            raise known.taken(here)
        live.note(f"{kernel.name} is here already")
        return here
