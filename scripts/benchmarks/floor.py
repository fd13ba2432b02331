"""The floor under every boot: QEMU alone, with what the driver would give it, until ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.guest import boot, keys
from banger_tui.engine.hypervisors.base import Launch
from banger_tui.engine.hypervisors.qemu import QemuDriver
from banger_tui.engine.hypervisors.qemu_args import Target, arguments
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings

_PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything a bare boot of one image needs, read once."""

    image: str
    init: str
    rootfs: Path
    disk_bytes: int
    kernel: Path
    machine: str
    console: str
    arguments: tuple[str, ...]
    target: Target
    public_key: str


async def floor_for(paths: Paths, image: str) -> Floor:
    """What the engine knows of an image that is here already."""
    settings = Settings()
    driver = QemuDriver(paths.client_key, paths.cache, settings.accelerator)
    async with Engine(paths, settings, driver=driver) as engine:
        record = await engine.images.get(image)
    capabilities = await driver.capabilities()
    return Floor(
        image=image, init=record.init, rootfs=paths.image(image) / "rootfs.ext4",
        disk_bytes=record.disk_bytes, kernel=paths.kernel(record.kernel),
        machine=capabilities.machines[0], console=capabilities.console,
        arguments=capabilities.kernel_arguments, target=driver.target,
        public_key=paths.client_key.with_suffix(".pub").read_text().strip(),
    )  # fmt: skip


def measure(floor: Floor) -> float:
    """Boot once on a fresh overlay: seconds from QEMU's start to the guest's word "ready"."""
    directory = Path(tempfile.mkdtemp(prefix="banger-floor-"))
    try:
        return _boot(floor, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _boot(floor: Floor, directory: Path) -> float:
    config = boot.BootConfig(
        hostname="floor", host_key=keys.host_key().private, authorized_keys=(floor.public_key,),
        address=IPv4Interface("10.0.2.15/24"), gateway="10.0.2.2", dns=("10.0.2.3",),
        init=floor.init,
    )  # fmt: skip
    settings = Settings()
    launch = Launch(
        vm_id="f00f00f00f00", name="floor", cpus=settings.cpus, memory_mib=settings.memory_mib,
        kernel=floor.kernel / "vmlinuz", initrd=directory / "initrd",
        command_line=boot.command_line(config, console=floor.console, extra=floor.arguments),
        disk=directory / "disk.qcow2", directory=directory, runtime=directory,
        machine=floor.machine, network=settings.network, ephemeral=True,
    )  # fmt: skip
    boot.write_initrd(floor.kernel, config, launch.initrd)
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(floor.rootfs),
         str(launch.disk), str(floor.disk_bytes)],
        check=True,
    )  # fmt: skip
    started = time.perf_counter()
    qemu = subprocess.Popen(arguments(launch, floor.target))
    try:
        _wait_ready(directory / "control.sock", started + _PATIENCE)
        return time.perf_counter() - started
    finally:
        qemu.kill()
        qemu.wait()


def _wait_ready(path: Path, deadline: float) -> None:
    """Raises: TimeoutError."""
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(1.0)
        while True:
            with contextlib.suppress(OSError):
                control.connect(os.fspath(path))
                break
            if time.perf_counter() > deadline:
                raise TimeoutError("QEMU does not listen")
            time.sleep(0.002)
        control.sendall(b"\nhello\n")
        said = b""
        while b"ready " not in said:
            if time.perf_counter() > deadline:
                raise TimeoutError("the guest does not come up")
            with contextlib.suppress(TimeoutError):
                said += control.recv(4096)


def prepared(paths: Paths, image: str) -> Floor:
    return asyncio.run(floor_for(paths, image))
