"""Delete a kernel: the lock is held for the look-up and the row, the files go after."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil

from banger_tui.engine.context import Context
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.shield import finish


async def delete_kernel(ctx: Context, kernel: KernelRecord) -> None:
    """Raises: InUse when a VM or an image needs it, NotFound."""
    async with ctx.locks.image_publish.hold(f"delete kernel {kernel.name}"):
        await ctx.store.delete_kernel(kernel.name)
        trash = ctx.paths.kernels / f".trash-{secrets.token_hex(4)}"
        if (final := ctx.paths.kernel(kernel.name)).exists():
            await asyncio.to_thread(os.rename, final, trash)
    await finish(asyncio.to_thread(shutil.rmtree, trash, ignore_errors=True))
