"""From a prepared directory to a guest that answers: shared by create, start and restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import BootFailed, HypervisorFailure, PortTaken
from banger_tui.engine.guest import boot as guest_boot
from banger_tui.engine.hypervisors.base import Capabilities, Launch, Vmm
from banger_tui.engine.model import VmRecord, VmState
from banger_tui.engine.network.ports import HeldPort, hold, hold_free
from banger_tui.engine.operations import Run
from banger_tui.engine.shield import finish, in_thread
from banger_tui.engine.stages import LiveStage
from banger_tui.engine.vms.files import boot_config, keep_console

STAGES = ("network", "launch", "boot", "wait for guest", "ready")
_SSH = 22
_CHECK_EVERY = 0.5


async def boot(ctx: Context, run: Run, vm: VmRecord, held: HeldPort | None = None) -> VmRecord:
    """Boot a VM whose directory is ready, on the first machine type that comes up.

    The caller holds the VM's lock. On failure or cancel the VMM is gone again.

    Args:
        held: its port, if already held; released here.

    Raises:
        BootFailed, HypervisorFailure
    """
    capabilities = await ctx.driver.capabilities()
    async with run.stage("network") as stage:
        if held is None:
            vm, held = await _hold_port(ctx, vm)
        stage.note(f"127.0.0.1:{vm.ssh_port} → ssh")
    try:
        # A machine that came up before is tried first: the fallback was needed for a reason.
        machines = sorted(capabilities.machines, key=lambda machine: machine != vm.machine)
        for position, machine in enumerate(machines):
            is_last = position == len(machines) - 1
            try:
                return await _boot_on(ctx, run, vm, machine, capabilities, held)
            except _NoSignOfLife as silence:
                if is_last:
                    raise BootFailed(
                        f"{vm.name} shows no sign of life",
                        silence.detail,
                        "The kernel may not suit this host; the log of this operation has more.",
                    ) from silence
    finally:
        held.release()
    raise AssertionError("a driver has at least one machine type")


class _NoSignOfLife(BootFailed):
    """The watchdog's word: worth a try on another machine type."""


async def _boot_on(
    ctx: Context, run: Run, vm: VmRecord, machine: str, capabilities: Capabilities, held: HeldPort
) -> VmRecord:
    directory, runtime = ctx.paths.vm(vm.id), ctx.paths.vm_runtime(vm.id)
    config = await boot_config(ctx, vm)
    kernel = ctx.paths.kernel(vm.kernel)
    launch = Launch(
        vm_id=vm.id, name=vm.name, cpus=vm.cpus, memory_mib=vm.memory_mib,
        kernel=kernel / "vmlinuz", initrd=directory / "initrd",
        command_line=guest_boot.command_line(
            config, console=capabilities.console, extra=capabilities.kernel_arguments
        ),
        disk=directory / "disk.qcow2", directory=directory, runtime=runtime,
        machine=machine, network=vm.network, ephemeral=vm.ephemeral,
    )  # fmt: skip
    vmm: Vmm | None = None
    try:
        async with run.stage("launch") as stage:
            stage.note(f"{ctx.driver.name} · {machine} · {capabilities.accelerator}")
            await in_thread(guest_boot.write_initrd, kernel, config, launch.initrd)
            vmm = await ctx.driver.launch(launch)
            vm = await ctx.store.update_vm(
                vm.id,
                pid=vmm.pid,
                pid_start=vmm.start,
                machine=machine,
                accelerator=capabilities.accelerator,
            )
            vm = await _forward_ssh(ctx, vm, runtime, held)
        async with run.stage("boot") as stage:
            await _watched(
                vmm, ctx.driver.sign_of_life(launch), ctx.settings.boot_cpu_seconds,
                ctx.settings.boot_seconds, stage,
            )  # fmt: skip
        async with run.stage("wait for guest") as stage:
            await _watched(
                vmm, ctx.driver.wait_ready(vm.id, runtime), ctx.settings.ready_cpu_seconds,
                ctx.settings.boot_seconds, stage,
            )  # fmt: skip
        async with run.stage("ready"):
            return await ctx.store.update_vm(
                vm.id, state=VmState.RUNNING, started_at=time.time(), stopped_at=None, reason=""
            )
    except BaseException:  # a cancel, too, may leave no VMM behind
        await finish(_discard(ctx, run, vm, vmm))
        raise


async def _hold_port(ctx: Context, vm: VmRecord) -> tuple[VmRecord, HeldPort]:
    """Hold the VM's port of last time, or give it another when somebody has taken it."""
    if held := hold(vm.ssh_port, ours=True):
        return vm, held
    return await _move_port(ctx, vm)


async def _move_port(ctx: Context, vm: VmRecord) -> tuple[VmRecord, HeldPort]:
    async with ctx.locks.vm_reservation.hold(f"find a port for {vm.name}"):
        held = hold_free(ctx.settings.ports, await ctx.store.ports())
        try:
            return await ctx.store.update_vm(vm.id, ssh_port=held.port), held
        except BaseException:  # a cancel, too, may keep no port
            held.release()
            raise


async def _forward_ssh(ctx: Context, vm: VmRecord, runtime: Path, held: HeldPort) -> VmRecord:
    """Have the VMM listen on the held port; on another when a third program has stolen it."""
    spare: HeldPort | None = None
    try:
        for _ in range(5):
            if await ctx.driver.forward(vm.id, runtime, vm.ssh_port, _SSH):
                return vm
            if spare is not None:
                spare.release()
            vm, spare = await _move_port(ctx, vm)
    finally:
        held.release()
        if spare is not None:
            spare.release()
    raise PortTaken(
        f"No port for ssh to {vm.name}", "Five were taken by other programs in a row.", "Try again."
    )


async def _watched(
    vmm: Vmm, signal: Awaitable[None], cpu_limit: float, wall_limit: float, stage: LiveStage
) -> None:
    """Wait for ``signal`` while the VMM lives and within its limits of processor and wall time.

    Raises:
        HypervisorFailure: the VMM ended.
        BootFailed: a limit was passed.
    """
    waiting = asyncio.ensure_future(signal)
    gone = asyncio.ensure_future(vmm.gone())
    started = time.monotonic()
    burnt_before = vmm.cpu_seconds() or 0.0
    try:
        while True:
            await asyncio.wait(
                (waiting, gone), timeout=_CHECK_EVERY, return_when=asyncio.FIRST_COMPLETED
            )
            if waiting.done() and (not gone.done() or waiting.exception() is None):
                waiting.result()
                return
            if gone.done():
                raise HypervisorFailure(
                    "The VM ended while booting",
                    "Its hypervisor is gone: the guest's kernel panicked, powered off, or it was "
                    "ended from outside.",
                    "The console log is kept in the log of this operation.",
                )
            burnt = (vmm.cpu_seconds() or burnt_before) - burnt_before
            elapsed = time.monotonic() - started
            if burnt > cpu_limit or elapsed > wall_limit:
                raise _NoSignOfLife(
                    f"The guest does not come up ({stage.name})",
                    f"Nothing after {elapsed:.0f} s, of which {burnt:.0f} s of processor time.",
                    "The console log is kept in the log of this operation.",
                )
    finally:
        for task in (waiting, gone):
            task.cancel()
        await asyncio.gather(waiting, gone, return_exceptions=True)


async def _discard(ctx: Context, run: Run, vm: VmRecord, vmm: Vmm | None) -> None:
    """End a VMM that did not come up; what its console said goes into the operation's log."""
    await asyncio.to_thread(keep_console, ctx.paths.vm(vm.id) / "console.log", run.log)
    if vmm is not None:
        await ctx.driver.quit(vm.id, ctx.paths.vm_runtime(vm.id))
        await vmm.end()
