"""The directory beside a copy's place in which it arrives. Blocking.

Whoever fills it holds a lock on it, which the kernel takes back from whoever dies: so the next copy
to that place knows what was left behind, and removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Final

_PREFIX: Final = ".banger-copy-"
_NAME: Final = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{8}")
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make(parent: Path) -> tuple[Path, int]:
    """A new one and its descriptor, which holds the lock until it is closed. Raises: OSError"""
    _sweep(parent)
    while True:
        path = parent / f"{_PREFIX}{secrets.token_hex(4)}"
        path.mkdir(mode=0o700)
        descriptor = os.open(path, _DIRECTORY)
        try:
            # Some network filesystems have no locks: what is left there stays.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return path, descriptor
            # Another copy took it for one that was left behind, before it was locked.
        except BaseException:  # no descriptor stays open, whatever ends us
            os.close(descriptor)
            raise
        os.close(descriptor)


def _sweep(parent: Path) -> None:
    """Remove what dead processes of this user left there."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            if _NAME.fullmatch(name):
                _remove_if_left(parent / name)


def _remove_if_left(path: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, _DIRECTORY)
        try:
            if os.fstat(descriptor).st_uid == os.geteuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
        finally:
            os.close(descriptor)
