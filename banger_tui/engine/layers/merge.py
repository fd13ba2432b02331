"""Layers merged into one tree, as the OCI image specification says.

Each layer is read in whole, then done in two passes: its entries in their order, then what it hides
of the layers below. Nothing can leave the tree, as there is nothing but the tree: names with ``..``
are refused, and symbolic links are followed inside the root alone, as a chroot would.

An entry replaces the name, not the inode: other hard links keep what they had. Only a directory
over a directory keeps its children and takes the new metadata. A hard link is another name of the
inode it finds (a symbolic link, too); what its own header says of owner and mode counts for
nothing. Directories that no entry speaks of are 0755 and root's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from banger_tui.engine.layers.application import Application
from banger_tui.engine.layers.changeset import read
from banger_tui.engine.layers.meter import Meter, never
from banger_tui.engine.layers.refusal import broken
from banger_tui.engine.layers.tree import Node, Totals, new_root, totals, walk
from banger_tui.engine.limits import Limits

_NAMES_MAX: Final = 65_000
"""Of one inode (ext4: EXT4_LINK_MAX)."""


class Merge:
    """Takes layers, lowest first. Methods block; use them from one thread.

    After an error the tree is of no use.

    Args:
        limits: over all layers together.
        stop: asked now and then; True ends the work with ``OperationCancelled``.

    Attributes:
        root: the tree so far.
    """

    def __init__(self, limits: Limits, *, stop: Callable[[], bool] = never) -> None:
        self.root: Node = new_root()
        self._meter = Meter(limits, stop)
        self._links = 0

    @property
    def entries(self) -> int:
        """Entries of all layers, and directories made for want of one."""
        return self._meter.entries

    def totals(self) -> Totals:
        """What the tree comes to now."""
        return totals(self.root)

    def add(self, archive: BinaryIO, source: Path) -> None:
        """Lay one more layer over the tree. Blocking.

        Args:
            archive: an uncompressed tar, open at ``source``, which must stay as it is until the
                tree's contents were read.

        Raises:
            BadContent, LimitExceeded, OperationCancelled
        """
        changes = read(archive, source, self._meter)
        self._links += Application(self.root, changes, self._meter).apply()
        if self._links > _NAMES_MAX:
            self._check_names()

    def _check_names(self) -> None:
        names: Counter[Node] = Counter()
        for path, node in walk(self.root):
            names[node] += 1
            if names[node] > _NAMES_MAX:
                raise broken(f"a file has more than {_NAMES_MAX:,} names", path)
