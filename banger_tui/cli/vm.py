"""``vm create|start|stop|kill|restart|delete|list|show``."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each, perform
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, short_size, span
from banger_tui.engine.model import MIB, NetworkMode, VmRecord, VmSpec, VmState
from banger_tui.engine.serial import to_json
from banger_tui.engine.vms.spec import parse_size

if TYPE_CHECKING:
    from banger_tui.engine.operations import Operation

_STATES: dict[VmState, tuple[str, str]] = {
    VmState.RUNNING: ("●", "green"),
    VmState.CREATING: ("◐", "yellow"),
    VmState.STARTING: ("◐", "yellow"),
    VmState.STOPPING: ("◐", "yellow"),
    VmState.STOPPED: ("○", "dim"),
    VmState.FAILED: ("✗", "red"),
}


def spec_of(context: Context, *, ephemeral: bool = False) -> VmSpec:
    """The VM that the options ask for, with the settings' defaults.

    Raises:
        InvalidSize
    """
    args, settings = context.args, context.settings
    return VmSpec(
        name=args.name,
        image=settings.image if args.image is None else args.image,
        cpus=settings.cpus if args.cpus is None else args.cpus,
        memory_mib=settings.memory_mib if args.memory is None else parse_size(args.memory) // MIB,
        disk_bytes=None if args.disk is None else parse_size(args.disk),
        network=settings.network if args.network is None else NetworkMode(args.network),
        ephemeral=ephemeral,
    )


def described(vm: VmRecord) -> dict[str, Any]:
    """A VM for programs."""
    fields: dict[str, Any] = to_json(vm)
    return {**fields, "address": vm.address}


async def create(context: Context) -> int:
    spec = spec_of(context)
    vm = await perform(context, context.engine.vms.create(spec), _result)
    announce(context, vm)
    return 0


def announce(context: Context, vm: VmRecord) -> None:
    """A new VM's name for scripts, and what to do with it for people."""
    if not context.out.json:
        context.out.line(vm.name)
    if context.out.err.live:
        context.out.note(context.out.err.paint(f"Open it: banger-tui vm shell {vm.name}", "dim"))


async def start(context: Context) -> int:
    return await _move(context, context.engine.vms.start)


async def stop(context: Context) -> int:
    return await _move(context, context.engine.vms.stop)


async def kill(context: Context) -> int:
    return await _move(context, context.engine.vms.kill)


async def restart(context: Context) -> int:
    return await _move(context, context.engine.vms.restart)


async def _move(context: Context, verb: Callable[[str], Awaitable[Operation[VmRecord]]]) -> int:
    async def one(name: str) -> None:
        await perform(context, verb(name), _result)

    return await each(context, context.args.names, one)


async def delete(context: Context) -> int:
    names = list(dict.fromkeys(context.args.names))
    if not context.args.yes:
        # Asked about what exists, by the names people know.
        vms = [await context.engine.vms.get(name) for name in names]
        running = [vm.name for vm in vms if vm.running]
        words = f"Running: {', '.join(running)}. " if running else ""
        question = f"Delete {', '.join(vm.name for vm in vms)}?"
        if not await confirmed(context, question, f"{words}What is on the disk is lost."):
            return 1

    async def one(name: str) -> None:
        await perform(context, context.engine.vms.delete(name), lambda _: {"deleted": name})

    return await each(context, names, one)


async def list_all(context: Context) -> int:
    vms = sorted(await context.engine.vms.list(), key=lambda vm: vm.name)
    out = context.out
    if out.json:
        out.document([described(vm) for vm in vms])
        return 0
    if not vms:
        out.line("No VMs yet. Make one: banger-tui vm run")
        return 0
    now = time.time()
    headers = ("NAME", "STATE", ">CPUS", ">MEMORY", "SINCE", "ADDRESS", "IMAGE")
    rows = [_row(vm, now) for vm in vms]
    out.lines(render(headers, rows, out.out, out.width))
    return 0


def _row(vm: VmRecord, now: float) -> list[Cell | str]:
    glyph, colour = _STATES[vm.state]
    return [
        Cell(vm.name, ("bold",)),
        Cell(f"{glyph} {vm.state.value}", (colour,)),
        str(vm.cpus),
        short_size(vm.memory_mib * MIB),
        _since(vm, now),
        vm.address if vm.running and vm.ssh_port else "",
        vm.image,
    ]


def _since(vm: VmRecord, now: float) -> str:
    if vm.running and vm.started_at is not None:
        return span(now - vm.started_at)
    return ago(vm.stopped_at or vm.created_at, now)


async def show(context: Context) -> int:
    vm = await context.engine.vms.get(context.args.name)
    out = context.out
    directory = str(context.paths.vm(vm.id))
    if out.json:
        out.document({**described(vm), "directory": directory})
        return 0
    now = time.time()
    glyph, colour = _STATES[vm.state]
    state = out.out.paint(f"{glyph} {vm.state.value}", colour)
    machine = ", ".join(part for part in (vm.accelerator, vm.machine) if part)
    out.lines(
        pairs(
            [
                ("name", out.out.paint(vm.name, "bold")),
                ("state", state + _up(vm, now)),
                ("reason", vm.reason),
                ("image", vm.image),
                ("kernel", vm.kernel),
                ("cpus", str(vm.cpus)),
                ("memory", short_size(vm.memory_mib * MIB)),
                ("disk", short_size(vm.disk_bytes)),
                ("network", vm.network.value),
                ("address", vm.address if vm.running and vm.ssh_port else ""),
                ("driver", f"{vm.driver} ({machine})" if machine else vm.driver),
                ("process", str(vm.pid) if vm.pid and vm.running else ""),
                ("ephemeral", "yes, deleted when it ends" if vm.ephemeral else ""),
                ("created", f"{clock(vm.created_at)}, {ago(vm.created_at, now)}"),
                ("stopped", "" if vm.running else _moment(vm.stopped_at, now)),
                ("id", vm.id),
                ("directory", directory),
            ],
            out.out,
        )
    )
    return 0


def _up(vm: VmRecord, now: float) -> str:
    return f" for {span(now - vm.started_at)}" if vm.running and vm.started_at else ""


def _moment(at: float | None, now: float) -> str:
    return "" if at is None else f"{clock(at)}, {ago(at, now)}"


def _result(vm: VmRecord) -> dict[str, object]:
    return {"vm": described(vm)}
