"""Kernels as a collection: their rows, directories and locks."""

from __future__ import annotations

from banger_tui.engine.collection import Collection
from banger_tui.engine.context import Context
from banger_tui.engine.model import KernelRecord


def kernels(ctx: Context) -> Collection[KernelRecord]:
    return Collection(
        kind="kernel",
        directory=ctx.paths.kernel,
        pull_lock=ctx.locks.kernel_pull,
        publish_lock=ctx.locks.image_publish,
        find=ctx.store.kernel_or_none,
        insert=ctx.store.insert_kernel,
        delete=ctx.store.delete_kernel,
    )
