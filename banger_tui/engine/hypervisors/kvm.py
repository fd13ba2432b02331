"""Whether KVM is really usable, which the mere presence of /dev/kvm does not say."""

from __future__ import annotations

import functools
import os
import platform
import re
from pathlib import Path


@functools.cache
def kvm_usable() -> tuple[bool, str]:
    """(usable, why not).

    On x86-64 the CPU must show vmx or svm *and* kvm_intel or kvm_amd must be there: hosts exist
    whose /dev/kvm opens and even runs a ``hlt``, yet hangs every ordinary guest.
    """
    device = Path("/dev/kvm")
    if not device.exists():
        return False, "there is no /dev/kvm"
    if not os.access(device, os.R_OK | os.W_OK):
        return False, "/dev/kvm is not yours to open (join the group kvm)"
    if platform.machine() != "x86_64":
        return True, ""
    try:
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        flags = None
    if flags is None or not {"vmx", "svm"} & set(flags[1].split()):
        return False, "the processor shows neither vmx nor svm"
    if not any(Path("/sys/module", name).exists() for name in ("kvm_intel", "kvm_amd")):
        return False, "neither kvm_intel nor kvm_amd is loaded"
    return True, ""
