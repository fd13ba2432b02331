"""What makes images and kernels: the real builders, or others put in their place."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.images.build import Built
from banger_tui.engine.images.build import build as build_image
from banger_tui.engine.kernels.build import BuiltKernel
from banger_tui.engine.kernels.build import build as build_kernel
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage


class ImageBuilder(Protocol):
    def __call__(
        self, entry: ImageEntry, *, rootfs: Path, staging: Path, paths: Paths, stage: Stage
    ) -> Coroutine[Any, Any, Built]: ...


class KernelBuilder(Protocol):
    def __call__(
        self, entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage
    ) -> Coroutine[Any, Any, BuiltKernel]: ...


@dataclass(frozen=True, slots=True)
class Artefacts:
    """The two builders that pulls call."""

    image: ImageBuilder = build_image
    kernel: KernelBuilder = build_kernel


