"""Pulls that were under way when the app was left: begun again at its next start.

What was downloaded is in the blob cache and counts; only the rest is moved.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import secrets
from pathlib import Path

from banger_tui.engine.images.request import PullSpec


@dataclasses.dataclass(frozen=True, slots=True)
class Remembered:
    """A pull that was written down; ours alone until it is released."""

    spec: PullSpec
    path: Path
    descriptor: int

    def forget(self) -> None:
        """It has been begun. Blocking."""
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Whoever starts next may have it, if it was not forgotten."""
        os.close(self.descriptor)


def remember(directory: Path, spec: PullSpec) -> None:
    """Write down a pull for the next start. Blocking."""
    directory.mkdir(mode=0o700, exist_ok=True)
    target = directory / f"{secrets.token_hex(6)}.json"
    temporary = target.with_suffix(".new")
    temporary.write_text(json.dumps(dataclasses.asdict(spec)))
    temporary.replace(target)


def claim(directory: Path) -> list[Remembered]:
    """The pulls that were written down: of two processes that start at once, one gets each. What
    can't be read is removed. Blocking."""
    found = []
    for path in sorted(directory.glob("*.json")) if directory.is_dir() else []:
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if (spec := _locked(descriptor, path)) is not None:
                found.append(Remembered(spec, path, descriptor))
            else:
                os.close(descriptor)
    return found


def _locked(descriptor: int, path: Path) -> PullSpec | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its owner may have begun and removed it between our open and our lock.
        if os.fstat(descriptor).st_nlink == 0:
            return None
    except OSError:
        return None
    try:
        return PullSpec(**json.loads(os.read(descriptor, 1 << 20)))
    except (ValueError, TypeError):
        path.unlink(missing_ok=True)
        return None
