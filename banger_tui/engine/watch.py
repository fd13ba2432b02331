"""What happens without us: VMs that end, rows that another process writes, cancels it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from banger_tui.engine.context import Context
from banger_tui.engine.errors import BangerError
from banger_tui.engine.events import (
    ImageChanged,
    ImageDeleted,
    KernelChanged,
    KernelDeleted,
    OperationChanged,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import ImageRecord, KernelRecord, OperationView, VmRecord, VmState
from banger_tui.engine.process import ProcessId
from banger_tui.engine.reconcile import orphaned, reconcile
from banger_tui.engine.vms import files
from banger_tui.engine.vms.lifecycle import end_vmm, find_vmm

log = logging.getLogger(__name__)
_ROUND_EVERY = 3.0  # seconds between looks for processes that died at work
_LOOK_EVERY = 0.4  # seconds: what another process does shows within one


class Watch:
    """Tasks of a running engine; made by ``start``, ended by ``close``."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._seen_vms: dict[str, VmRecord] = {}
        self._seen_images: dict[str, ImageRecord] = {}
        self._seen_kernels: dict[str, KernelRecord] = {}
        self._seen_operations: dict[str, OperationView] = {}
        self._guards: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._next_round = time.monotonic() + _ROUND_EVERY
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._look()
        self._tasks = [
            asyncio.create_task(self._look_often(), name="watch: store"),
            asyncio.create_task(self._follow_own(), name="watch: own events"),
        ]

    async def close(self) -> None:
        tasks = [*self._tasks, *self._guards.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ other processes' writes

    async def _look_often(self) -> None:
        version = -1  # what came between the first look and this task's start is looked at, too
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                now = await self._ctx.store.data_version()
                if now != version:
                    version = now
                    await self._look()
                    await self._ctx.operations.honour_requests()
                if time.monotonic() >= self._next_round:
                    self._next_round = time.monotonic() + _ROUND_EVERY
                    await self._clean_up_after_the_dead()
            except BangerError:
                log.exception("reading the store")
                await asyncio.sleep(2.0)

    async def _clean_up_after_the_dead(self) -> None:
        """Another process that was killed in the middle of its work left that work to us."""
        if any(
            not view.state.over and not ProcessId(view.owner_pid, view.owner_start).alive
            for view in self._seen_operations.values()
        ):
            await reconcile(self._ctx)
            await self._look()

    async def _look(self) -> None:
        """Read everything and announce what is different from what was seen last."""
        # Of each kind, nothing is awaited between reading and announcing: what we write ourselves
        # meanwhile would be followed by what it was before.
        ctx, publish = self._ctx, self._ctx.bus.publish
        vms = {vm.id: vm for vm in await ctx.store.vms()}
        seen_vms, self._seen_vms = self._seen_vms, vms
        for vm in vms.values():
            if seen_vms.get(vm.id) != vm:
                publish(VmChanged(vm))
            self._guard(vm)
        for vm in seen_vms.values():
            if vm.id not in vms:
                publish(VmDeleted(vm.id, vm.name))
        images = {image.name: image for image in await ctx.store.images()}
        seen_images, self._seen_images = self._seen_images, images
        for image in images.values():
            if seen_images.get(image.name) != image:
                publish(ImageChanged(image))
        for name in seen_images.keys() - images.keys():
            publish(ImageDeleted(name))
        kernels = {kernel.name: kernel for kernel in await ctx.store.kernels()}
        seen_kernels, self._seen_kernels = self._seen_kernels, kernels
        for kernel in kernels.values():
            if seen_kernels.get(kernel.name) != kernel:
                publish(KernelChanged(kernel))
        for name in seen_kernels.keys() - kernels.keys():
            publish(KernelDeleted(name))
        stored = await ctx.store.operations(50)
        own = {operation.id for operation in ctx.operations.live()}
        operations = {view.id: view for view in stored if view.id not in own}
        seen_operations, self._seen_operations = self._seen_operations, operations
        for view in operations.values():
            before = seen_operations.get(view.id)
            if before != view and not (before is None and view.state.over):
                publish(OperationChanged(view))

    async def _follow_own(self) -> None:
        """Our own writes are announced by the store; guard what they made running."""
        with self._ctx.bus.listen() as events:
            async for event in events:
                match event:
                    case VmChanged(vm):
                        self._seen_vms[vm.id] = vm
                        self._guard(vm)
                    case VmDeleted(vm_id, _):
                        self._seen_vms.pop(vm_id, None)
                    case ImageChanged(image):
                        self._seen_images[image.name] = image
                    case ImageDeleted(name):
                        self._seen_images.pop(name, None)
                    case KernelChanged(kernel):
                        self._seen_kernels[kernel.name] = kernel
                    case KernelDeleted(name):
                        self._seen_kernels.pop(name, None)

    # -------------------------------------------------------------------------- VMs that end

    def _guard(self, vm: VmRecord) -> None:
        """Watch a running VM's process, once."""
        if vm.state is not VmState.RUNNING or vm.pid is None:
            return
        key = (vm.id, vm.pid)
        if key not in self._guards:
            task = asyncio.create_task(self._until_end(vm), name=f"watch: {vm.name}")
            self._guards[key] = task
            task.add_done_callback(lambda _: self._guards.pop(key, None))

    async def _until_end(self, vm: VmRecord) -> None:
        vmm = find_vmm(self._ctx, vm)
        if vmm is not None:
            await vmm.gone()
        with contextlib.suppress(BangerError):
            await self._ended(vm)

    async def _ended(self, vm: VmRecord) -> None:
        """A running VM's process is gone: stopped from inside, crashed, or by a verb under way."""
        ctx = self._ctx
        # A verb that holds the lock (stop, kill, delete) sees the end itself, unless it is
        # cancelled at that very moment: so wait for it and look again. (Nothing is left to be done
        # for a VM that was deleted meanwhile.)
        async with ctx.locks.vm(vm.id).hold("note its end", make=False):
            now = await ctx.store.vm_or_none(vm.id)
            if now is None or now.state is not VmState.RUNNING or now.pid != vm.pid:
                return
            updated = await ctx.store.update_vm_if(
                now, state=VmState.STOPPED, stopped_at=time.time(), pid=None, pid_start=None,
                reason="it powered off or its hypervisor ended",
            )  # fmt: skip
            if updated is None:
                return
            await asyncio.to_thread(files.remove_sockets, ctx.paths, vm.id)
            if await orphaned(ctx, updated):
                await end_vmm(ctx, updated)
                await ctx.store.delete_vm(updated)
                await asyncio.to_thread(files.remove, ctx.paths, vm.id)
