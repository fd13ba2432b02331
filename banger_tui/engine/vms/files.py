"""A VM's directory: what is made in it, how it is removed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from ipaddress import IPv4Interface
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.guest import keys
from banger_tui.engine.guest.boot import BootConfig
from banger_tui.engine.hypervisors import console_log
from banger_tui.engine.model import VmRecord
from banger_tui.engine.paths import Paths

# QEMU's user network hands out these (its manual, "Using the user mode network stack").
_USER_ADDRESS = IPv4Interface("10.0.2.15/24")
_USER_GATEWAY = "10.0.2.2"
_USER_DNS = ("10.0.2.3",)
_CONSOLE_TAIL = 16 << 10  # bytes of console kept of a boot that failed


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads, whole or not at all. Blocking.

    Raises:
        FileExistsError: it is there already, and is left as it is.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def ensure_client_key(paths: Paths) -> str:
    """The public line of the key that opens every guest; made on first use. Blocking."""
    public = paths.client_key.with_suffix(".pub")
    if not paths.client_key.exists():
        pair = keys.client_key()
        # The public half first: a private key without one would lock everybody out.
        with contextlib.suppress(FileExistsError):
            write_secret(paths.client_key, pair.private)
            public.write_text(pair.public + "\n")
    if not public.exists():
        public.write_text(keys.client_key_public(paths.client_key.read_bytes()) + "\n")
    return public.read_text().strip()


def prepare(paths: Paths, vm_id: str, host_key: bytes) -> None:
    """Make a VM's directory with its ssh identity. Blocking."""
    directory = paths.vm(vm_id)
    directory.mkdir(mode=0o700)
    write_secret(directory / "host_key", host_key)


def remove(paths: Paths, vm_id: str) -> None:
    """Remove all files of a VM, and its sockets. Blocking; harmless when nothing is there."""
    for path in (paths.vm(vm_id), paths.vm_runtime(vm_id)):
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)
    paths.locks.joinpath(f"vm.{vm_id}.lock").unlink(missing_ok=True)


def remove_sockets(paths: Paths, vm_id: str) -> None:
    """Remove what a VMM that has ended left in its runtime directory. Blocking."""
    shutil.rmtree(paths.vm_runtime(vm_id), ignore_errors=True)


async def boot_config(ctx: Context, vm: VmRecord) -> BootConfig:
    """What the VM is told at its next boot."""
    host_key = await asyncio.to_thread((ctx.paths.vm(vm.id) / "host_key").read_bytes)
    public = await asyncio.to_thread(ensure_client_key, ctx.paths)
    image = await ctx.store.image_or_none(vm.image)
    return BootConfig(
        hostname=vm.name,
        host_key=host_key,
        authorized_keys=(public,),
        address=_USER_ADDRESS,
        gateway=_USER_GATEWAY,
        dns=_USER_DNS,
        init=image.init if image else "/sbin/init",
    )


def keep_console(console: Path, log: Path) -> None:
    """Append the end of a console log to an operation's log. Blocking."""
    with contextlib.suppress(OSError):
        tail = console_log.last(console, _CONSOLE_TAIL)
        with log.open("ab") as file:
            file.write(b"\n--- the guest's console ---\n" + tail)
