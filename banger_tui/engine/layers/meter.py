"""How much has been read of an image, held against its limits."""

from __future__ import annotations

from collections.abc import Callable

from banger_tui.engine.errors import OperationCancelled
from banger_tui.engine.layers.refusal import exceeded
from banger_tui.engine.limits import Limits

_MEMORY = 512
"""Bytes of names, attributes and extents that an entry may keep in memory, taken over all of them.
Real images need 100."""

_STEPS = 100
"""Path components that an entry may pass through, taken over all of them. Real images need 10."""

_FREE_MEMORY = 64 << 20
_FREE_STEPS = 1_000_000
"""Allowed however small ``max_entries`` is."""


def never() -> bool:
    """The ``stop`` of work that nobody cancels."""
    return False


class Meter:
    """Counts over all layers of an image.

    Args:
        stop: asked now and then, by the thread that works; True ends the work.
    """

    def __init__(self, limits: Limits, stop: Callable[[], bool] = never) -> None:
        self.limits = limits
        self.entries = 0
        self.content_bytes = 0
        self._stop = stop
        self._memory = 0
        self._most_memory = _FREE_MEMORY + _MEMORY * limits.max_entries
        self._steps = 0
        self._most_steps = _FREE_STEPS + _STEPS * limits.max_entries

    def entry(self) -> None:
        """One more entry.

        Raises:
            LimitExceeded: ``max_entries``.
            OperationCancelled: ``stop`` says so.
        """
        self.entries += 1
        if self.entries > self.limits.max_entries:
            raise exceeded("max_entries", self.limits.max_entries, "It has more entries")
        if not self.entries & 0xFF:
            self.go_on()

    def memory(self, size: int) -> None:
        """Bytes of an entry that stay in memory.

        Raises:
            LimitExceeded: ``max_entries``, as the bound grows with it.
        """
        self._memory += size
        if self._memory > self._most_memory:
            raise exceeded(
                "max_entries",
                self.limits.max_entries,
                "Its names and attributes would fill the memory",
            )

    def content(self, size: int) -> None:
        """A file of ``size`` bytes, holes among them.

        Raises:
            LimitExceeded: ``max_rootfs_bytes``.
        """
        self.content_bytes += size
        if self.content_bytes > self.limits.max_rootfs_bytes:
            raise exceeded(
                "max_rootfs_bytes",
                self.limits.max_rootfs_bytes,
                f"Its files come to {self.content_bytes:,} bytes or more",
            )

    def steps(self, count: int) -> None:
        """Path components passed through.

        Raises:
            LimitExceeded: ``max_entries``, as the bound grows with it.
        """
        self._steps += count
        if self._steps > self._most_steps:
            raise exceeded(
                "max_entries",
                self.limits.max_entries,
                "Its names pass through too many directories and symbolic links",
            )

    def go_on(self) -> None:
        """Ask whether to.

        Raises:
            OperationCancelled: ``stop`` says no.
        """
        if self._stop():
            raise OperationCancelled("Stopped")
