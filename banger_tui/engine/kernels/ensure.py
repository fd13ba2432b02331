"""The kernel a VM needs: local first, catalogs on a miss, one pull for all who wait."""

from __future__ import annotations

from banger_tui.engine import pulls
from banger_tui.engine.context import Context
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.kernels.pull import PLAN, find_entry, pull
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run

#: What boots an image that names no kernel.
DEFAULT_KERNEL = "debian-bookworm-cloud"


async def ensure_kernel(ctx: Context, run: Run, name: str) -> KernelRecord:
    """The local kernel of this name, pulled first if need be; stages "resolve kernel", "pull
    kernel".

    Raises:
        NotInCatalog: neither here nor in a catalog.
    """

    async def find() -> pulls.Work[KernelRecord]:
        return pull(ctx, await find_entry(ctx, name), share=True)

    return await pulls.ensure(ctx, run, kernels(ctx), name, find, PLAN)
