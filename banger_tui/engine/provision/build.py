"""Build: boot a VM from an image, run a script in it, make an image of its disk, delete the VM."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import GuestFailure, InvalidInput, NotFound, ToolFailed
from banger_tui.engine.images import promote, remake
from banger_tui.engine.images.naming import claim
from banger_tui.engine.model import ImageRecord, VmRecord, VmSpec
from banger_tui.engine.operations import Operation, Run
from banger_tui.engine.provision.script import connection_lost, run_script
from banger_tui.engine.shield import in_thread
from banger_tui.engine.stages import LiveStage
from banger_tui.engine.vms import create, delete, files, lifecycle

PLAN = (
    "create VM", "run script", *lifecycle.STOP_STAGES, promote.PLAN[0], "delete VM",
    *promote.PLAN[1:],
)  # fmt: skip
_MOST_SCRIPT = 16 << 20
_LOCK_SECONDS = 5.0
_LAST_SECONDS = 5.0  # from the end of a guest's network to the end of its VMM


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """
    Args:
        name: of the image to make.
        base: the image to boot, as for a create.
        script: a file on the host; it runs as root with the image's Env, by its ``#!`` line or
            else by sh.
        size_bytes: of the disk; None: as the base image has it.
        cpus, memory_mib: of the VM.
    """

    name: str
    base: str
    script: Path
    size_bytes: int | None = None
    cpus: int = 1
    memory_mib: int = 1024


def build(
    ctx: Context, spec: BuildSpec, on_line: Callable[[str], None] | None = None
) -> Callable[[Run], Awaitable[ImageRecord]]:
    """The work of "build image".

    Of a failed build the log stays and nothing else. If this process dies, the next one finds the
    VM and deletes it.

    Args:
        on_line: called with each line the script prints; the operation's log has them, too.

    The work raises what a create and ``promote`` do; ToolFailed: the script failed; GuestFailure:
    the VM ended before it.
    """

    async def work(run: Run) -> ImageRecord:
        await claim(ctx, spec.name)
        script = await asyncio.to_thread(_read, spec.script)
        place = await remake.workplace(ctx, run)
        async with run.stage("create VM") as stage:
            wanted = VmSpec(
                image=spec.base, cpus=spec.cpus, memory_mib=spec.memory_mib,
                disk_bytes=spec.size_bytes, ephemeral=True,
            )  # fmt: skip
            vm = await _created(ctx, run, wanted, stage)
            stage.note(vm.name)
        async with run.stage("run script") as stage:
            try:
                await run_script(ctx.driver.transport(vm), script, spec.script.name, stage, on_line)
            except ToolFailed as error:
                vmm = lifecycle.find_vmm(ctx, vm)
                if connection_lost(error) and (vmm is None or await vmm.gone(_LAST_SECONDS)):
                    raise _went_off(vm, spec, stage) from error
                raise
        # One hold from here on: a throw-away VM that is stopped is anybody's to remove.
        async with ctx.locks.vm(vm.id).hold("build image", _LOCK_SECONDS):
            if await ctx.store.vm_or_none(vm.id) is None:
                raise _went_off(vm, spec, stage)
            stopped = await lifecycle.power_off(ctx, run, await ctx.store.vm(vm.id))
            machine = await promote.flatten(ctx, run, stopped, place)
            async with run.stage("delete VM"):
                await delete.erase(ctx, stopped)
        return await promote.publish_machine(
            ctx, run, machine, place, spec.name, f"build: {spec.base}, {spec.script.name}"
        )

    return work


def _went_off(vm: VmRecord, spec: BuildSpec, stage: LiveStage) -> GuestFailure:
    return GuestFailure(
        f"{vm.name} went off while {spec.script.name} ran",
        "A script must not power off or reboot: the VM is stopped when the script is over.",
        f"What it had printed is in {stage.log}",
    )


def _read(script: Path) -> bytes:
    try:
        size = script.stat().st_size
        if not script.is_file() or size > _MOST_SCRIPT:
            raise InvalidInput(
                f"{script} is no script", f"It must be a file of up to {_MOST_SCRIPT >> 20} MiB."
            )
        return script.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {script}", "", "Look at its path again.") from error
    except OSError as error:
        raise InvalidInput(f"Can't read {script}", f"{error.strerror}.") from error


async def _created(ctx: Context, run: Run, spec: VmSpec, stage: LiveStage) -> VmRecord:
    """By an operation of its own, whose stages are seen below ``stage`` and that ends with it.
    The VM is deleted when ``run`` does not succeed."""

    async def begin() -> Operation[VmRecord]:
        operation = await ctx.operations.begin(
            "create", "", create.create(ctx, spec), plan=create.STAGES
        )
        # Left before: the create may succeed in the moment in which this is cancelled.
        run.undo(lambda: _delete(ctx, operation.view.subject_id))
        return operation

    return await ctx.flights.join(("build image", secrets.token_hex(8)), begin, stage)


async def _delete(ctx: Context, vm_id: str) -> None:
    """Harmless when it is gone, or never was."""
    if not vm_id:
        return
    async with ctx.locks.vm(vm_id).hold("build image", _LOCK_SECONDS):
        if vm := await ctx.store.vm_or_none(vm_id):
            await delete.erase(ctx, vm)
        else:
            # Whoever deleted it took its lock's file along; this hold has made that anew.
            await in_thread(files.remove, ctx.paths, vm_id)
