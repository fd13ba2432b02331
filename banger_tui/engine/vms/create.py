"""Create a VM, in three phases.

1. Validate, find the image and the kernel (pulling them on a miss): no lock that others wait on.
2. Reserve: milliseconds under ``vm_reservation``: name, port, row.
3. Prepare and boot under this VM's own lock.

Creates of different VMs overlap in 1 and 3.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidSize, NotEnoughDisk
from banger_tui.engine.guest import keys
from banger_tui.engine.images.ensure import ensure_image
from banger_tui.engine.kernels.ensure import ensure_kernel
from banger_tui.engine.model import GIB, MIB, ImageRecord, KernelRecord, VmRecord, VmSpec, VmState
from banger_tui.engine.network.ports import HeldPort, hold_free
from banger_tui.engine.operations import Run
from banger_tui.engine.process import ProcessId
from banger_tui.engine.shield import in_thread
from banger_tui.engine.store import name_taken
from banger_tui.engine.vms import boot, files
from banger_tui.engine.vms.spec import made_up_name, validate

STAGES = (
    "resolve image", "pull image", "resolve kernel", "pull kernel", "reserve", "prepare disk",
    *boot.STAGES,
)  # fmt: skip
#: Room that must be left on the host when a VM is made: its disk grows as it is written.
MIN_FREE = 256 * MIB


def create(ctx: Context, spec: VmSpec) -> Callable[[Run], Awaitable[VmRecord]]:
    """The work of the operation "create". Raises what its phases raise; leaves nothing then."""

    async def work(run: Run) -> VmRecord:
        capabilities = await ctx.driver.capabilities()
        validate(spec, capabilities.max_cpus)
        # Before a minute goes into an image that nothing here can boot.
        await ctx.driver.check()
        if spec.name is not None:
            # Early, so that nobody waits for a pull in vain; the reservation has the last word.
            if await ctx.store.vm_or_none(spec.name):
                raise name_taken(spec.name)
            run.about(spec.name)
        image = await ensure_image(ctx, run, spec.image)
        kernel = await ensure_kernel(ctx, run, image.kernel)
        await _check_room(ctx, spec, image)
        vm_id = secrets.token_hex(6)
        async with (
            ctx.locks.vm(vm_id).hold("create"), run.scope(), contextlib.AsyncExitStack() as stack,
        ):  # fmt: skip
            # Before the deed: a cancel may come when the row is written and not yet known to be.
            # The VMM is taken back by boot itself.
            run.undo(lambda: _forget(ctx, vm_id))
            async with run.stage("reserve") as stage:
                vm, held = await _reserve(ctx, run, spec, vm_id, image, kernel, stack)
                stage.note(vm.name)
            async with run.stage("prepare disk"):
                await ctx.driver.create_disk(
                    ctx.paths.rootfs(image),
                    ctx.paths.vm(vm.id) / "disk.qcow2",
                    vm.disk_bytes,
                )
            return await boot.boot(ctx, run, vm, held)

    return work


async def _reserve(
    ctx: Context, run: Run, spec: VmSpec, vm_id: str, image: ImageRecord, kernel: KernelRecord,
    stack: contextlib.AsyncExitStack,
) -> tuple[VmRecord, HeldPort]:  # fmt: skip
    """Name, port and row. The port is held until ``stack`` ends, or its holder lets go of it."""
    host_key = keys.host_key()
    own = ProcessId.own()
    async with ctx.locks.vm_reservation.hold("reserve a name and a port"):
        names = {vm.name for vm in await ctx.store.vms()}
        name = spec.name or made_up_name(names)
        if name in names:
            raise name_taken(name)
        held = hold_free(ctx.settings.ports, await ctx.store.ports())
        stack.callback(held.release)
        vm = VmRecord(
            id=vm_id, name=name, state=VmState.CREATING, image=image.name,
            image_digest=image.digest, kernel=kernel.name, cpus=spec.cpus,
            memory_mib=spec.memory_mib, disk_bytes=spec.disk_bytes or image.disk_bytes,
            network=spec.network, ephemeral=spec.ephemeral, driver=ctx.driver.name,
            ssh_port=held.port, host_key=host_key.public, created_at=time.time(),
        )  # fmt: skip
        await ctx.store.insert_vm(vm, (own.pid, own.start))
    run.about(vm.name, vm.id)
    await in_thread(files.prepare, ctx.paths, vm.id, host_key.private)
    return vm, held


async def _forget(ctx: Context, vm_id: str) -> None:
    """Whatever of it is there: row, files, lock file."""
    if vm := await ctx.store.vm_or_none(vm_id):
        await ctx.store.delete_vm(vm)
    await asyncio.to_thread(files.remove, ctx.paths, vm_id)


async def _check_room(ctx: Context, spec: VmSpec, image: ImageRecord) -> None:
    if spec.disk_bytes is not None and spec.disk_bytes < image.disk_bytes:
        raise InvalidSize(
            f"The disk is too small for {image.name}",
            f"The image's filesystem is {image.disk_bytes / GIB:.1f} GiB.",
            f"Ask for at least that much: --disk {-(-image.disk_bytes // GIB)}G",
        )
    free = (await asyncio.to_thread(shutil.disk_usage, ctx.paths.state)).free
    if free < MIN_FREE:
        raise NotEnoughDisk(
            "Too little room for a VM",
            f"{ctx.paths.state} has {free // MIB} MiB free, {MIN_FREE // MIB} are needed.",
            "Delete VMs or images you no longer need, or set BANGER_HOME=DIR to another disk.",
        )
