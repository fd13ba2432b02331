"""Programs run as root or as a user without any rights, and places that such a user can enter."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def open_directory(owner: int | None = None) -> Iterator[Path]:
    """A new directory that everybody can enter (pytest's own can't be); gone again afterwards.

    Args:
        owner: whose it is; None: of whoever runs this.
    """
    directory = Path(tempfile.mkdtemp(prefix="banger-ext4-"))
    try:
        directory.chmod(0o755)
        if owner is not None:
            os.chown(directory, owner, owner)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
