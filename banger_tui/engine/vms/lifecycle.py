"""Start, stop, kill and restart: a VM's way between its resting states."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from banger_tui.engine.context import Context
from banger_tui.engine.errors import GuestFailure
from banger_tui.engine.hypervisors.base import Vmm
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.engine.operations import Run
from banger_tui.engine.progress import Stage
from banger_tui.engine.vms import boot, files
from banger_tui.engine.vms.state import require

START_STAGES = boot.STAGES
STOP_STAGES = ("sync", "power off", "end")
KILL_STAGES = ("end",)
RESTART_STAGES = (*STOP_STAGES, *START_STAGES)
_LOCK_SECONDS = 5.0
_SYNC_SECONDS = 10.0

Work = Callable[[Run], Awaitable[VmRecord]]


def start(ctx: Context, vm_id: str) -> Work:
    """The work of "start".

    Raises:
        IllegalMove, Busy, and what booting raises; the VM is then stopped as before.
    """

    async def work(run: Run) -> VmRecord:
        async with ctx.locks.vm(vm_id).hold("start", _LOCK_SECONDS):
            vm = await ctx.store.vm(vm_id)
            require(vm, "start")
            return await _start(ctx, run, vm)

    return work


def stop(ctx: Context, vm_id: str) -> Work:
    """The work of "stop": the guest syncs and powers off; the VMM is ended when it does not."""

    async def work(run: Run) -> VmRecord:
        async with ctx.locks.vm(vm_id).hold("stop", _LOCK_SECONDS):
            vm = await ctx.store.vm(vm_id)
            require(vm, "stop")
            return await power_off(ctx, run, vm)

    return work


def kill(ctx: Context, vm_id: str) -> Work:
    """The work of "kill": as by pulling the plug; what the guest had not synced is lost."""

    async def work(run: Run) -> VmRecord:
        async with ctx.locks.vm(vm_id).hold("kill", _LOCK_SECONDS):
            vm = await ctx.store.vm(vm_id)
            require(vm, "kill")
            async with run.stage("end"):
                await end_vmm(ctx, vm)
            return await mark_stopped(ctx, vm, "killed")

    return work


def restart(ctx: Context, vm_id: str) -> Work:
    """The work of "restart": stop, then start, under one hold of the lock."""

    async def work(run: Run) -> VmRecord:
        async with ctx.locks.vm(vm_id).hold("restart", _LOCK_SECONDS):
            vm = await ctx.store.vm(vm_id)
            require(vm, "restart")
            return await _start(ctx, run, await power_off(ctx, run, vm))

    return work


async def _start(ctx: Context, run: Run, vm: VmRecord) -> VmRecord:
    before = vm
    async with run.scope():
        return await _booted(ctx, run, before)


async def _booted(ctx: Context, run: Run, before: VmRecord) -> VmRecord:
    async def as_before() -> None:
        reason = before.reason or "its last start did not succeed"
        await ctx.store.update_vm(
            before.id, state=VmState.STOPPED, pid=None, pid_start=None, reason=reason
        )
        await asyncio.to_thread(files.remove_sockets, ctx.paths, before.id)

    run.undo(as_before)
    vm = await ctx.store.update_vm(before.id, state=VmState.STARTING, reason="")
    return await boot.boot(ctx, run, vm)


async def power_off(ctx: Context, run: Run, vm: VmRecord) -> VmRecord:
    """The stages of "stop"; the caller holds the VM's lock."""
    async with run.scope():
        return await _powered_off(ctx, run, vm)


async def _powered_off(ctx: Context, run: Run, vm: VmRecord) -> VmRecord:
    runtime = ctx.paths.vm_runtime(vm.id)
    vmm = find_vmm(ctx, vm)

    async def still_running() -> None:
        # Cancelled while the guest was being asked: it may live on, or have gone after all.
        if vmm is not None and vmm.alive:
            await ctx.store.update_vm(vm.id, state=VmState.RUNNING)
        else:
            await mark_stopped(ctx, vm, "powered off")

    run.undo(still_running)
    vm = await ctx.store.update_vm(vm.id, state=VmState.STOPPING)
    escalated = ""
    async with run.stage("sync") as stage:
        try:
            await ctx.driver.ask(vm.id, runtime, "sync", _SYNC_SECONDS)
        except GuestFailure as error:
            stage.note(f"no answer: {error.title}")
    async with run.stage("power off") as stage:
        limit = ctx.settings.stop_seconds
        try:
            await ctx.driver.ask(vm.id, runtime, "poweroff", 2.0)
        except GuestFailure as error:
            # Without an answer there is nobody to wait for, unless it is on its way out already.
            stage.note(f"no answer: {error.title}")
            limit = min(limit, 3.0)
        if vmm is not None and not await _counted_down(vmm, limit, stage):
            escalated = f"did not power off within {limit:.0f} s and was ended"
            stage.note(escalated)
    async with run.stage("end"):
        await end_vmm(ctx, vm)
    return await mark_stopped(ctx, vm, escalated or "powered off")


async def _counted_down(vmm: Vmm, limit: float, stage: Stage) -> bool:
    """Wait for the VMM's end; False when it still lives after ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while (left := deadline - time.monotonic()) > 0:
        if await vmm.gone(min(left, 1.0)):
            return True
        stage.note(f"forced in {max(0.0, deadline - time.monotonic()):.0f} s")
    return False


def find_vmm(ctx: Context, vm: VmRecord) -> Vmm | None:
    """The living VMM that the record names."""
    if vm.pid is None or vm.pid_start is None:
        return None
    return ctx.driver.adopt(vm.id, vm.pid, vm.pid_start)


async def end_vmm(ctx: Context, vm: VmRecord) -> None:
    """End whatever runs this VM: politely to the VMM, then by signals. Also what a crash left."""
    vmm = find_vmm(ctx, vm)
    found = [vmm] if vmm is not None else await asyncio.to_thread(ctx.driver.find, vm.id)
    if found:
        await ctx.driver.quit(vm.id, ctx.paths.vm_runtime(vm.id))
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            if not await process.gone(2.0):
                await process.end()
    await asyncio.to_thread(files.remove_sockets, ctx.paths, vm.id)


async def mark_stopped(ctx: Context, vm: VmRecord, reason: str) -> VmRecord:
    """Record that nothing runs this VM any more, and why; its sockets go."""
    await asyncio.to_thread(files.remove_sockets, ctx.paths, vm.id)
    return await ctx.store.update_vm(
        vm.id,
        state=VmState.STOPPED,
        stopped_at=time.time(),
        pid=None,
        pid_start=None,
        reason=reason,
    )
