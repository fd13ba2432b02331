"""``vm shell|exec|ssh|console|logs``: into a guest that is there."""

from __future__ import annotations

import codecs
import os
import shlex
import sys
from typing import TYPE_CHECKING

from banger_tui.cli import streams
from banger_tui.cli.attach import attach, require_terminal
from banger_tui.cli.context import Context, Handover
from banger_tui.cli.execute import execute as pump
from banger_tui.cli.text import harmless
from banger_tui.cli.window import window
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import VmState
from banger_tui.engine.vms.state import require

if TYPE_CHECKING:
    from banger_tui.engine.model import VmRecord

_HAS_A_LINE = (VmState.CREATING, VmState.STARTING, VmState.RUNNING, VmState.STOPPING)


def no_json(context: Context, what: str) -> None:
    """Raises: InvalidInput when ``--json`` is asked of something that hands over the terminal."""
    if context.out.json:
        raise InvalidInput(
            f"{what} has no JSON form", "It takes over this terminal.", "Leave --json out."
        )


async def shell(context: Context) -> int:
    no_json(context, "A shell")
    require_terminal("A shell", f"For scripts: banger-tui vm exec {context.args.name} -- CMD")
    vm = await context.engine.vms.get(context.args.name)
    left, code = await open_shell(context, vm)
    if left:
        context.out.note(f"Left. It goes on: banger-tui vm shell {vm.name}")
    return code


async def open_shell(context: Context, vm: VmRecord) -> tuple[bool, int]:
    """The VM's shell session in this terminal: (whether the person left it, its exit code)."""
    channel = await context.engine.vms.shell(vm.id, *window(sys.stdout))
    try:
        left = await attach(channel, resize=channel.resize)
        return left, 0 if left else await channel.wait()
    finally:
        await channel.close()


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
        return await with_terminal(context, args.name, args.command)
    channel = await context.engine.vms.exec(args.name, args.command)
    code = await pump(channel, context.out)
    if context.out.json:
        await context.out.event("result", ok=True, exit_code=code)
    return code


async def with_terminal(context: Context, name: str, command: list[str]) -> int:
    """A command that has this terminal, with every key of it."""
    channel = await context.engine.vms.exec(name, command, pty=window(sys.stdout))
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
        if not await attach(line):
            context.out.note(f"{name} has ended.")
    finally:
        await line.close()
    return 0


async def logs(context: Context) -> int:
    name = context.args.name
    log = _Log(context)
    vm = await context.engine.vms.get(name)
    if not (context.args.follow and vm.state in _HAS_A_LINE):
        await log.write(await context.engine.vms.logs(name))
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


class _Log:
    """A console log on its way out: harmless on a terminal, as it is through a pipe."""

    def __init__(self, context: Context) -> None:
        self._out = context.out
        self._follow = context.args.follow
        self._terminal = os.isatty(streams.STDOUT)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open = ""  # the last line as long as it has no end: sequences must not be cut in two

    async def write(self, data: bytes) -> None:
        if self._out.json:
            text = self._decoder.decode(data)
            if not self._follow:
                self._out.document({"log": text})
            elif text:
                await self._out.event("output", stream="console", text=text)
        elif not self._terminal:
            await streams.write(streams.STDOUT, data)
        else:
            text = self._open + self._decoder.decode(data)
            whole, newline, self._open = text.rpartition("\n")
            await streams.write(streams.STDOUT, harmless(whole + newline).encode())

    async def end(self) -> None:
        if self._terminal and not self._out.json and self._open:
            await streams.write(streams.STDOUT, f"{harmless(self._open)}\n".encode())
