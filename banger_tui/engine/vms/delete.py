"""Delete a VM and everything that is only its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from banger_tui.engine.context import Context
from banger_tui.engine.model import VmRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.shield import in_thread
from banger_tui.engine.vms import files
from banger_tui.engine.vms.lifecycle import end_vmm
from banger_tui.engine.vms.state import require

STAGES = ("end", "forget", "remove files")


async def erase(ctx: Context, vm: VmRecord) -> None:
    """End it and remove whatever is only its own; the caller holds its lock."""
    await end_vmm(ctx, vm)
    await ctx.store.delete_vm(vm)
    await in_thread(files.remove, ctx.paths, vm.id)


def delete(ctx: Context, vm_id: str) -> Callable[[Run], Awaitable[None]]:
    """The work of "delete".

    Raises:
        IllegalMove: it is on its way somewhere; Busy: somebody holds it.
    """

    async def work(run: Run) -> None:
        async with ctx.locks.vm(vm_id).hold("delete", 5.0):
            vm = await ctx.store.vm(vm_id)
            require(vm, "delete")
            async with run.stage("end"):
                await end_vmm(ctx, vm)
            # The row goes first: files without a row are swept up, a row without files is a VM
            # that can't start.
            async with run.stage("forget"):
                await ctx.store.delete_vm(vm)
            async with run.stage("remove files"):
                await in_thread(files.remove, ctx.paths, vm.id)

    return work
