"""Images and kernels for the fake driver: the stages of real ones, and next to no bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.artefacts import Artefacts, Built, BuiltKernel
from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage


@dataclass
class FakeBuilders:
    """Builds in ``image_seconds`` and ``kernel_seconds``; counts how often it was asked."""

    image_seconds: float = 0.02
    kernel_seconds: float = 0.01
    images_built: int = 0
    kernels_built: int = 0
    gate: asyncio.Event | None = None
    """If set, image builds wait for it: a barrier for tests of what runs meanwhile."""

    @property
    def artefacts(self) -> Artefacts:
        return Artefacts(self.image, self.kernel)

    async def image(
        self, entry: ImageEntry, *, rootfs: Path, staging: Path, paths: Paths, stage: Stage
    ) -> Built:
        self.images_built += 1
        async with stage.stage("install packages") as nested:
            for done in range(11):
                nested.progress(done * 18 << 20, 180 << 20, "bytes")
                await asyncio.sleep(self.image_seconds / 11)
            if self.gate is not None:
                await self.gate.wait()
        async with stage.stage("build ext4"):
            await asyncio.to_thread(rootfs.write_bytes, b"no filesystem")
        return Built("sha256:" + "0" * 64, 180 << 20, entry.disk_bytes)

    async def kernel(
        self, entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage
    ) -> BuiltKernel:
        self.kernels_built += 1
        async with stage.stage("download") as nested:
            nested.progress(10 << 20, 10 << 20, "bytes")
            await asyncio.sleep(self.kernel_seconds)
            await asyncio.to_thread(_write_kernel, into)
        return BuiltKernel("6.1.0-fake", "sha256:" + "1" * 64, 10 << 20)


def _write_kernel(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for name in ("vmlinuz", "initrd.img"):
        (into / name).write_bytes(b"no kernel")
