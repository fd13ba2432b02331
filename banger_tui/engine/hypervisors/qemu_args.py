"""QEMU's command line, as a pure function of what is to be launched.

Each choice below was measured or is explained where it stands; the order follows QEMU's manual.
"""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.hypervisors.base import Launch
from banger_tui.engine.hypervisors.console_log import LOG
from banger_tui.engine.model import NetworkMode

CONTROL_PORT = "banger.control"
MICROVM = "microvm"
Q35 = "q35"
VIRT = "virt"


@dataclass(frozen=True, slots=True)
class Target:
    """What kind of host this runs on: ``arch`` as ``uname -m`` says, ``accelerator`` kvm or tcg."""

    arch: str
    accelerator: str

    @property
    def binary(self) -> str:
        return f"qemu-system-{self.arch}"

    @property
    def machines(self) -> tuple[str, ...]:
        """Machine types in the order they are tried."""
        return (MICROVM, Q35) if self.arch == "x86_64" else (VIRT,)

    @property
    def console(self) -> str:
        """The kernel's name of the first serial line."""
        return "ttyS0" if self.arch == "x86_64" else "ttyAMA0"


def marker(vm_id: str) -> str:
    """The argument that proves a process is this VM's: looked for after a crash."""
    return f"guest=banger-{vm_id},process=banger-{vm_id[:8]}"


def arguments(launch: Launch, target: Target) -> list[str]:
    """The whole argv of a VM."""
    # "pci" devices on q35, "device" (virtio-mmio) on microvm and virt
    bus = "pci" if launch.machine == Q35 else "device"
    run = launch.runtime
    # cache=unsafe ignores flushes: only for a machine nobody wants to keep
    cache = "unsafe" if launch.ephemeral else "writeback"
    network = "user,id=net0"
    if launch.network is NetworkMode.ISOLATED:
        network += ",restrict=on"
    return [
        target.binary,
        "-name", marker(launch.vm_id),
        "-machine", _machine(launch.machine),
        # A code cache of 64 MiB instead of a quarter of the RAM: 220 MB less a VM, no slower.
        "-accel", "kvm" if target.accelerator == "kvm" else "tcg,tb-size=64",
        # qemu64 lacks SSE4.2, which x86-64-v2 distributions need
        "-cpu", "host" if target.accelerator == "kvm" else "max",
        "-smp", str(launch.cpus),
        "-m", f"{launch.memory_mib}M",
        "-nodefaults", "-no-user-config", "-display", "none",
        # The guest's reboot ends QEMU, and with it a kernel that panics (panic=-1) for ever.
        "-no-reboot",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-kernel", str(launch.kernel),
        "-initrd", str(launch.initrd),
        "-append", launch.command_line,
        "-drive", f"if=none,id=disk0,file={_path(launch.disk)},format=qcow2,"
        f"cache={cache},discard=unmap",
        "-device", f"virtio-blk-{bus},drive=disk0",
        "-netdev", network,
        "-device", f"virtio-net-{bus},netdev=net0,mac={mac(launch.vm_id)}",
        "-device", f"virtio-rng-{bus}",
        "-device", f"virtio-balloon-{bus},deflate-on-oom=on,free-page-reporting=on",
        # The log holds the line from its first byte, whoever watches. Appended to, so that what
        # console_log.py takes away at its front does not come back as zeros.
        "-chardev", f"socket,id=console,path={_path(run / 'console.sock')},server=on,wait=off,"
        f"logfile={_path(launch.directory / LOG)},logappend=on",
        "-serial", "chardev:console",
        "-device", f"virtio-serial-{bus}",
        "-chardev", f"socket,id=control,path={_path(run / 'control.sock')},server=on,wait=off",
        "-device", f"virtserialport,chardev=control,name={CONTROL_PORT}",
        "-qmp", f"unix:{_path(run / 'qmp.sock')},server=on,wait=off",
    ]  # fmt: skip


def mac(vm_id: str) -> str:
    """A stable address in QEMU's own range, from the VM's id (12 hex digits)."""
    return "52:54:00:" + ":".join(vm_id[i : i + 2] for i in (0, 2, 4))


def _machine(machine: str) -> str:
    if machine == MICROVM:
        # ACPI on: Debian's kernel has no virtio-mmio devices on its command line
        return "microvm,pic=on,pit=on,rtc=on,acpi=on"
    return machine


def _path(path: object) -> str:
    """QEMU's option syntax splits at commas; a doubled comma is one."""
    return str(path).replace(",", ",,")
