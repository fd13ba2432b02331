"""Whether the disk has room, and what to say when it has none."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from banger_tui.engine.errors import BangerError, NotEnoughDisk, StorageFailure, ToolFailed
from banger_tui.engine.model import MIB

_ALMOST_FULL = MIB // 4


def check_room(directory: Path, needed: int) -> None:
    """Blocking.

    Raises:
        NotEnoughDisk
    """
    if shutil.disk_usage(directory).free < needed:
        raise no_room(directory, needed)


def sparse(target: Path, size_bytes: int) -> None:
    """A file of that size without anything in it. Blocking.

    Raises:
        NotEnoughDisk, StorageFailure
    """
    try:
        with target.open("wb") as file:
            file.truncate(size_bytes)
    except OSError as error:
        raise unwritable(error, target.parent, size_bytes) from error


def unwritable(error: OSError, directory: Path, needed: int) -> BangerError:
    """What a failed write means."""
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return no_room(directory, needed)
    return StorageFailure("Can't build the filesystem", f"{directory}: {error.strerror or error}.")


def met_by_tool(error: ToolFailed, directory: Path, needed: int) -> NotEnoughDisk | None:
    """The error of a tool that has met a full disk, whose own words for that are many."""
    words = error.tail.lower()
    told = "no space left" in words or "disk quota" in words or "enospc" in words
    if told or shutil.disk_usage(directory).free < _ALMOST_FULL:
        return no_room(directory, needed)
    return None


def no_room(directory: Path, needed: int) -> NotEnoughDisk:
    free = shutil.disk_usage(directory).free
    return NotEnoughDisk(
        "Too little room for the image",
        f"{directory} has {free // MIB} MiB free; its files have {needed // MIB} MiB.",
        "Delete images or VMs, run banger-tui image prune, or set BANGER_HOME=DIR to another disk.",
    )
