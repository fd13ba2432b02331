"""Promote: a stopped VM's disk becomes an image, without what belongs to that one machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from banger_tui.engine.artefacts import Built, Workplace
from banger_tui.engine.context import Context
from banger_tui.engine.errors import IllegalMove
from banger_tui.engine.guest.inject import init_of
from banger_tui.engine.guest.keys import client_key_public
from banger_tui.engine.images import remake
from banger_tui.engine.images.identity import remove_identity
from banger_tui.engine.images.measured import measured
from banger_tui.engine.images.naming import claim
from banger_tui.engine.images.pull import publish_image, record
from banger_tui.engine.model import ImageRecord, VmRecord, VmState
from banger_tui.engine.operations import Run
from banger_tui.engine.pulls import Work
from banger_tui.engine.shield import in_thread

PLAN = ("flatten", "remove identity", "build ext4", "check", "publish")
_LOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A VM's disk for itself, and what an image of it takes over from the VM's own image.

    ``disk`` is None when nothing was ever written to it.
    """

    vm: VmRecord
    base: ImageRecord
    disk: Path | None


def promote(ctx: Context, vm_key: str, name: str) -> Work[ImageRecord]:
    """The work of "promote".

    The work raises NotFound, IllegalMove (the VM is not stopped), Busy, NameTaken, InvalidName,
    BadContent, NotEnoughDisk.
    """

    async def work(run: Run) -> ImageRecord:
        await claim(ctx, name)
        vm = await ctx.store.vm(vm_key)
        place = await remake.workplace(ctx, run)
        # Only as long as the disk is read: the VM may be started again meanwhile.
        async with ctx.locks.vm(vm.id).hold("promote", _LOCK_SECONDS):
            machine = await flatten(ctx, run, await ctx.store.vm(vm.id), place)
        return await publish_machine(ctx, run, machine, place, name, f"vm: {vm.name}")

    return work


async def flatten(ctx: Context, run: Run, vm: VmRecord, place: Workplace) -> Machine:
    """The VM's disk as a file of its own in ``place.staging``; the caller holds the VM's lock.

    Raises:
        IllegalMove: it is not stopped.
        BadContent: its filesystem is damaged.
        NotEnoughDisk, ToolFailed
    """
    if vm.state not in (VmState.STOPPED, VmState.FAILED):
        raise IllegalMove(
            f"Can't make an image of {vm.name}",
            f"It is {vm.state.value}: what it still has in memory would be missing.",
            f"Stop it first: banger-tui vm stop {vm.name}",
        )
    base = await ctx.store.image_or_none(vm.image)
    assert base is not None  # the store keeps an image that a VM stands on
    overlay = ctx.paths.vm(vm.id) / "disk.qcow2"
    async with run.stage("flatten") as stage:
        if not (await asyncio.to_thread(overlay.stat)).st_size:
            # The fake driver's: nothing wrote to it, and nothing will.
            await remake.copy(ctx.paths.rootfs(base), "raw", place.rootfs, stage)
            return Machine(vm, base, None)
        disk = place.staging / "disk.raw"
        await remake.copy(overlay, "qcow2", disk, stage)
        await remake.repair(disk, stage)
    return Machine(vm, base, disk)


async def publish_machine(
    ctx: Context, run: Run, machine: Machine, place: Workplace, name: str, origin: str
) -> ImageRecord:
    """The stages of ``PLAN`` after "flatten".

    Raises:
        BadContent, LimitExceeded, NotEnoughDisk, NameTaken
    """
    vm, base = machine.vm, machine.base
    built = Built("", 0, 0, vm.kernel, base.init, base.config, platform=base.platform)
    if machine.disk is None:
        for skipped in PLAN[1:3]:
            run.skip(skipped, "nothing was written to its disk")
        run.skip("check")
        return await publish_image(ctx, run, record(name, origin, built), place)
    async with run.stage("remove identity") as stage:
        root = await remake.read_tree(machine.disk, place.limits)
        gone = await in_thread(
            remove_identity, root,
            hostname=vm.name, keys=[await _client_key(ctx)], limits=place.limits,
        )  # fmt: skip
        stage.note(f"{len(gone)} files")
        init = await in_thread(init_of, root)
    if not init:
        # Somebody in the guest took the kit away.
        init = await remake.equip(root, place, base.config, run)
    await remake.write(root, place, vm.disk_bytes, run)
    await asyncio.to_thread(machine.disk.unlink)
    built = await measured(replace(built, init=init), place.rootfs, run.root)
    return await publish_image(ctx, run, record(name, origin, built), place)


async def _client_key(ctx: Context) -> str:
    private = await asyncio.to_thread(ctx.paths.client_key.read_bytes)
    return client_key_public(private)
