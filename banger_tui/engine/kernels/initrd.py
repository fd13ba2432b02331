"""The base initrd all VMs of one kernel share: busybox, the modules and the first init."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from banger_tui.engine.kernels import cpio
from banger_tui.engine.kernels.modules import Module

#: Directories the init script mounts on or moves to.
_DIRECTORIES = ("bin", "dev", "modules", "new", "proc", "sys")


def base(busybox: bytes, lists: Mapping[str, Sequence[Module]], init: bytes) -> bytes:
    """A cpio archive: a static ``busybox``, ``/init``, and modules below ``/modules``.

    Each list becomes a file there that names its modules in loading order: ``order`` is always
    loaded, ``pci`` where there is a PCI bus, ``later`` once the guest is up.
    """
    modules = {module.file_name: module.data for each in lists.values() for module in each}
    return cpio.archive(
        [
            *(cpio.directory(name) for name in _DIRECTORIES),
            cpio.file("bin/busybox", busybox, 0o755),
            cpio.symlink("bin/sh", "busybox"),
            cpio.file("init", init, 0o755),
            *(
                cpio.file(f"modules/{name}", "".join(f"{m.file_name}\n" for m in each).encode())
                for name, each in lists.items()
            ),
            *(cpio.file(f"modules/{name}", data) for name, data in modules.items()),
        ]
    )
