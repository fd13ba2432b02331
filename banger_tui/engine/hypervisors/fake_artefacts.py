"""Images and kernels for the fake driver: the stages of real ones, and next to no bytes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from banger_tui.engine.artefacts import Artefacts, Built, BuiltKernel, ImageRequest, Workplace
from banger_tui.engine.catalog.entries import (
    ArtifactSource,
    BundleSource,
    DebianSource,
    ImageEntry,
    KernelEntry,
    OciSource,
)
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import GIB, MIB, LayerRecord
from banger_tui.engine.oci.digests import short
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage

_STEPS = 10
_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIG = {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
    "Cmd": ["/bin/sh"],
    "WorkingDir": "/srv",
    "Labels": {"org.opencontainers.image.title": "made up"},
}


@dataclass
class FakeBuilders:
    """Builds in ``image_seconds`` and ``kernel_seconds``; counts how often it was asked.

    Stages of images: install packages, read manifest, download, verify, unpack, flatten, guest kit,
    build ext4, check; of kernels: download. ``hooks[stage]`` is awaited at a stage's end with the
    name of what is built, ``failures[stage]`` is raised there. ``layers`` are the sizes of a
    container image's, in bytes.
    """

    image_seconds: float = 0.02
    kernel_seconds: float = 0.01
    layers: tuple[int, ...] = (29 * MIB, 12 * MIB, 9 * MIB, 2 * MIB)
    hooks: dict[str, Callable[[str], Awaitable[None]]] = field(default_factory=dict)
    failures: dict[str, BangerError] = field(default_factory=dict)
    images_built: int = 0
    kernels_built: int = 0
    gate: asyncio.Event | None = None
    """If set, image builds wait for it: a barrier for tests of what runs meanwhile."""

    @property
    def artefacts(self) -> Artefacts:
        return Artefacts(self.image, self.kernel)

    async def image(self, request: ImageRequest, place: Workplace, stage: Stage) -> Built:
        entry = request.entry
        self.images_built += 1
        layers: tuple[LayerRecord, ...] = ()
        provenance = ""
        match entry.source:
            case OciSource(reference):
                layers = self._layers(entry)
                provenance = f"{reference.partition('@')[0]}@{_digest(reference)}"
                async with self._stage(stage, "read manifest", entry.name) as nested:
                    nested.note(reference)
                await self._download(stage, entry, layers)
                await self._counted(stage, "verify", entry, sum(self.layers), 0.1)
            case BundleSource() | ArtifactSource():
                await self._counted(stage, "download", entry, 60 * MIB, 0.6)
                await self._counted(stage, "unpack", entry, 180 * MIB, 0.3)
            case DebianSource():
                await self._counted(stage, "install packages", entry, 180 * MIB, 0.8)
        if self.gate is not None:
            await self.gate.wait()
        if not isinstance(entry.source, BundleSource | ArtifactSource):
            async with self._stage(stage, "flatten", entry.name):
                await asyncio.sleep(self.image_seconds * 0.05)
            if not request.plain:
                async with self._stage(stage, "guest kit", entry.name):
                    pass
            await self._counted(stage, "build ext4", entry, 180 * MIB, 0.1)
        async with self._stage(stage, "check", entry.name):
            await asyncio.to_thread(place.rootfs.write_bytes, b"no filesystem")
        size = request.size_bytes or entry.disk_bytes or GIB
        kernel, init = ("", "") if request.plain else (entry.kernel, entry.init or "/.banger/init")
        return Built(
            "sha256:" + "0" * 64, 180 * MIB, size, kernel, init, _CONFIG if layers else {},
            provenance, request.platform or "linux/amd64", layers,
        )  # fmt: skip

    async def kernel(
        self, entry: KernelEntry, *, into: Path, paths: Paths, stage: Stage
    ) -> BuiltKernel:
        self.kernels_built += 1
        async with self._stage(stage, "download", entry.name) as nested:
            nested.progress(10 * MIB, 10 * MIB, "bytes")
            await asyncio.sleep(self.kernel_seconds)
            await asyncio.to_thread(_write_kernel, into)
        return BuiltKernel("6.1.0-fake", "sha256:" + "1" * 64, 10 * MIB)

    @asynccontextmanager
    async def _stage(self, parent: Stage, name: str, subject: str) -> AsyncIterator[Stage]:
        async with parent.stage(name) as nested:
            yield nested
            if hook := self.hooks.get(name):
                await hook(subject)
            if failure := self.failures.get(name):
                raise failure

    async def _counted(
        self, parent: Stage, name: str, entry: ImageEntry, size: int, share: float
    ) -> None:
        """A stage that counts up to ``size`` bytes within a share of all the time there is."""
        async with self._stage(parent, name, entry.name) as nested:
            await self._count(nested, size, self.image_seconds * share)

    async def _download(
        self, parent: Stage, entry: ImageEntry, layers: tuple[LayerRecord, ...]
    ) -> None:
        """All layers side by side, the larger for longer; the whole has the sum."""
        async with self._stage(parent, "download", entry.name) as nested:
            total = sum(layer.size_bytes for layer in layers)
            largest = max(layer.size_bytes for layer in layers)
            done: dict[str, int] = {}
            nested.progress(0, total, "bytes")

            def tell(layer: LayerRecord, count: int) -> None:
                done[layer.digest] = count
                nested.progress(sum(done.values()), total)

            async def one(layer: LayerRecord) -> None:
                async with nested.stage(short(layer.digest)) as part:
                    seconds = self.image_seconds * 0.7 * layer.size_bytes / largest
                    await self._count(
                        part, layer.size_bytes, seconds, lambda count: tell(layer, count)
                    )

            async with asyncio.TaskGroup() as group:
                for layer in layers:
                    group.create_task(one(layer))

    @staticmethod
    async def _count(
        stage: Stage, size: int, seconds: float, tell: Callable[[int], None] | None = None
    ) -> None:
        # Slow enough to be looked at, it moves as smoothly as a real one.
        steps = max(_STEPS, min(200, round(seconds / 0.1)))
        for step in range(steps + 1):
            stage.progress(size * step // steps, size, "bytes")
            if tell is not None:
                tell(size * step // steps)
            await asyncio.sleep(seconds / (steps + 1))

    def _layers(self, entry: ImageEntry) -> tuple[LayerRecord, ...]:
        return tuple(
            LayerRecord(_digest(f"{entry.name} {number}"), size, _MEDIA_TYPE)
            for number, size in enumerate(self.layers)
        )


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _write_kernel(into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for name in ("vmlinuz", "initrd.img"):
        (into / name).write_bytes(b"no kernel")
