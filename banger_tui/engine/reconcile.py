"""After any crash: adopt what lives, reap what died, sweep what was half-made.

Runs at every start, beside other processes that may be in the middle of their work. The rule that
keeps it from harm: a thing is only touched when its lock can be had at once (its worker is dead,
the kernel dropped the lock) and a process only when its command line proves it is ours.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
import time
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.debian.namespace import remove_tree
from banger_tui.engine.errors import BangerError, Busy
from banger_tui.engine.hypervisors.base import Vmm
from banger_tui.engine.model import (
    Failure,
    OperationState,
    OperationView,
    StageState,
    VmRecord,
    VmState,
)
from banger_tui.engine.process import ProcessId
from banger_tui.engine.publish import under_way
from banger_tui.engine.stages import settled
from banger_tui.engine.vms import files
from banger_tui.engine.vms.delete import erase
from banger_tui.engine.vms.lifecycle import end_vmm, find_vmm, mark_stopped

log = logging.getLogger(__name__)
_AT_ONCE = 0.05  # seconds to try for a lock: enough for a millisecond's work to pass


async def reconcile(ctx: Context) -> None:
    """Bring store, processes and files into one true state. Never raises for a single thing."""
    await _close_operations(ctx)
    strays = await asyncio.to_thread(ctx.driver.strays, ctx.paths.runtime)
    sockets = await asyncio.to_thread(lambda: {p.name for p in ctx.paths.runtime.iterdir()})
    for vm in await ctx.store.vms():
        try:
            at_rest = vm.state is VmState.STOPPED and not vm.ephemeral
            if not at_rest or vm.id in strays or vm.id in sockets:
                await _settle(ctx, vm)
        except BangerError:
            log.exception("settling %s", vm.name)
    await _sweep_vms(ctx, strays)
    await _sweep_published(ctx)
    await _sweep_staging(ctx)
    await ctx.operations.prune(ctx.settings.operations_kept)


# ------------------------------------------------------------------------------- operations


async def _close_operations(ctx: Context) -> None:
    for view in await ctx.store.operations(10_000):
        if not view.state.over and not ProcessId(view.owner_pid, view.owner_start).alive:
            await ctx.store.save_operation(interrupted(view, time.time()))


def interrupted(view: OperationView, now: float) -> OperationView:
    """The operation as it ended when its process died."""
    return dataclasses.replace(
        view,
        state=OperationState.FAILED,
        ended=now,
        stages=tuple(settled(stage, StageState.FAILED, now) for stage in view.stages),
        failure=Failure(
            "Interrupted",
            "The program was ended while this ran",
            "What it had begun was cleaned up.",
            "Begin it again.",
        ),
    )


# --------------------------------------------------------------------------------------- VMs


async def _settle(ctx: Context, vm: VmRecord) -> None:
    try:
        async with ctx.locks.vm(vm.id).hold("reconcile", _AT_ONCE):
            now = await ctx.store.vm_or_none(vm.id)
            if now is not None:
                await _settle_locked(ctx, now)
            else:
                await asyncio.to_thread(files.remove, ctx.paths, vm.id)
    except Busy:
        pass  # somebody is at work on it


async def _settle_locked(ctx: Context, vm: VmRecord) -> None:
    match vm.state:
        case VmState.CREATING:
            # Its creator is dead, or the lock would be held.
            await erase(ctx, vm)
        case VmState.STARTING:
            await end_vmm(ctx, vm)
            await mark_stopped(ctx, vm, "its last start was interrupted")
        case VmState.RUNNING | VmState.STOPPING:
            await _adopt(ctx, vm)
        case VmState.STOPPED | VmState.FAILED:
            await end_vmm(ctx, vm)
    vm_now = await ctx.store.vm_or_none(vm.id)
    if vm_now is not None and await orphaned(ctx, vm_now):
        await end_vmm(ctx, vm_now)
        await erase(ctx, vm_now)


async def _adopt(ctx: Context, vm: VmRecord) -> None:
    vmm = find_vmm(ctx, vm)
    if vmm is None:
        # The process may have been started and not yet recorded.
        found = await asyncio.to_thread(ctx.driver.find, vm.id)
        vmm = found[0] if found else None
    if vmm is None:
        await mark_stopped(ctx, vm, "it ended while banger-tui was not running")
    elif vm.state is not VmState.RUNNING or vm.pid != vmm.pid:
        await ctx.store.update_vm(vm.id, state=VmState.RUNNING, pid=vmm.pid, pid_start=vmm.start)


async def orphaned(ctx: Context, vm: VmRecord) -> bool:
    """Whether a throw-away VM has lost the command it was made for, or has ended."""
    if not vm.ephemeral:
        return False
    if vm.state is VmState.STOPPED:
        return True
    owner = await ctx.store.vm_owner(vm.id)
    return owner != (0, 0) and not ProcessId(*owner).alive


# ------------------------------------------------------------------------------------- files


async def _sweep_vms(ctx: Context, strays: dict[str, list[Vmm]]) -> None:
    """VMMs, directories, sockets and lock files whose VM is in no record."""
    names = set(strays) | set(await asyncio.to_thread(_vm_names, ctx))
    known = {vm.id for vm in await ctx.store.vms()}
    for vm_id in names - known:
        try:
            async with ctx.locks.vm(vm_id).hold("sweep", _AT_ONCE):
                # Only now is it sure that nobody is about to write its row.
                if await ctx.store.vm_or_none(vm_id) is None:
                    for vmm in strays.get(vm_id, []):
                        await vmm.end()
                    await asyncio.to_thread(files.remove, ctx.paths, vm_id)
        except Busy:
            continue


def _vm_names(ctx: Context) -> list[str]:
    locks = [p.name.split(".")[1] for p in ctx.paths.locks.glob("vm.*.lock")]
    directories = [p.name for base in (ctx.paths.vms, ctx.paths.runtime) for p in base.iterdir()]
    return locks + directories


async def _sweep_published(ctx: Context) -> None:
    """Finish or forget publications that a crash cut in two; empty the trash."""
    try:
        async with ctx.locks.image_publish.hold("sweep", _AT_ONCE):
            images = {ctx.paths.image(image.name): image.name for image in await ctx.store.images()}
            kernels = {ctx.paths.kernel(k.name): k.name for k in await ctx.store.kernels()}
            for base, rows, forget in (
                (ctx.paths.images, images, ctx.store.forget_image),
                (ctx.paths.kernels, kernels, ctx.store.forget_kernel),
            ):
                lost = await asyncio.to_thread(_mend, base, set(rows))
                for directory in lost:
                    await forget(rows[directory])
    except Busy:
        pass


def _mend(base: Path, recorded: set[Path]) -> list[Path]:
    """Put what has a row in its place, remove what has none; the rows whose files are lost.

    A directory beside its place is not ours to touch while its publisher lives.
    """
    lost = []
    beside = {entry: found for entry in base.iterdir() if (found := under_way(entry))}
    for directory in recorded:
        if not directory.exists():
            waiting = [e for e, (name, alive) in beside.items() if name == directory.name]
            if any(beside[entry][1] for entry in waiting):
                continue
            if waiting:
                waiting[-1].rename(directory)
            else:
                lost.append(directory)
    for entry in base.iterdir():
        if entry in recorded:
            continue
        if entry in beside and beside[entry][1]:
            continue
        shutil.rmtree(entry, ignore_errors=True)
    return lost


async def _sweep_staging(ctx: Context) -> None:
    for directory in await asyncio.to_thread(lambda: list(ctx.paths.staging.iterdir())):
        view = await ctx.store.operation_or_none(directory.name)
        owner = ProcessId(view.owner_pid, view.owner_start) if view else None
        if view is None or view.state.over or (owner and not owner.alive):
            try:
                await remove_tree(directory)
            except BangerError:
                log.exception("sweeping %s", directory)
