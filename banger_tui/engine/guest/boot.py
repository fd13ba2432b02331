"""What one VM's boot is told: files appended to the shared initrd, and the kernel's command line.

Secrets (the host key) travel in the initrd only. The guest's first init moves them to a tmpfs, so
they touch neither image nor disk.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from banger_tui.engine import assets
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.kernels import cpio

_HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DEVICE = re.compile(r"[a-z]{2,4}[0-9]{0,3}")
_INIT = re.compile(r"(/[A-Za-z0-9._-]+)+")


@dataclass(frozen=True, slots=True)
class BootConfig:
    """What a VM is told at boot.

    Args:
        hostname: a DNS label.
        host_key: private ed25519 key in dropbear's format.
        authorized_keys: public keys that may log in as root, one line each.
        address: with prefix ("10.0.2.15/24"); None: no network but loopback.
        gateway: of the default route; None: none.
        dns: name servers, best first.
        root: the root disk's device name.
        init: what runs as PID 1, absolute.
    """

    hostname: str
    host_key: bytes
    authorized_keys: tuple[str, ...]
    address: IPv4Interface | None = None
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    root: str = "vda"
    init: str = "/sbin/init"

    def __post_init__(self) -> None:
        checks = (
            ("hostname", self.hostname, _HOSTNAME),
            ("root", self.root, _DEVICE),
            ("init", self.init, _INIT),
        )
        for field, value, pattern in checks:
            if not pattern.fullmatch(value):
                raise InvalidInput(f"Boot configuration: {field} is wrong", repr(value)[:100])
        # Each line is read as one value in the guest: a newline would smuggle in another.
        for value in (*self.authorized_keys, *self.dns, self.gateway or ""):
            if "\n" in value or "\0" in value:
                raise InvalidInput(
                    "Boot configuration: a value has several lines", repr(value)[:100]
                )

    def __repr__(self) -> str:
        return f"BootConfig(hostname={self.hostname!r}, address={self.address})"


def segment(config: BootConfig) -> bytes:
    """The per-VM cpio archive: ``/banger/*``, one value a file, and the current ``/init``."""
    values = {
        "hostname": config.hostname,
        "address": str(config.address) if config.address else "",
        "gateway": config.gateway or "",
        "dns": "\n".join(config.dns),
        "root": config.root,
        "init": config.init,
        "authorized_keys": "\n".join(config.authorized_keys),
    }
    return cpio.archive(
        [
            cpio.directory("banger", 0o700),
            *(
                cpio.file(f"banger/{name}", f"{value}\n".encode(), 0o600)
                for name, value in values.items()
                if value
            ),
            cpio.file("banger/host_key", config.host_key, 0o600),
            # A kernel pulled by an older version boots with this version's script.
            cpio.file("init", assets.read("guest/initrd-init"), 0o755),
        ]
    )


def write_initrd(kernel_dir: Path, config: BootConfig, target: Path) -> None:
    """Write the VM's initrd, mode 0600, whole or not at all. Blocking.

    Raises:
        OSError: ``kernel_dir`` holds no initrd.img, or ``target`` can't be written.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write((kernel_dir / "initrd.img").read_bytes())
            file.write(segment(config))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def command_line(config: BootConfig, *, console: str, extra: Sequence[str] = ()) -> str:
    """The kernel's command line.

    Args:
        console: the serial device, such as ``ttyS0``.
        extra: further arguments, which depend on the hypervisor and the host.
    """
    # The first init has set eth0 up: no udev of an image gives it another name.
    words = [f"console={console}", "quiet", "panic=-1", "reboot=t", "net.ifnames=0", *extra]
    words.append(f"banger.hostname={config.hostname}")
    return " ".join(words)
