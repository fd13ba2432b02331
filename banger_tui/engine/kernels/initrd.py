"""The base initrd all VMs of one kernel share: busybox, the modules and the first init."""

from __future__ import annotations

from collections.abc import Sequence

from banger_tui.engine.kernels import cpio
from banger_tui.engine.kernels.modules import Module

#: Directories the init script mounts on or moves to.
_DIRECTORIES = ("bin", "dev", "modules", "new", "proc", "sys")


def base(busybox: bytes, modules: Sequence[Module], init: bytes) -> bytes:
    """A cpio archive: a static ``busybox``, modules with their loading order, and ``/init``."""
    order = "".join(f"{module.file_name}\n" for module in modules)
    return cpio.archive(
        [
            *(cpio.directory(name) for name in _DIRECTORIES),
            cpio.file("bin/busybox", busybox, 0o755),
            cpio.symlink("bin/sh", "busybox"),
            cpio.file("init", init, 0o755),
            cpio.file("modules/order", order.encode()),
            *(cpio.file(f"modules/{module.file_name}", module.data) for module in modules),
        ]
    )
