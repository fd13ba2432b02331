"""What is laid over a root filesystem beside the kit: links and settings."""

from __future__ import annotations

from banger_tui.engine import assets
from banger_tui.engine.kernels.cpio import Entry, directory, file, symlink

_SYSTEM = "etc/systemd/system"
_GENERATORS = "etc/systemd/system-generators"
_UNITS = {"banger.service": "multi-user.target", "banger-console.service": "multi-user.target"}


def systemd_units() -> list[Entry]:
    """The agent and the serial console as units, for an image whose init is systemd. Blocking."""
    entries = [directory("etc"), directory("etc/systemd"), directory(_SYSTEM)]
    for unit, target in _UNITS.items():
        entries += [
            file(f"{_SYSTEM}/{unit}", assets.read(f"guest/{unit}")),
            directory(f"{_SYSTEM}/{target}.wants"),
            symlink(f"{_SYSTEM}/{target}.wants/{unit}", f"../{unit}"),
        ]
    return entries


def systemd_tuning() -> list[Entry]:
    """What makes our own Debian boot fast: masks, a journal in memory, no fstab. Blocking."""
    return [
        symlink(f"{_SYSTEM}/default.target", "/usr/lib/systemd/system/multi-user.target"),
        directory(_GENERATORS),
        directory("etc/systemd/journald.conf.d"),
        file(
            "etc/systemd/journald.conf.d/banger.conf",
            b"[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToSyslog=no\n"
            # dmesg keeps the kernel's own; copying it costs a second of every emulated boot
            b"ReadKMsg=no\nAudit=no\n",
        ),
        file("etc/fstab", b""),
        *fresh_machine_id(),
        *_masks("guest/systemd-masks"),
    ]


def systemd_foreign() -> list[Entry]:
    """What a systemd of another's making needs so that nothing stops or disturbs its boot here.
    Blocking.

    Far less than for our own Debian: what an image was made for stays. Masked is what is in the
    kit's way, waits for what never comes, or does nothing useful here (the file says which). The
    network is up before systemd is: its own network services keep their hands off. An fstab names
    disks of another machine.
    """
    return [
        file("etc/fstab", b""),
        directory("etc/systemd/network"),
        file(
            "etc/systemd/network/00-banger.network",
            b"[Match]\nName=eth0\n\n[Link]\nUnmanaged=yes\n",
        ),
        *_masks("guest/systemd-masks-foreign"),
    ]


def network_manager() -> list[Entry]:
    """Its part in keeping off the network, for an image that has it."""
    return [
        directory("etc/NetworkManager/conf.d"),
        file(
            "etc/NetworkManager/conf.d/90-banger.conf",
            b"[keyfile]\nunmanaged-devices=interface-name:eth0\n",
        ),
    ]


def _masks(name: str) -> list[Entry]:
    entries = []
    for line in assets.read(name).decode().splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            place = _GENERATORS if words[0] == "generator" else _SYSTEM
            entries.append(symlink(f"{place}/{words[-1]}", "/dev/null"))
    return entries


def fresh_machine_id() -> list[Entry]:
    """Empty: each machine makes its own at its first boot (machine-id(5))."""
    return [directory("etc"), file("etc/machine-id", b"", 0o444)]


def sftp_server() -> list[Entry]:
    """The kit's sftp server where dropbear looks for one; for images without their own."""
    return [
        directory("usr"),
        directory("usr/lib"),
        symlink("usr/lib/sftp-server", "/.banger/bin/sftp-server"),
    ]


def accounts() -> list[Entry]:
    """Root alone, for an image that has nobody."""
    texts = {
        "passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "group": "root:x:0:\ntty:x:5:\n",
        "shells": "/bin/sh\n/.banger/bin/sh\n",
        "hosts": "127.0.0.1 localhost\n",
    }
    return [
        directory("etc"),
        directory("root", 0o700),
        *(file(f"etc/{name}", text.encode()) for name, text in texts.items()),
    ]
