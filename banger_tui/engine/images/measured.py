"""A root filesystem that was made: checked, and measured for its record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from banger_tui.engine.artefacts import Built
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish
from banger_tui.engine.threads import in_stoppable_thread


async def measured(built: Built, rootfs: Path, stage: Stage) -> Built:
    """Check the filesystem, and fill in digest and sizes. The stage "check".

    Raises:
        ToolFailed: it is damaged.
    """
    async with stage.stage("check") as nested:
        # Both only read: side by side they take no longer than one.
        digesting = asyncio.ensure_future(
            in_stoppable_thread(lambda stop: inspect.content_digest(rootfs, stop))
        )
        try:
            await inspect.check(rootfs, nested)
            digest = await digesting
        finally:
            digesting.cancel()
            await finish(asyncio.wait([digesting]))
        used = await asyncio.to_thread(inspect.disk_usage, rootfs)
        size = (await asyncio.to_thread(rootfs.stat)).st_size
    return replace(built, digest=digest, size_bytes=used, disk_bytes=size)
