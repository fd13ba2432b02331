"""The host's time stamp counter rate, measured without any privilege.

A microvm under TCG calibrates its clock against an emulated PIT and hangs in about one boot of
eight on a busy host; told the rate by ``tsc_early_khz=`` it does not calibrate at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import mmap
import os
import platform
import time
from pathlib import Path

# rdtsc; shl rdx, 32; or rax, rdx; ret
_RDTSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"
_REMEMBERED = 3600.0  # seconds


@functools.cache
def remembered_tsc_khz(cache: Path) -> int | None:
    """``tsc_khz``, measured once an hour and remembered in the file ``cache``. Blocking.

    The rate belongs to one boot of one machine; a host that is itself a VM may be moved to another
    machine, hence the hour.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(cache.read_text())
        if known["boot"] == boot and 0 <= time.time() - cache.stat().st_mtime < _REMEMBERED:
            return int(known["khz"])
    khz = tsc_khz()
    if khz is not None:
        temporary = cache.with_name(f".{cache.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps({"boot": boot, "khz": khz}))
            temporary.replace(cache)
    return khz


def tsc_khz() -> int | None:
    """Rate in kHz, None where it can't be had. Blocking for a quarter of a second."""
    if platform.machine() != "x86_64":
        return None
    try:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:  # a hardened kernel forbids writable code
        return None
    page.write(_RDTSC)
    code = ctypes.c_char.from_buffer(page)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(code))

    def sample() -> tuple[float, int]:
        """(time in ns, counter) with the least time between the two clock readings of twenty."""
        best: tuple[int, float, int] | None = None
        for _ in range(20):
            before = time.monotonic_ns()
            ticks = read()
            after = time.monotonic_ns()
            if best is None or after - before < best[0]:
                best = (after - before, (before + after) / 2, ticks)
        assert best is not None
        return best[1], best[2]

    start, start_ticks = sample()
    time.sleep(0.25)
    end, end_ticks = sample()
    return round((end_ticks - start_ticks) / (end - start) * 1e6)
