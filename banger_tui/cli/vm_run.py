"""``vm run``: a new VM, something done in it, and perhaps its end."""

from __future__ import annotations

import sys

from banger_tui.cli.attach import no_json, require_terminal
from banger_tui.cli.context import Context
from banger_tui.cli.execute import execute
from banger_tui.cli.follow import failed, follow
from banger_tui.cli.vm import announce, described, spec_of
from banger_tui.cli.vm_guest import in_terminal, open_shell
from banger_tui.cli.window import window
from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.model import VmRecord


async def run(context: Context) -> int:
    args = context.args
    _sensible(context)
    try:
        operation = await context.engine.vms.create(spec_of(context, ephemeral=args.rm))
        vm = await follow(context, operation, fold=not args.detach)
        code = await _used(context, vm)
    except BangerError as error:
        await failed(context, error)
        raise
    if context.out.json:
        await context.out.event("result", ok=True, exit_code=code, vm=described(vm))
    return code


async def _used(context: Context, vm: VmRecord) -> int:
    """What the VM was made for, and its end."""
    args = context.args
    try:
        context.interrupts.check()
        return await _use(context, vm)
    finally:
        # Also after ctrl+c, whether it came before or comes now.
        if args.rm and not args.detach:
            context.interrupts.wind_up()
            await _remove(context, vm)
        elif not args.detach:
            context.out.note(f"{vm.name} runs on: banger-tui vm shell {vm.name}")


def _sensible(context: Context) -> None:
    """Before anything is made. Raises: InvalidInput"""
    args = context.args
    if args.entrypoint and (args.detach or args.tty):
        raise InvalidInput(
            "--entrypoint goes with neither -d nor -t",
            "",
            "Start it with -d, then: banger-tui vm exec NAME -- CMD",
        )
    if args.detach and args.command:
        raise InvalidInput(
            "-d and a command exclude each other",
            "",
            "Start it with -d, then: banger-tui vm exec NAME -- CMD",
        )
    if args.tty:
        no_json(context, "A command with a terminal")
        require_terminal("-t", "Leave -t out.")
    if not args.detach and not args.command and not args.entrypoint:
        no_json(context, "A shell")
        require_terminal(
            "A shell", "Give a command (-- CMD), or -d to leave the VM in the background."
        )


async def _use(context: Context, vm: VmRecord) -> int:
    args = context.args
    if args.detach:
        if args.rm:
            await context.engine.vms.disown(vm.id)
        announce(context, vm)
        return 0
    if args.command and args.tty:
        pty = window(sys.stdout)
        return await in_terminal(await context.engine.vms.exec(vm.id, args.command, pty))
    if args.entrypoint:
        channel = await context.engine.vms.entrypoint(vm.id, args.command)
        return await execute(channel, context.out, context.interrupts)
    if args.command:
        channel = await context.engine.vms.exec(vm.id, args.command)
        return await execute(channel, context.out, context.interrupts)
    ends = (
        "exit or ctrl+] ends it and deletes the VM" if args.rm else "exit ends it, ctrl+] leaves it"
    )
    context.out.note(context.out.err.paint(f"A shell in {vm.name}: {ends}.", "dim"))
    _, code = await open_shell(context, vm)
    return code


async def _remove(context: Context, vm: VmRecord) -> None:
    """Delete the VM; when that fails say so, without hiding how the command ended."""
    try:
        operation = await context.engine.vms.delete(vm.id)
        await follow(context, operation, silent=True)
    except BangerError as error:
        context.out.error(error)
