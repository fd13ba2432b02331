"""Kernels, as the facade offers them."""

from __future__ import annotations

from collections.abc import Sequence

from banger_tui.engine.catalog.entries import KernelEntry
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.context import Context
from banger_tui.engine.errors import NotFound
from banger_tui.engine.kernels.delete import delete_kernel
from banger_tui.engine.kernels.pull import PLAN, find_entry, pull
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Operation


class Kernels:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def list(self) -> list[KernelRecord]:
        return await self._ctx.store.kernels()

    async def get(self, name: str) -> KernelRecord:
        """Raises: NotFound."""
        kernel = await self._ctx.store.kernel_or_none(name)
        if kernel is None:
            raise NotFound(
                f"The kernel {name!r} is not here", "",
                f"See what is: banger-tui kernel list; get it: banger-tui kernel pull {name}",
            )  # fmt: skip
        return kernel

    def catalog(self) -> Sequence[KernelEntry]:
        """What can be pulled by name."""
        return tuple(embedded().kernels.values())

    async def pull(self, name: str) -> Operation[KernelRecord]:
        """Raises: NotInCatalog."""
        entry = await find_entry(name)
        return await self._ctx.operations.begin(
            "pull kernel", name, pull(self._ctx, entry), plan=PLAN
        )

    async def delete(self, name: str) -> None:
        """Raises: NotFound, InUse."""
        await delete_kernel(self._ctx, await self.get(name))
