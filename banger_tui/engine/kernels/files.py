"""The files of a kernel that is here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.model import KernelRecord
from banger_tui.engine.paths import Paths


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """Absolute paths; ``modules``: names of those in its initrd."""

    directory: Path
    vmlinuz: Path
    initrd: Path
    modules: tuple[str, ...]


def files_of(paths: Paths, kernel: KernelRecord) -> KernelFiles:
    """Blocking."""
    directory = paths.kernel(kernel.name)
    modules = sorted(module.stem for module in (directory / "modules").glob("*.ko"))
    return KernelFiles(directory, directory / "vmlinuz", directory / "initrd.img", tuple(modules))
