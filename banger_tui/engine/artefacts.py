"""What makes images and kernels, as the pulls see it: two builders and what they return."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage


@dataclass(frozen=True, slots=True)
class Built:
    """``digest`` as of ``ext4.content_digest``; ``size_bytes`` taken on disk of ``disk_bytes``."""

    digest: str
    size_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class BuiltKernel:
    """``version`` is ``uname -r``; ``digest`` covers vmlinuz and initrd; size on disk in bytes."""

    version: str
    digest: str
    size_bytes: int


class ImageBuilder(Protocol):
    def __call__(
        self, entry: ImageEntry, *, rootfs: Path, staging: Path, paths: Paths, stage: Stage
    ) -> Coroutine[Any, Any, Built]:
        """Make the raw ext4 file ``rootfs``; all that is temporary goes to ``staging``."""
        ...


class KernelBuilder(Protocol):
    def __call__(
        self, entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage
    ) -> Coroutine[Any, Any, BuiltKernel]:
        """Fill the directory ``into``."""
        ...


@dataclass(frozen=True, slots=True)
class Artefacts:
    """The two builders that pulls call."""

    image: ImageBuilder
    kernel: KernelBuilder
