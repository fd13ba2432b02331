"""The files in a tar archive, by name, read where they lie: nothing of it is ever unpacked."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from banger_tui.engine.catalog.fields import shown
from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.compression import compression_of, expanded
from banger_tui.engine.layers.archive import members
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.tree import Extent, Kind
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import GIB, MIB
from banger_tui.engine.threads import Stop, go_on

# A kernel's package with all modules is about 0.5 GiB unpacked.
_MAX_ARCHIVE = 8 * GIB
_PIECE = 1 << 20

#: Told how many bytes of an archive were read, of how many; called in the thread that reads.
Tell = Callable[[int, int], object]


class TarFiles:
    """Regular files of an uncompressed archive; the last of several of one name counts. Blocking.

    Raises:
        BadContent, LimitExceeded
    """

    def __init__(self, archive: Path, limits: Limits, stop: Stop, what: str) -> None:
        self._archive = archive
        self._what = what
        self._files: dict[str, tuple[int, tuple[Extent, ...]]] = {}
        with archive.open("rb") as file:
            try:
                for member in members(file, limits, meter=Meter(limits, stop)):
                    if member.kind is Kind.FILE:
                        name = posixpath.normpath(member.name.decode(errors="replace"))
                        self._files[name.lstrip("/")] = (member.size, member.extents)
            except BadContent as error:
                raise type(error)(f"{what} can't be read", error.detail, error.hint) from error

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        """Names without a leading ``./`` or ``/``."""
        return iter(self._files)

    def read(self, name: str, limit: int) -> bytes:
        """Raises: BadContent: it has more than ``limit`` bytes. KeyError."""
        size, extents = self._files[name]
        if size > limit:
            raise BadContent(f"{self._what} can't be used", f"{shown(name)} has {size // MIB} MiB.")
        data = bytearray(size)
        with self._archive.open("rb") as file:
            for extent in extents:
                file.seek(extent.offset)
                data[extent.position : extent.position + extent.length] = file.read(extent.length)
        return bytes(data)


def unpacked(
    archive: Path, part: tuple[int, int], into: Path, limit: int, stop: Stop, tell: Tell, what: str
) -> None:
    """Write what is compressed in a part of a file (first byte, bytes) to ``into``, ``limit`` bytes
    at the most. Blocking.

    Raises:
        BadContent
    """
    with archive.open("rb") as source, into.open("wb") as target:
        for piece in expanded(_pieces(source, part, stop, tell), min(limit, _MAX_ARCHIVE), what):
            go_on(stop)
            target.write(piece)


def is_compressed(archive: Path) -> bool:
    """Blocking."""
    with archive.open("rb") as file:
        return compression_of(file.read(16)) is not None


def _pieces(file: BinaryIO, part: tuple[int, int], stop: Stop, tell: Tell) -> Iterator[bytes]:
    file.seek(part[0])
    done = 0
    while piece := file.read(min(_PIECE, part[1] - done)):
        go_on(stop)
        done += len(piece)
        tell(done, part[1])
        yield piece
