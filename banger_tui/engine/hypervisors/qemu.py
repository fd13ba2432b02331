"""QEMU: runs everywhere, with KVM where that is really usable and TCG where not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import time
from pathlib import Path

from banger_tui.engine.errors import (
    GuestUnreachable,
    HypervisorFailure,
    MissingTool,
)
from banger_tui.engine.hypervisors import console_log
from banger_tui.engine.hypervisors.base import Capabilities, Launch, Probe, Transport, Vmm
from banger_tui.engine.hypervisors.control import ControlPort
from banger_tui.engine.hypervisors.kvm import kvm_usable
from banger_tui.engine.hypervisors.logged_console import LoggedConsole
from banger_tui.engine.hypervisors.qemu_args import Target, arguments, marker
from banger_tui.engine.hypervisors.qmp import Qmp
from banger_tui.engine.hypervisors.ssh_transport import SshTransport, preload
from banger_tui.engine.hypervisors.tsc import remembered_tsc_khz
from banger_tui.engine.model import VmRecord
from banger_tui.engine.process import (
    ProcessId,
    find_by_argument,
    find_tool,
    processes_with,
    run_tool,
    spawn_daemon,
)
from banger_tui.engine.shield import finish, in_thread

_START_SECONDS = 30.0
_POLL = 0.02
_RESIZE_SECONDS = 2.0


class QemuDriver:
    """Implements ``Driver`` with QEMU system emulation."""

    name = "qemu"

    def __init__(
        self,
        client_key: Path,
        cache: Path,
        accelerator: str = "auto",
        console_bytes: int = console_log.KEEP,
    ) -> None:
        """
        Args:
            client_key: opens every guest's ssh.
            cache: a directory for what is costly to measure.
            accelerator: "auto", "kvm" or "tcg".
            console_bytes: how much of a VM's serial line is kept on disk.
        """
        self._client_key = client_key
        self._cache = cache
        self._console_bytes = console_bytes
        usable = kvm_usable()[0] if accelerator == "auto" else accelerator == "kvm"
        self.target = Target(platform.machine(), "kvm" if usable else "tcg")

    async def probe(self) -> Probe:
        kvm, why = kvm_usable()
        try:
            find_tool(self.target.binary)
            find_tool("qemu-img")
            result = await run_tool([self.target.binary, "--version"], capture=True)
        except MissingTool as error:
            return Probe("qemu", False, reason=error.title, hint=error.hint)
        version = (
            result.output.split("\n", 1)[0].removeprefix("QEMU emulator version ").split(" ")[0]
        )
        note = "" if kvm else f"without KVM (slower, works): {why}"
        return Probe("qemu", True, version, self.target.accelerator, note)

    async def capabilities(self) -> Capabilities:
        arguments: tuple[str, ...] = ()
        if self.target.accelerator == "tcg":
            khz = await asyncio.to_thread(remembered_tsc_khz, self._cache / "tsc.json")
            arguments = (f"tsc_early_khz={khz}",) if khz else ()
        return Capabilities(
            self.target.accelerator, self.target.machines, self.target.console, arguments
        )

    async def check(self) -> None:
        for tool in (self.target.binary, "qemu-img"):
            await asyncio.to_thread(find_tool, tool)

    async def create_disk(self, rootfs: Path, disk: Path, size: int) -> None:
        await run_tool(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(rootfs),
             str(disk), str(size)],
            title="Can't make the VM's disk",
        )  # fmt: skip

    async def launch(self, launch: Launch) -> Vmm:
        runtime = launch.runtime
        await in_thread(_clear, runtime)
        await in_thread(console_log.begin_anew, launch.directory)
        log = launch.directory / "qemu.log"
        process = await spawn_daemon(arguments(launch, self.target), log=log)
        try:
            await console_log.keep_bounded(launch.directory, process, self._console_bytes)
            await self._answering(process, runtime / "qmp.sock", log)
        except BaseException:  # a cancel, too, may leave no QEMU that nobody knows of
            await finish(process.end(grace=0.5))
            raise
        return process

    async def _answering(self, process: ProcessId, socket: Path, log: Path) -> None:
        """QEMU listens before its machine is made, so its end is watched while connecting."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if not process.alive:
                raise HypervisorFailure(
                    "QEMU did not start",
                    await asyncio.to_thread(_last_line, log) or "It ended without a word.",
                    f"Its whole output is in {log}.",
                )
            if await asyncio.to_thread(socket.exists):
                with contextlib.suppress(HypervisorFailure):
                    async with Qmp.connect(socket, timeout=_START_SECONDS) as qmp:
                        await qmp.execute("query-status")
                        return
            if time.monotonic() > deadline:
                raise HypervisorFailure(
                    "QEMU does not answer", f"Not within {_START_SECONDS:.0f} s."
                )
            await asyncio.sleep(_POLL)

    async def sign_of_life(self, launch: Launch) -> None:
        log = launch.directory / console_log.LOG
        while True:
            with contextlib.suppress(OSError):
                if log.stat().st_size:
                    return
            await asyncio.sleep(_POLL)

    async def wait_ready(self, vm_id: str, runtime: Path) -> None:
        async with ControlPort.connect(runtime / "control.sock") as port:
            # Whoever waits for a guest talks to it next: load what that takes while it boots.
            loading = asyncio.create_task(asyncio.to_thread(preload))
            try:
                await port.ready()
            finally:
                await finish(loading)

    async def forward(self, vm_id: str, runtime: Path, host_port: int, guest_port: int) -> bool:
        async with Qmp.connect(runtime / "qmp.sock") as qmp:
            answer = await qmp.monitor(f"hostfwd_add net0 tcp:127.0.0.1:{host_port}-:{guest_port}")
        if not answer:
            return True
        if "could not set up" in answer.lower():
            return False
        raise HypervisorFailure("QEMU refuses a port forward", answer)

    async def ask(self, vm_id: str, runtime: Path, request: str, timeout: float = 5.0) -> str:
        async with ControlPort.connect(runtime / "control.sock") as port:
            return await port.ask(request, timeout)

    async def quit(self, vm_id: str, runtime: Path) -> None:
        # A VMM that is gone already, or never listened, has quit.
        with contextlib.suppress(HypervisorFailure, GuestUnreachable):
            async with Qmp.connect(runtime / "qmp.sock", timeout=3.0) as qmp:
                await qmp.execute("quit", timeout=3.0)

    def adopt(self, vm_id: str, pid: int, start: int) -> Vmm | None:
        process = ProcessId(pid, start)
        return process if process.alive else None

    def find(self, vm_id: str) -> list[Vmm]:
        return list(find_by_argument(marker(vm_id)))

    def strays(self, runtime: Path) -> dict[str, list[Vmm]]:
        found: dict[str, list[Vmm]] = {}
        beginning = f"unix:{runtime}/"
        for process, argument in processes_with(beginning):
            vm_id = argument.removeprefix(beginning).split("/", 1)[0]
            found.setdefault(vm_id, []).append(process)
        return found

    async def console(self, vm: VmRecord, directory: Path, runtime: Path) -> LoggedConsole:
        process = ProcessId(vm.pid, vm.pid_start) if vm.pid and vm.pid_start else None

        async def tell_size(columns: int, rows: int) -> None:
            request = f"resize {self.target.console} {rows} {columns}"
            await self.ask(vm.id, runtime, request, _RESIZE_SECONDS)

        if process is not None:  # should its keeper have been ended by somebody
            await console_log.keep_bounded(directory, process, self._console_bytes)
        return LoggedConsole(
            directory / console_log.LOG, runtime / "console.sock", process, tell_size
        )

    def transport(self, vm: VmRecord) -> Transport:
        return SshTransport("127.0.0.1", vm.ssh_port, vm.host_key, self._client_key)


def _clear(runtime: Path) -> None:
    """Sockets of an earlier life would be taken for this one's. Blocking."""
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("qmp.sock", "control.sock", "console.sock"):
        (runtime / name).unlink(missing_ok=True)


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2000))
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""
    return ""
