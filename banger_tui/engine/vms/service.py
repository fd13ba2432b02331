"""VMs, as the facade offers them: one method a verb, each in its own file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.hypervisors import console_log
from banger_tui.engine.hypervisors.base import Channel, Console, Transport
from banger_tui.engine.model import VmRecord, VmSpec, VmStats
from banger_tui.engine.operations import Operation, Run
from banger_tui.engine.process import ProcessId
from banger_tui.engine.sessions import ssh_config
from banger_tui.engine.sessions.command import guest_command
from banger_tui.engine.sessions.copy import STAGES as COPY_STAGES
from banger_tui.engine.sessions.copy import Copied, Place, copy
from banger_tui.engine.sessions.copy_guest import read_command
from banger_tui.engine.sessions.ssh_command import ssh_command
from banger_tui.engine.sessions.transports import Transports
from banger_tui.engine.vms import create, delete, lifecycle
from banger_tui.engine.vms.spec import validate
from banger_tui.engine.vms.state import require
from banger_tui.engine.vms.stats import Sampler

T = TypeVar("T")
_LOG_LIMIT = 16 << 20


class Vms:
    def __init__(self, ctx: Context, sampler: Sampler, transports: Transports) -> None:
        self._ctx = ctx
        self._sampler = sampler
        self._transports = transports

    async def list(self) -> list[VmRecord]:
        return await self._ctx.store.vms()

    async def get(self, key: str) -> VmRecord:
        """By name or id. Raises: NotFound."""
        return await self._ctx.store.vm(key)

    def stats(self) -> dict[str, VmStats]:
        """The last sample of each running VM, by id."""
        return self._sampler.latest

    # ------------------------------------------------------------------------------ verbs

    async def create(self, spec: VmSpec) -> Operation[VmRecord]:
        """Raises: InvalidInput and its kin at once; everything else fails the operation."""
        validate(spec)
        return await self._ctx.operations.begin(
            "create",
            spec.name or "",
            self._then_told(create.create(self._ctx, spec)),
            plan=create.STAGES,
        )

    async def start(self, key: str) -> Operation[VmRecord]:
        return await self._begin("start", key, lifecycle.start, lifecycle.START_STAGES)

    async def stop(self, key: str) -> Operation[VmRecord]:
        return await self._begin("stop", key, lifecycle.stop, lifecycle.STOP_STAGES)

    async def kill(self, key: str) -> Operation[VmRecord]:
        return await self._begin("kill", key, lifecycle.kill, lifecycle.KILL_STAGES)

    async def restart(self, key: str) -> Operation[VmRecord]:
        return await self._begin("restart", key, lifecycle.restart, lifecycle.RESTART_STAGES)

    async def delete(self, key: str) -> Operation[None]:
        return await self._begin("delete", key, delete.delete, delete.STAGES)

    async def _begin(
        self,
        verb: str,
        key: str,
        work: Callable[[Context, str], Callable[[Run], Awaitable[T]]],
        plan: Sequence[str],
    ) -> Operation[T]:
        """Raises: NotFound, IllegalMove at once; the operation looks again under the lock."""
        vm = await self.get(key)
        require(vm, verb)
        return await self._ctx.operations.begin(
            verb, vm.name, self._then_told(work(self._ctx, vm.id)), plan=plan, subject_id=vm.id
        )

    def _then_told(self, work: Callable[[Run], Awaitable[T]]) -> Callable[[Run], Awaitable[T]]:
        """The same work, after which people's ssh knows of it."""

        async def told(run: Run) -> T:
            run.afterwards(lambda: ssh_config.refresh(self._ctx))
            return await work(run)

        return told

    @asynccontextmanager
    async def owned(self, key: str) -> AsyncIterator[None]:
        """Inside the block a throw-away VM is this process's: it goes when the process dies."""
        vm = await self.get(key)
        own = ProcessId.own()
        await self._ctx.store.set_vm_owner(vm.id, (own.pid, own.start))
        yield

    async def disown(self, key: str) -> None:
        """Let a throw-away VM live until it ends by itself."""
        vm = await self.get(key)
        await self._ctx.store.set_vm_owner(vm.id, (0, 0))

    async def allow_clipboard(self, key: str, allowed: bool) -> VmRecord:
        """Whether programs in the VM may write to the person's clipboard. Raises: NotFound."""
        vm = await self.get(key)
        return await self._ctx.store.update_vm(vm.id, clipboard=allowed)

    # ------------------------------------------------------------------------ talking to it

    async def console(self, key: str) -> Console:
        """The serial line, from (up to 1 MiB before) the end of its log on. Raises: NotFound."""
        vm = await self.get(key)
        return await self._ctx.driver.console(
            vm, self._ctx.paths.vm(vm.id), self._ctx.paths.vm_runtime(vm.id)
        )

    async def logs(self, key: str, *, earlier: bool = False) -> bytes:
        """The console log since the last start, or of the start before; what is kept of it.

        Raises:
            NotFound
        """
        vm = await self.get(key)
        name = console_log.EARLIER if earlier else console_log.LOG
        return await asyncio.to_thread(
            console_log.last, self._ctx.paths.vm(vm.id) / name, _LOG_LIMIT
        )

    async def exec(
        self,
        key: str,
        argv: Sequence[str],
        pty: tuple[int, int] | None = None,
        *,
        user: str | None = None,
        directory: str | None = None,
        env: Sequence[tuple[str, str]] = (),
    ) -> Channel:
        """Start a program in the guest; it ends with the channel.

        It has the Env, WorkingDir and User that its image's config names, unless others are given:
        see ``sessions.command``. Exit code 126 or 127: it could not be started, stderr says why.

        Raises:
            InvalidInput: no such user, directory or variable can be.
            NotFound, IllegalMove (not running), GuestUnreachable
        """
        return await self._run(key, argv, pty, user=user, directory=directory, env=env)

    async def entrypoint(
        self, key: str, argv: Sequence[str] = (), pty: tuple[int, int] | None = None
    ) -> Channel:
        """Start what the VM's image would run; ``argv`` in the place of its Cmd. As ``exec``.

        Raises:
            InvalidInput: the image names no Entrypoint and no Cmd.
        """
        return await self._run(key, argv, pty, "--entrypoint")

    async def _run(
        self,
        key: str,
        argv: Sequence[str],
        pty: tuple[int, int] | None,
        option: str = "",
        *,
        user: str | None = None,
        directory: str | None = None,
        env: Sequence[tuple[str, str]] = (),
    ) -> Channel:
        vm = await self.get(key)
        image = await self._ctx.store.image_or_none(vm.image)
        config = image.config if image is not None else {}
        if option and not (config.get("Entrypoint") or config.get("Cmd") or argv):
            raise InvalidInput(
                f"{vm.image} names nothing to run",
                "Its config has no Entrypoint and no Cmd.",
                "Give a command: -- CMD",
            )
        words = guest_command(config, argv, option=option, user=user, directory=directory, env=env)
        return await (await self._transport(key)).open(words, pty=pty)

    async def copy(self, source: Place, target: Place) -> Operation[Copied]:
        """Files and directories into a VM, out of one, or from one to another.

        Raises:
            InvalidInput (neither side is a VM), NotFound, IllegalMove: at once.
        """
        vms = [await self.get(side.vm) for side in (source, target) if side.vm]
        for vm in vms:
            require(vm, "connect")
        if not vms:
            raise InvalidInput(
                "Neither side is in a VM", f"{source}, {target}", "For example: web:/root/notes.txt"
            )
        return await self._ctx.operations.begin(
            "copy", f"{source} to {target}", copy(source, target, self._transport), plan=COPY_STAGES
        )

    async def read(self, source: Place) -> Channel:
        """One file of a VM; what is wrong with it comes as stderr. Raises as ``exec``."""
        return await (await self._transport(source.vm)).open(read_command(source.path))

    async def ssh_config(self) -> Path:
        """Write the file for ssh's ``Include``; from then on it is kept up to date."""
        return await ssh_config.write(self._ctx)

    async def ssh_command(self, key: str) -> Sequence[str]:
        """The argv of the system's ssh to this VM, its host key pinned. Raises as ``exec``."""
        vm = await self.get(key)
        require(vm, "connect")
        return await ssh_command(self._ctx.paths, vm)

    async def _transport(self, key: str) -> Transport:
        vm = await self.get(key)
        require(vm, "connect")
        return await self._transports.of(vm.id)
