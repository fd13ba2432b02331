"""Where the files are in a Debian package: an ar archive with ``data.tar`` in it (deb(5)).

Read here and not by dpkg-deb, so that it works on any host and writes nothing that was not asked
for.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from banger_tui.engine.catalog.fields import shown
from banger_tui.engine.errors import BadContent

_MAGIC = b"!<arch>\n"
_HEADER = 60
_END = b"`\n"
_MOST_MEMBERS = 16


def data_member(package: Path) -> tuple[int, int]:
    """First byte and number of bytes of its ``data.tar``, however that is compressed. Blocking.

    Raises:
        BadContent: this is no Debian package, or a damaged one.
    """
    with package.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _bad(package, "It does not begin as one.")
        end = file.seek(0, 2)
        at = len(_MAGIC)
        for number in range(_MOST_MEMBERS):
            name, size = _header(file, at, package)
            start = at + _HEADER
            if start + size > end:
                raise _bad(package, f"Its part {shown(name)} is cut short.")
            if number == 0 and name != "debian-binary":
                raise _bad(package, "It has no debian-binary.")
            if name == "data.tar" or name.startswith("data.tar."):
                return start, size
            at = start + size + size % 2
    raise _bad(package, "It has no data.tar.")


def _header(file: BinaryIO, at: int, package: Path) -> tuple[str, int]:
    file.seek(at)
    header = file.read(_HEADER)
    size = header[48:58].strip()
    if len(header) < _HEADER or header[58:] != _END or not size.isdigit():
        raise _bad(package, f"Byte {at} should begin another part of it.")
    return header[:16].decode(errors="replace").rstrip(" /"), int(size)


def _bad(package: Path, reason: str) -> BadContent:
    return BadContent(f"{package.name} is no sound Debian package", reason)
