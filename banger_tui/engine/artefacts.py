"""What makes images and kernels, as the pulls see it: two builders and what they return."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import KernelRecord, LayerRecord
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One image to make.

    Args:
        platform: "linux/arm64"; "" is the host's.
        size_bytes: the filesystem's size; None: as the entry or the content asks for.
        insecure: plain http is fine with the registry (loopback needs no leave).
        plain: the root filesystem exactly as the layers say, without the guest kit.
    """

    entry: ImageEntry
    platform: str = ""
    size_bytes: int | None = None
    insecure: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a builder works: ``rootfs`` is the raw ext4 file to make, in a directory whose other
    files are published with it; ``staging`` holds all that is temporary."""

    rootfs: Path
    staging: Path
    paths: Paths
    limits: Limits


@dataclass(frozen=True, slots=True)
class Built:
    """What was made. ``digest`` as of ``ext4.content_digest``; ``size_bytes`` taken on disk of
    ``disk_bytes``; the rest as in ``ImageRecord``. ``bundled_kernel``: a kernel that came along,
    its files in ``kernel/`` beside rootfs."""

    digest: str
    size_bytes: int
    disk_bytes: int
    kernel: str = ""
    init: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    provenance: str = ""
    platform: str = ""
    layers: tuple[LayerRecord, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    bundled_kernel: KernelRecord | None = None


@dataclass(frozen=True, slots=True)
class BuiltKernel:
    """``version`` is ``uname -r``; ``digest`` covers vmlinuz and initrd; size on disk in bytes."""

    version: str
    digest: str
    size_bytes: int


class ImageBuilder(Protocol):
    def __call__(
        self, request: ImageRequest, place: Workplace, stage: Stage
    ) -> Coroutine[Any, Any, Built]:
        """Make ``place.rootfs``. Each part is a nested stage of ``stage``."""
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
