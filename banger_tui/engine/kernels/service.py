"""Kernels, as the facade offers them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.context import Context
from banger_tui.engine.kernels import importing
from banger_tui.engine.kernels.files import KernelFiles, files_of
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.kernels.pull import PLAN, find_entry, pull
from banger_tui.engine.kernels.sources import KernelSource
from banger_tui.engine.kernels.vmlinux import vmlinux
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Operation


class Kernels:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._here = kernels(ctx)

    async def list(self) -> list[KernelRecord]:
        return await self._ctx.store.kernels()

    async def get(self, name: str) -> KernelRecord:
        """Raises: NotFound."""
        return await self._here.get(name)

    async def files(self, kernel: KernelRecord) -> KernelFiles:
        """Where its files are."""
        return await asyncio.to_thread(files_of, self._ctx.paths, kernel)

    async def vmlinux(self, kernel: KernelRecord) -> Path:
        """The kernel uncompressed, for programs that load it themselves; made when first asked for.

        Raises:
            BadContent, NotFound
        """
        return await vmlinux(self._ctx, kernel)

    async def used_by(self) -> dict[str, tuple[str, ...]]:
        """What needs a kernel ("web", "image alpine"), by the kernel's name."""
        found: dict[str, tuple[str, ...]] = {}
        for vm in await self._ctx.store.vms():
            found[vm.kernel] = (*found.get(vm.kernel, ()), vm.name)
        for image in await self._ctx.store.images():
            found[image.kernel] = (*found.get(image.kernel, ()), f"image {image.name}")
        return found

    async def catalog(self, *, refresh: bool = False) -> Catalog:
        """What can be pulled by name; ``refresh`` as for images."""
        return await self._ctx.catalogs.load(refresh=refresh)

    async def pull(self, name: str) -> Operation[KernelRecord]:
        """Raises: NotInCatalog."""
        entry = await find_entry(self._ctx, name)
        return await self._ctx.operations.begin(
            "pull kernel", name, pull(self._ctx, entry), plan=PLAN
        )

    async def import_kernel(self, name: str, source: KernelSource) -> Operation[KernelRecord]:
        """Make a kernel of a person's own: of files, of a Debian package, of the host's.

        Raises:
            InvalidName
        """
        importing.check_name(name)
        return await self._ctx.operations.begin(
            "import kernel", name, importing.import_kernel(self._ctx, name, source),
            plan=importing.PLAN,
        )  # fmt: skip

    async def delete(self, name: str) -> None:
        """Raises: NotFound, InUse."""
        await self._here.remove(name)
