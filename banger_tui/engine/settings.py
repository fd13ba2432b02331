"""What a person may set about the engine; every field has a default that works."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB, NetworkMode


@dataclass(frozen=True, slots=True)
class UserCatalog:
    """A catalog beside the embedded one.

    Args:
        location: a file's absolute path, or an https URL.
        sha256: of the file, 64 hex digits; "" accepts any.
    """

    location: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults of new VMs, and limits. Times are seconds."""

    image: str = "debian-bookworm"
    cpus: int = 1
    memory_mib: int = 512
    network: NetworkMode = NetworkMode.USER
    driver: str = "auto"
    """"auto" (the best this host can do), "qemu" or "fake"."""
    accelerator: str = "auto"
    """"auto", "kvm" or "tcg"."""
    ports: tuple[int, int] = (20000, 32000)
    """Host ports for ssh, [first, last): below Linux's ephemeral range (32768), so that no outgoing
    connection takes one by chance."""
    boot_cpu_seconds: float = 20.0
    """Processor time a VMM may burn without a word from its guest's kernel. Processor time, as on
    a loaded host a healthy boot takes any length of wall time."""
    ready_cpu_seconds: float = 90.0
    """Processor time until the guest must be ready."""
    boot_seconds: float = 600.0
    """Wall time after which a boot is given up whatever it burns."""
    stop_seconds: float = 20.0
    """How long a guest may take to power off before it is made to."""
    console_bytes: int = 8 * MIB
    """How much of each VM's serial line is kept on disk."""
    operations_kept: float = 30 * 86400.0
    limits: Limits = Limits()  # noqa: RUF009  # frozen, so shared safely
    catalogs: tuple[UserCatalog, ...] = ()
    """Catalogs a person added, in their order; they come before the embedded one."""

    def with_environment(self, env: Mapping[str, str] | None = None) -> Settings:
        """BANGER_DRIVER and BANGER_ACCELERATOR have precedence over the file."""
        env = os.environ if env is None else env
        return replace(
            self,
            driver=env.get("BANGER_DRIVER") or self.driver,
            accelerator=env.get("BANGER_ACCELERATOR") or self.accelerator,
        )
