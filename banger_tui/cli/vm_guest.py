"""``vm shell|exec|ssh|console|logs``: into a guest that is there."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from banger_tui.cli.attach import attach, no_json, require_terminal
from banger_tui.cli.context import Context, Handover
from banger_tui.cli.execute import execute as pump
from banger_tui.cli.log import Log
from banger_tui.cli.session_attach import in_session
from banger_tui.cli.window import window
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import VmState
from banger_tui.engine.vms.state import require

if TYPE_CHECKING:
    from banger_tui.engine.hypervisors.base import Channel
    from banger_tui.engine.model import VmRecord

_HAS_A_LINE = (VmState.CREATING, VmState.STARTING, VmState.RUNNING, VmState.STOPPING)


async def shell(context: Context) -> int:
    no_json(context, "A shell")
    require_terminal("A shell", f"For scripts: banger-tui vm exec {context.args.name} -- CMD")
    vm = await context.engine.vms.get(context.args.name)
    left, code = await open_shell(context, vm, take=context.args.take)
    if left:
        context.out.note(f"Left. It goes on: banger-tui vm shell {vm.name}")
    return code


async def open_shell(context: Context, vm: VmRecord, *, take: bool = False) -> tuple[bool, int]:
    """The VM's shell session in this terminal: (whether the person left it, its exit code)."""
    size = window(sys.stdout)
    channel = await context.engine.sessions.shell(vm.id, size.columns, size.lines, take=take)
    return await in_session(context, channel, f"The shell of {vm.name}")


async def execute(context: Context) -> int:
    args = context.args
    if not args.command:
        raise InvalidInput(
            "A command is missing",
            "",
            f"For example: banger-tui vm exec {args.name} -- uname -a",
        )
    if args.tty:
        no_json(context, "A command with a terminal")
        require_terminal("-t", "Leave -t out.")
    pty = window(sys.stdout) if args.tty else None
    channel = await context.engine.vms.exec(
        args.name, args.command, pty, user=args.user, directory=args.workdir,
        env=variables(args.env),
    )  # fmt: skip
    if args.tty:
        return await in_terminal(channel)
    code = await pump(channel, context.out, context.interrupts, typed=args.interactive)
    if context.out.json:
        await context.out.event("result", ok=True, exit_code=code)
    return code


def variables(given: Sequence[str]) -> list[tuple[str, str]]:
    """``-e K=V`` as pairs; ``-e K`` is our own variable of that name, if there is one."""
    pairs = [(key, value if equals else os.environ.get(key)) for key, equals, value in
             (word.partition("=") for word in given)]  # fmt: skip
    return [(key, value) for key, value in pairs if value is not None]


async def in_terminal(channel: Channel) -> int:
    """A command that has this terminal, with every key of it; its exit code."""
    try:
        await attach(channel, resize=channel.resize, leave=None)
        return await channel.wait()
    finally:
        await channel.close()


async def ssh(context: Context) -> Handover:
    no_json(context, "ssh")
    argv = await context.engine.vms.ssh_command(context.args.name)
    command = context.args.command
    # ssh joins its words with blanks and hands them to a shell. One word is meant to be such a
    # line; several are arguments, which must arrive as they are.
    line = command if len(command) == 1 else [shlex.join(command)] if command else []
    return Handover((*argv, *line))


async def console(context: Context) -> int:
    no_json(context, "The console")
    name = context.args.name
    require_terminal("The console", f"For scripts: banger-tui vm logs -f {name}")
    vm = await context.engine.vms.get(name)
    if vm.state not in _HAS_A_LINE:
        require(vm, "connect")
    line = await context.engine.vms.console(name)
    try:
        context.out.note(f"The console of {name}. ctrl+] leaves it.")
        await line.resize(*window(sys.stdout))
        if not await attach(line, resize=line.resize):
            context.out.note(f"{name} has ended.")
    finally:
        await line.close()
    return 0


async def logs(context: Context) -> int:
    name = context.args.name
    log = Log(context.out, "console", follow=context.args.follow)
    vm = await context.engine.vms.get(name)
    if context.args.earlier or not (context.args.follow and vm.state in _HAS_A_LINE):
        await log.write(await context.engine.vms.logs(name, earlier=context.args.earlier))
        await log.end()
        return 0
    line = await context.engine.vms.console(name)
    try:
        while data := await line.read():
            await log.write(data)
    finally:
        await line.close()
    await log.end()
    return 0
