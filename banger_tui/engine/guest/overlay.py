"""What is laid over a root filesystem beside the kit: links and settings."""

from __future__ import annotations

from banger_tui.engine import assets
from banger_tui.engine.kernels.cpio import Entry, directory, file, symlink

_SYSTEM = "etc/systemd/system"
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
    """What makes a systemd image boot fast: masks, a journal in memory, no fstab. Blocking."""
    entries = [
        symlink(f"{_SYSTEM}/default.target", "/usr/lib/systemd/system/multi-user.target"),
        directory("etc/systemd/system-generators"),
        directory("etc/systemd/journald.conf.d"),
        file(
            "etc/systemd/journald.conf.d/banger.conf",
            b"[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToSyslog=no\n"
            # dmesg keeps the kernel's own; copying it costs a second of every emulated boot
            b"ReadKMsg=no\nAudit=no\n",
        ),
        file("etc/fstab", b""),
        # Empty: each machine makes its own at its first boot.
        file("etc/machine-id", b"", 0o444),
    ]
    for line in assets.read("guest/systemd-masks").decode().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        place = "etc/systemd/system-generators" if words[0] == "generator" else _SYSTEM
        entries.append(symlink(f"{place}/{words[-1]}", "/dev/null"))
    return entries


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
