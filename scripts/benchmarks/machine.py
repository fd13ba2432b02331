"""What the numbers were taken on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from banger_tui.engine.hypervisors.kvm import kvm_usable
from banger_tui.engine.vms.spec import memory_total


def described() -> list[tuple[str, str]]:
    """(what, value) of the hardware and of what runs on it; nothing that names the machine."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    usable, why = kvm_usable()
    return [
        ("processor", model[1].strip() if model else platform.machine()),
        ("cores", str(os.cpu_count())),
        ("memory", f"{memory_total() / (1 << 30):.1f} GiB"),
        ("kernel", platform.release().split("-")[0]),
        ("Python", platform.python_version()),
        ("QEMU", _qemu()),
        ("accelerator", "KVM" if usable else f"TCG ({why})"),
    ]


def load() -> float:
    """Programs that wanted to run over the last minute, on average: a busy machine measures ill."""
    return os.getloadavg()[0]


def _qemu() -> str:
    binary = f"qemu-system-{platform.machine()}"
    try:
        words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
    found = re.search(r"version (\S+)", words.stdout)
    return found[1] if found else "unknown"
