"""VMs, as the facade offers them: one method a verb, each in its own file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.hypervisors.base import Channel, Console, Transport
from banger_tui.engine.model import VmRecord, VmSpec, VmStats
from banger_tui.engine.operations import Operation, Run
from banger_tui.engine.process import ProcessId
from banger_tui.engine.sessions.shell import RUN, attach_shell
from banger_tui.engine.sessions.ssh_command import ssh_command
from banger_tui.engine.vms import create, delete, lifecycle
from banger_tui.engine.vms.spec import validate
from banger_tui.engine.vms.state import require
from banger_tui.engine.vms.stats import Sampler

T = TypeVar("T")
_LOG_LIMIT = 4 << 20


class Vms:
    def __init__(self, ctx: Context, sampler: Sampler) -> None:
        self._ctx = ctx
        self._sampler = sampler
        # One connection a VM, kept while its process lives.
        self._transports: dict[tuple[str, int | None], Transport] = {}

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
            "create", spec.name or "", create.create(self._ctx, spec), plan=create.STAGES
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
            verb, vm.name, work(self._ctx, vm.id), plan=plan, subject_id=vm.id
        )

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

    # ------------------------------------------------------------------------ talking to it

    async def console(self, key: str) -> Console:
        """The serial line, from (up to 256 KiB before) the end of its log on. Raises: NotFound."""
        vm = await self.get(key)
        return await self._ctx.driver.console(
            vm, self._ctx.paths.vm(vm.id), self._ctx.paths.vm_runtime(vm.id)
        )

    async def logs(self, key: str) -> bytes:
        """The console log since the last start (its last 4 MiB). Raises: NotFound."""
        vm = await self.get(key)
        path = self._ctx.paths.vm(vm.id) / "console.log"

        def read() -> bytes:
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _LOG_LIMIT))
                return file.read()
            return b""

        return await asyncio.to_thread(read)

    async def shell(self, key: str, columns: int, rows: int, name: str = "shell") -> Channel:
        """Attach to a pty session that lives in the guest; made on first use.

        Raises:
            NotFound, IllegalMove (not running), GuestUnreachable
        """
        return await attach_shell(await self._transport(key), name, columns, rows)

    async def exec(
        self, key: str, argv: Sequence[str], pty: tuple[int, int] | None = None
    ) -> Channel:
        """Start a program in the guest; it ends with the channel. Raises as ``shell``.

        It has the Env, WorkingDir and User that its image's config names.
        """
        return await self._run(key, argv, pty, "")

    async def entrypoint(
        self, key: str, argv: Sequence[str] = (), pty: tuple[int, int] | None = None
    ) -> Channel:
        """Start what the VM's image would run; ``argv`` in the place of its Cmd. As ``exec``.

        Raises:
            InvalidInput: the image names no Entrypoint and no Cmd.
        """
        return await self._run(key, argv, pty, "--entrypoint")

    async def _run(
        self, key: str, argv: Sequence[str], pty: tuple[int, int] | None, option: str
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
        if option or config.keys() & {"Env", "WorkingDir", "User"}:
            argv = [RUN, *([option] if option else []), *argv]
        return await (await self._transport(key)).open(argv, pty=pty)

    async def ssh_command(self, key: str) -> Sequence[str]:
        """The argv of the system's ssh to this VM, its host key pinned. Raises as ``shell``."""
        vm = await self.get(key)
        require(vm, "connect")
        return await ssh_command(self._ctx.paths, vm)

    async def _transport(self, key: str) -> Transport:
        vm = await self.get(key)
        require(vm, "connect")
        identity = (vm.id, vm.pid)
        if identity not in self._transports:
            for old in [known for known in self._transports if known[0] == vm.id]:
                await self._transports.pop(old).close()
            self._transports[identity] = self._ctx.driver.transport(vm)
        return self._transports[identity]

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()
