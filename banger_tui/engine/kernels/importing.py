"""Import a kernel of a person's own: read, judged, given our initrd, published."""

from __future__ import annotations

import asyncio
import re
import time

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidName
from banger_tui.engine.kernels import shell
from banger_tui.engine.kernels.assemble import Parts, assemble
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.kernels.modules import Module
from banger_tui.engine.kernels.needs import check_config, loading_lists
from banger_tui.engine.kernels.publish import publish_kernel
from banger_tui.engine.kernels.sources import Found, KernelSource, read
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.operations import Run
from banger_tui.engine.pulls import Work
from banger_tui.engine.staging import staging_directory
from banger_tui.engine.threads import Stop, in_stoppable_thread

PLAN = ("read", "modules", "initrd", "publish")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_name(name: str) -> None:
    """Raises: InvalidName."""
    if not _NAME.fullmatch(name):
        raise InvalidName(
            f"{name!r} can't be a kernel's name",
            "It takes up to 63 of a-z, 0-9, dot, underscore and dash, a letter or digit first.",
        )


def import_kernel(ctx: Context, name: str, source: KernelSource) -> Work[KernelRecord]:
    """The work of "import kernel".

    The very same kernel may be here under the name already: then that one is taken. It raises what
    its stages raise, and NameTaken when another kernel has the name.
    """

    async def work(run: Run) -> KernelRecord:
        staging = await staging_directory(ctx.paths, run)
        loop = asyncio.get_running_loop()
        async with run.stage("read") as stage:

            def tell(done: int, total: int) -> None:
                loop.call_soon_threadsafe(stage.progress, done, total, "bytes")

            found = await in_stoppable_thread(read, source, staging, ctx.settings.limits, tell)
            stage.note(f"Linux {found.about.version}")
            here = await kernels(ctx).find(name)
            if here is not None and here.version != found.about.version:
                raise kernels(ctx).taken(here)
        async with run.stage("modules") as stage:
            lists = await in_stoppable_thread(_judged, found)
            stage.note(found.note or f"{sum(map(len, lists.values()))} of its modules are needed")
        directory = staging / "kernel"
        async with run.stage("initrd") as stage:
            init = await shell.busybox(ctx.paths, stage)
            parts = Parts(found.image, found.about.version, lists, found.initrd)
            built = await in_stoppable_thread(
                lambda stop: assemble(name, parts, init, directory, stop)
            )
        kernel = KernelRecord(
            name=name, version=built.version, digest=built.digest, source=found.source,
            size_bytes=built.size_bytes, created_at=time.time(),
        )  # fmt: skip
        return await publish_kernel(ctx, run, directory, kernel, stage="publish")

    return work


def _judged(stop: Stop, found: Found) -> dict[str, list[Module]]:
    """The modules a guest needs, by when they are loaded.

    Raises:
        BadContent: the kernel lacks something, and what.
    """
    if found.config is not None:
        check_config(found.config, found.about.architecture, with_modules=found.modules is not None)
    if found.modules is None:
        return {"order": [], "pci": [], "later": []}
    return loading_lists(found.modules, version=found.about.version, stop=stop)
