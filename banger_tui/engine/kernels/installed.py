"""Kernels that are installed on this host: /boot and /lib/modules."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.errors import NotFound

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Installed:
    """Files of one kernel; None where the host has none."""

    kernel: Path
    modules: Path | None
    config: Path | None


def find(version: str = "", root: Path = Path("/")) -> Installed:
    """The kernel of this version (default: the one that runs). Blocking.

    Raises:
        NotFound: it isn't installed; the hint says which are.
    """
    wanted = version or platform.release()
    kernel = next((p for p in _places(root, wanted) if p.is_file()), None)
    if kernel is None:
        known = versions(root)
        hint = (
            f"There is: --installed {' or '.join(known)}"
            if known
            else "Import one by --deb or --kernel."
        )
        raise NotFound(
            f"The kernel {wanted} is not installed on this host",
            f"Neither {root}boot nor {root}lib/modules has its vmlinuz.",
            hint,
        )
    trees = (root / "lib/modules" / wanted, root / "usr/lib/modules" / wanted)
    config = next((p for p in (root / f"boot/config-{wanted}",) if p.is_file()), None)
    return Installed(kernel, next((p for p in trees if p.is_dir()), None), config)


def versions(root: Path = Path("/")) -> list[str]:
    """What is installed, by name. Blocking."""
    named = [path.name.removeprefix("vmlinuz-") for path in (root / "boot").glob("vmlinuz-*")]
    named += [path.parent.name for path in (root / "lib/modules").glob("*/vmlinuz")]
    return sorted({version for version in named if _VERSION.fullmatch(version)})


def _places(root: Path, version: str) -> list[Path]:
    if not _VERSION.fullmatch(version):
        return []
    # Debian has it in /boot, Fedora with its modules, too.
    modules = [root / base / "lib/modules" / version / "vmlinuz" for base in ("", "usr")]
    return [root / "boot" / f"vmlinuz-{version}", *modules]
