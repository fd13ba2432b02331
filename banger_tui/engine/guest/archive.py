"""Tar archives that are the same bytes for the same content: sorted, root's, time 0."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path

from banger_tui.engine.kernels.cpio import Entry


def write_tar(entries: Iterable[Entry], target: Path) -> None:
    """Write the entries to ``target``, whole or not at all. Blocking.

    Raises:
        ValueError: two entries have one name.
    """
    temporary = target.with_name(f".{target.name}.{id(entries):x}")
    names: set[str] = set()
    try:
        with tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT) as archive:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name in names:
                    raise ValueError(f"repeated name in archive: {entry.name!r}")
                names.add(entry.name)
                archive.addfile(_info(entry), io.BytesIO(entry.data))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _info(entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(entry.name)
    info.mode = stat.S_IMODE(entry.mode)
    if stat.S_ISDIR(entry.mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(entry.mode):
        info.type, info.linkname = tarfile.SYMTYPE, entry.data.decode()
    else:
        info.size = len(entry.data)
    return info
