"""A kernel that comes with an image: taken in beside those that are here."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import NameTaken
from banger_tui.engine.kernels.publish import publish_kernel
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run


async def adopt(ctx: Context, run: Run, directory: Path, kernel: KernelRecord) -> KernelRecord:
    """Publish it, unless the very same is here; ``directory`` is gone then.

    Another kernel may have its name (the same package of another day): then it goes by that name
    and its digest. It is taken back when the operation fails.
    """
    apart = replace(kernel, name=f"{kernel.name}-{kernel.digest.removeprefix('sha256:')[:8]}")
    try:
        adopted = await publish_kernel(ctx, run, directory, kernel)
    except NameTaken:
        adopted = await publish_kernel(ctx, run, directory, apart)
    await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
    return adopted
