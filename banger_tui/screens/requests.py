"""What a person asks for on the screens of images and kernels: begun now, or once more later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banger_tui.engine.images.request import PullSpec

if TYPE_CHECKING:
    from banger_tui.engine.api import Engine
    from banger_tui.engine.kernels.sources import KernelSource
    from banger_tui.engine.operations import Operation


@dataclass(frozen=True, slots=True)
class PullImage:
    spec: PullSpec

    async def begin(self, engine: Engine) -> Operation[Any]:
        spec = self.spec
        return await engine.images.pull(
            spec.reference,
            name=spec.name,
            platform=spec.platform,
            size_bytes=spec.size_bytes,
            insecure=spec.insecure,
            plain=spec.plain,
        )


@dataclass(frozen=True, slots=True)
class RegisterImage:
    rootfs: Path
    name: str
    kernel: str = ""
    in_place: bool = False

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.images.register(
            self.rootfs, self.name, kernel=self.kernel, in_place=self.in_place
        )


@dataclass(frozen=True, slots=True)
class PromoteMachine:
    machine: str
    name: str

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.images.promote(self.machine, self.name)


@dataclass(frozen=True, slots=True)
class ExportImage:
    name: str
    target: Path

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.images.export(self.name, self.target)


@dataclass(frozen=True, slots=True)
class PushImage:
    name: str
    reference: str
    insecure: bool = False

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.images.push(self.name, self.reference, insecure=self.insecure)


@dataclass(frozen=True, slots=True)
class PullKernel:
    name: str

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.kernels.pull(self.name)


@dataclass(frozen=True, slots=True)
class ImportKernel:
    name: str
    source: KernelSource

    async def begin(self, engine: Engine) -> Operation[Any]:
        return await engine.kernels.import_kernel(self.name, self.source)
