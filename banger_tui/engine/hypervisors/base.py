"""What every driver offers, and the record that says what it lacks.

A driver runs VMMs and finds them again; it knows nothing of names, images, locks or the store.
Whatever a driver can't do stands in its ``Capabilities``: no method of a driver exists only to
raise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from banger_tui.engine.model import NetworkMode, VmRecord

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver can do on this host."""

    accelerator: str
    """"kvm", "tcg" or "none": shown on the VM and in doctor."""
    machines: tuple[str, ...]
    """Machine types, the fastest first; the next is the fallback when one shows no sign of life."""
    console: str = "ttyS0"
    """The kernel's name for the serial line that is the VM's console."""
    kernel_arguments: tuple[str, ...] = ()
    """What the guest's kernel must be told on this host."""
    live_ports: bool = True
    """Forwards can be added and removed while the VM runs."""
    max_cpus: int = 64


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a driver can be used here, and why (not). ``hint`` says how to change that."""

    name: str
    available: bool
    version: str = ""
    accelerator: str = ""
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a driver needs to start one VM. Paths are absolute and exist."""

    vm_id: str
    name: str
    cpus: int
    memory_mib: int
    kernel: Path
    initrd: Path
    command_line: str
    disk: Path
    directory: Path
    runtime: Path
    machine: str
    network: NetworkMode
    ephemeral: bool = False


class Vmm(Protocol):
    """A hypervisor's process. ``process.ProcessId`` is one."""

    @property
    def pid(self) -> int: ...

    @property
    def start(self) -> int:
        """Tells it apart from a later process with the same pid."""
        ...

    @property
    def alive(self) -> bool: ...

    async def gone(self, timeout: float | None = None) -> bool:
        """Wait for its end; False when ``timeout`` seconds passed first."""
        ...

    async def end(self, grace: float = 2.0) -> None:
        """Ask it to end, then make it."""
        ...

    def cpu_seconds(self) -> float | None: ...

    def rss_bytes(self) -> int | None: ...


class Console(Protocol):
    """A VM's serial line. Reading never takes the line from another reader."""

    async def read(self) -> bytes:
        """The next bytes, waiting for them; b"" when the VM has ended and all is read."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the guest the window's size, if it can be told; the last viewer to say so wins."""
        ...

    def fit_command(self, columns: int, rows: int) -> bytes:
        """What to type at a shell's prompt where the guest can't be told the window's size."""
        ...

    async def close(self) -> None: ...


class Channel(Protocol):
    """A process in the guest with its streams. With a pty, stderr is empty (it is in stdout)."""

    async def read(self) -> bytes:
        """The next bytes of stdout; b"" at its end."""
        ...

    async def read_stderr(self) -> bytes:
        """The next bytes of stderr; b"" at its end."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def write_eof(self) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        """The exit code (128 + N when signal N ended it)."""
        ...

    async def close(self) -> None:
        """Let go of the process; a pty session in the guest lives on."""
        ...


class Transport(Protocol):
    """How programs are started in a guest. What needs a connection makes it when there is none."""

    async def connect(self) -> None:
        """Connect, unless it is connected.

        Raises:
            GuestUnreachable
        """
        ...

    async def lost(self) -> str:
        """Wait until the connection is gone (at once when there is none); why, for people."""
        ...

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        """Start a program; ``pty`` is (columns, rows).

        Raises:
            GuestUnreachable: there is no connection, or it broke.
            GuestFailure: the guest refuses, or too many programs run over the connection.
        """
        ...

    async def close(self) -> None: ...


class Driver(Protocol):
    """One kind of hypervisor."""

    @property
    def name(self) -> str: ...

    async def probe(self) -> Probe: ...

    async def capabilities(self) -> Capabilities: ...

    async def check(self) -> None:
        """Raises: MissingTool, when a program that it starts isn't installed."""
        ...

    async def create_disk(self, rootfs: Path, disk: Path, size: int) -> None:
        """Make a VM's disk on top of an image's raw filesystem; ``size`` in bytes."""
        ...

    async def launch(self, launch: Launch) -> Vmm:
        """Start the VMM; it outlives this process.

        Returns when it is a running process that answers on its control socket.

        Raises:
            HypervisorFailure, MissingTool
        """
        ...

    async def sign_of_life(self, launch: Launch) -> None:
        """Wait, without end, until the guest's kernel has said something."""
        ...

    async def wait_ready(self, vm_id: str, runtime: Path) -> None:
        """Wait, without end, until the guest says that it is ready."""
        ...

    async def forward(self, vm_id: str, runtime: Path, host_port: int, guest_port: int) -> bool:
        """Forward 127.0.0.1:host_port to the guest's port; False when the port is taken."""
        ...

    async def ask(self, vm_id: str, runtime: Path, request: str, timeout: float = 5.0) -> str:
        """One request on the guest's control port, its answer without "ok".

        Raises:
            GuestUnreachable: no answer in time; GuestFailure: the guest says no.
        """
        ...

    async def quit(self, vm_id: str, runtime: Path) -> None:
        """End the VMM as by pulling the plug, politely to the VMM (its disk files are closed)."""
        ...

    def adopt(self, vm_id: str, pid: int, start: int) -> Vmm | None:
        """The living VMM with this identity, if it is this VM's."""
        ...

    def find(self, vm_id: str) -> list[Vmm]:
        """Living VMMs of this VM, proven by their command line. Blocking."""
        ...

    def strays(self, runtime: Path) -> dict[str, list[Vmm]]:
        """Living VMMs of this installation by VM id, whether known or not. Blocking."""
        ...

    async def console(self, vm: VmRecord, directory: Path, runtime: Path) -> Console: ...

    def transport(self, vm: VmRecord) -> Transport: ...
