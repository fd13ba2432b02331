"""Pull a kernel: build it in staging with no lock held, then publish it as one atom."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.context import Context
from banger_tui.engine.errors import NameTaken
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.publish import publish
from banger_tui.engine.staging import staging_directory

PLAN = ("resolve reference", "build", "publish")


async def find_entry(name: str) -> KernelEntry:
    """Raises: NotInCatalog, with near names."""
    return (await asyncio.to_thread(embedded)).kernel(name)


def pull(
    ctx: Context, entry: KernelEntry, *, share: bool = False
) -> Callable[[Run], Awaitable[KernelRecord]]:
    """The work of "pull kernel"; ``share`` and errors as for images."""

    async def work(run: Run) -> KernelRecord:
        async with contextlib.AsyncExitStack() as stack:
            async with run.stage("resolve reference") as stage:
                if share:
                    stage.note("waiting for another pull of it")
                    lock = ctx.locks.kernel_pull(entry.name)
                    await stack.enter_async_context(lock.hold(f"pull {entry.name}"))
                    stage.note("")
                if kernel := await ctx.store.kernel_or_none(entry.name):
                    if share:
                        run.skip("build", "another process made it")
                        run.skip("publish")
                        return kernel
                    raise NameTaken(
                        f"The kernel {entry.name} is already here",
                        f"It is version {kernel.version}.",
                        f"To make it anew: banger-tui kernel delete {entry.name}",
                    )
            return await _build_and_publish(ctx, run, entry)

    return work


async def _build_and_publish(ctx: Context, run: Run, entry: KernelEntry) -> KernelRecord:
    staging = await staging_directory(ctx.paths, run)
    final = staging / "kernel"
    async with run.stage("build") as stage:
        built = await ctx.artefacts.kernel(entry, into=final, paths=ctx.paths, stage=stage)
    kernel = KernelRecord(
        name=entry.name, version=built.version, digest=built.digest,
        source=f"catalog: {entry.name}", size_bytes=built.size_bytes, created_at=time.time(),
    )  # fmt: skip
    async with run.stage("publish"):
        await publish(
            ctx.locks.image_publish, final, ctx.paths.kernel(kernel.name),
            lambda: ctx.store.insert_kernel(kernel),
        )  # fmt: skip
    return kernel
