"""Pull a kernel: build it in staging with no lock held, then publish it as one atom."""

from __future__ import annotations

import time

from banger_tui.engine import pulls
from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.context import Context
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.staging import staging_directory

PLAN = ("resolve reference", "build", "publish")


async def find_entry(ctx: Context, name: str) -> KernelEntry:
    """Raises: NotInCatalog, with near names."""
    return (await ctx.catalogs.load()).kernel(name)


def pull(ctx: Context, entry: KernelEntry, *, share: bool = False) -> pulls.Work[KernelRecord]:
    """The work of "pull kernel"; ``share`` and errors as of ``pulls.pull``."""

    async def make(run: Run) -> KernelRecord:
        staging = await staging_directory(ctx.paths, run)
        directory = staging / "kernel"
        async with run.stage("build") as stage:
            built = await ctx.artefacts.kernel(entry, into=directory, paths=ctx.paths, stage=stage)
        kernel = KernelRecord(
            name=entry.name, version=built.version, digest=built.digest,
            source=f"catalog: {entry.name}", size_bytes=built.size_bytes, created_at=time.time(),
        )  # fmt: skip
        async with run.stage("publish") as stage:
            return await pulls.publish(kernels(ctx), directory, kernel, stage, share=share)

    return pulls.pull(
        kernels(ctx), entry.name, make, plan=PLAN, share=share, note=entry.description
    )
