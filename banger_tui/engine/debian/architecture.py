"""Names for this machine's architecture: Debian's, and OCI's, which happen to be the same."""

from __future__ import annotations

import platform

from banger_tui.engine.errors import HostLacks

_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def debian_architecture(machine: str | None = None) -> str:
    """``amd64`` or ``arm64`` for a ``uname -m`` (default: this host's).

    Raises:
        HostLacks: another architecture.
    """
    machine = machine or platform.machine()
    if machine not in _NAMES:
        raise HostLacks(
            f"{machine} hosts are not supported",
            "Kernels and guest kits exist for x86-64 and 64-bit ARM.",
        )
    return _NAMES[machine]


def oci_platform(machine: str | None = None) -> str:
    """``linux/amd64`` or ``linux/arm64``. Raises as ``debian_architecture``."""
    return f"linux/{debian_architecture(machine)}"
