"""The kernel a VM needs: local first, the catalog on a miss, one pull for all who wait."""

from __future__ import annotations

from banger_tui.engine.context import Context
from banger_tui.engine.kernels.pull import PLAN, find_entry, pull
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Operation, Run


async def ensure_kernel(ctx: Context, run: Run, name: str) -> KernelRecord:
    """The local kernel of this name, pulled first if need be; stages "resolve kernel", "pull
    kernel".

    Raises:
        NotInCatalog: neither here nor in a catalog.
    """
    async with run.stage("resolve kernel") as stage:
        stage.note(name)
        if kernel := await ctx.store.kernel_or_none(name):
            run.skip("pull kernel", "already here")
            return kernel
        entry = await find_entry(name)

    async def begin() -> Operation[KernelRecord]:
        return await ctx.operations.begin(
            "pull kernel", name, pull(ctx, entry, share=True), plan=PLAN
        )

    async with run.stage("pull kernel") as stage:
        return await ctx.flights.join(("kernel", name), begin, stage)
