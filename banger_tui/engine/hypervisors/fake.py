"""A driver without VMs: in memory, scriptable, for tests of everything above it and for a tour.

Delays and failures are set by hand per step. VMMs are objects with made-up process ids (above the
kernel's limit of 2^22, so they can never be somebody's); they end with this process, just as QEMU's
would after a reboot of the host.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from banger_tui.engine.errors import BangerError, GuestUnreachable
from banger_tui.engine.hypervisors.base import (
    Capabilities,
    Channel,
    Console,
    Launch,
    Probe,
    Transport,
    Vmm,
)
from banger_tui.engine.model import VmRecord

_FIRST_PID = 1 << 23


class FakeVmm:
    """A process that is none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.start = 1
        self._ended = asyncio.Event()
        self.screen = Tape()

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    async def gone(self, timeout: float | None = None) -> bool:
        try:
            async with asyncio.timeout(timeout):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def end(self, grace: float = 2.0) -> None:
        self.crash()

    def crash(self) -> None:
        """End at once, as by kill -9."""
        self._ended.set()
        self.screen.close()

    def cpu_seconds(self) -> float | None:
        return 1.0 if self.alive else None

    def rss_bytes(self) -> int | None:
        return 100 << 20 if self.alive else None


class Tape:
    """Bytes written once and read by many, each from its own place."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.closed = False
        self._grown = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.data += data
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, offset: int) -> bytes:
        """What stands at ``offset`` and after it, waiting for it; b"" at the end."""
        while len(self.data) <= offset and not self.closed:
            await self._grown.wait()
        return bytes(self.data[offset:])


class TapeReader:
    """One viewer of a tape; what it types is echoed and answered like by a tiny shell."""

    def __init__(self, tape: Tape, prompt: str) -> None:
        self._tape = tape
        self._prompt = prompt
        self._offset = 0
        self._line = ""
        self._closed = asyncio.Event()
        self._code = 0

    async def read(self) -> bytes:
        data = await self._tape.read(self._offset)
        self._offset += len(data)
        return b"" if self._closed.is_set() else data

    async def read_stderr(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        for char in data.decode(errors="replace"):
            if char in "\r\n":
                command, self._line = self._line.strip(), ""
                self._tape.write(b"\r\n")
                if command == "exit":
                    self._tape.close()
                    return
                if command.startswith("echo "):
                    self._tape.write(command[5:].encode() + b"\r\n")
                elif command:
                    self._tape.write(f"{command}: not found\r\n".encode())
                self._tape.write(self._prompt.encode())
            elif char == "\x03":
                self._line = ""
                self._tape.write(b"^C\r\n" + self._prompt.encode())
            elif char == "\x7f":
                self._line = self._line[:-1]
                self._tape.write(b"\b \b")
            elif char.isprintable():
                self._line += char
                self._tape.write(char.encode())

    async def write_eof(self) -> None:
        self._tape.close()

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        while await self.read():
            pass
        return self._code

    async def close(self) -> None:
        self._closed.set()
        self._tape._wake()


class Output:
    """A finished command: what it printed and its exit code."""

    def __init__(self, stdout: bytes, stderr: bytes, code: int) -> None:
        self._stdout, self._stderr, self._code = stdout, stderr, code

    async def read(self) -> bytes:
        data, self._stdout = self._stdout, b""
        return data

    async def read_stderr(self) -> bytes:
        data, self._stderr = self._stderr, b""
        return data

    async def write(self, data: bytes) -> None:
        pass

    async def write_eof(self) -> None:
        pass

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        return self._code

    async def close(self) -> None:
        pass


class FakeTransport:
    """Shells are tapes kept by name, so that attaching again redraws; commands answer at once."""

    def __init__(self, vm: VmRecord, vmm: FakeVmm | None, shells: dict[str, Tape]) -> None:
        self._vm = vm
        self._vmm = vmm
        self._shells = shells

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        if self._vmm is None or not self._vmm.alive:
            raise GuestUnreachable(
                "The guest's ssh server can't be reached", "The VM is not running."
            )
        if pty is not None:
            prompt = f"root@{self._vm.name}:~# "
            name = argv[-1] if argv else "shell"
            tape = self._shells.get(name)
            if tape is None or tape.closed:
                tape = self._shells[name] = Tape()
                tape.write(prompt.encode())
            return TapeReader(tape, prompt)
        words = list(argv)
        if words[:2] == ["sh", "-c"]:
            words = words[2].replace(";", " ; ").split()
        code = int(words[words.index("exit") + 1]) if "exit" in words else 0
        printed = f"Linux {self._vm.name} 6.1.0-fake\n" if "uname" in words else ""
        if words[:1] == ["echo"]:
            printed = " ".join(words[1:]) + "\n"
        return Output(printed.encode(), b"", code)

    async def close(self) -> None:
        pass


@dataclass
class FakeDriver:
    """Implements ``Driver``. Steps: create_disk, launch, sign_of_life, wait_ready, forward, quit.

    ``delays[step]`` is seconds the step takes; ``failures[step]`` is raised by it; ``hooks[step]``
    is awaited in it with the VM's id.
    """

    delays: dict[str, float] = field(default_factory=dict)
    failures: dict[str, BangerError] = field(default_factory=dict)
    hooks: dict[str, Callable[[str], Awaitable[None]]] = field(default_factory=dict)
    boot_seconds: float = 0.02
    vmms: dict[str, FakeVmm] = field(default_factory=dict)
    shells: dict[str, dict[str, Tape]] = field(default_factory=dict)
    taken_ports: set[int] = field(default_factory=set)
    ignores_poweroff: bool = False

    name = "fake"
    _pids = itertools.count(_FIRST_PID)

    async def _step(self, step: str, vm_id: str) -> None:
        if hook := self.hooks.get(step):
            await hook(vm_id)
        await asyncio.sleep(self.delays.get(step, 0.0))
        if failure := self.failures.get(step):
            raise failure

    async def probe(self) -> Probe:
        return Probe("fake", True, "1", "none", "no VMs are run: for tests and a look around")

    async def capabilities(self) -> Capabilities:
        return Capabilities("none", ("fake", "fake-fallback"))

    async def create_disk(self, rootfs: Path, disk: Path, size: int) -> None:
        await self._step("create_disk", disk.parent.name)
        await asyncio.to_thread(disk.write_bytes, b"")

    async def launch(self, launch: Launch) -> Vmm:
        await self._step("launch", launch.vm_id)
        vmm = FakeVmm(next(self._pids))
        self.vmms[launch.vm_id] = vmm
        self.shells[launch.vm_id] = {}
        vmm.screen.write(f"Booting {launch.name}\r\n".encode())
        return vmm

    async def sign_of_life(self, launch: Launch) -> None:
        await asyncio.sleep(self.boot_seconds / 2)
        await self._step("sign_of_life", launch.vm_id)

    async def wait_ready(self, vm_id: str, runtime: Path) -> None:
        await asyncio.sleep(self.boot_seconds / 2)
        await self._step("wait_ready", vm_id)
        self.vmms[vm_id].screen.write(b"Ready\r\n# ")

    async def forward(self, vm_id: str, runtime: Path, host_port: int, guest_port: int) -> bool:
        await self._step("forward", vm_id)
        return host_port not in self.taken_ports

    async def ask(self, vm_id: str, runtime: Path, request: str, timeout: float = 5.0) -> str:
        await self._step("ask", vm_id)
        vmm = self.vmms.get(vm_id)
        if vmm is None or not vmm.alive:
            raise GuestUnreachable("The guest's control port is closed", "")
        if request == "poweroff" and not self.ignores_poweroff:
            asyncio.get_running_loop().call_later(0.01, vmm.crash)
        return "0.0" if request == "uptime" else ""

    async def quit(self, vm_id: str, runtime: Path) -> None:
        await self._step("quit", vm_id)
        if vmm := self.vmms.get(vm_id):
            vmm.crash()

    def adopt(self, vm_id: str, pid: int, start: int) -> Vmm | None:
        vmm = self.vmms.get(vm_id)
        return vmm if vmm is not None and vmm.pid == pid and vmm.alive else None

    def find(self, vm_id: str) -> list[Vmm]:
        vmm = self.vmms.get(vm_id)
        return [vmm] if vmm is not None and vmm.alive else []

    def strays(self, runtime: Path) -> dict[str, list[Vmm]]:
        return {vm_id: [vmm] for vm_id, vmm in self.vmms.items() if vmm.alive}

    async def console(self, vm: VmRecord, directory: Path, runtime: Path) -> Console:
        vmm = self.vmms.get(vm.id)
        tape = vmm.screen if vmm is not None else Tape()
        if vmm is None:
            tape.close()
        return TapeReader(tape, "# ")

    def transport(self, vm: VmRecord) -> Transport:
        return FakeTransport(vm, self.vmms.get(vm.id), self.shells.setdefault(vm.id, {}))
