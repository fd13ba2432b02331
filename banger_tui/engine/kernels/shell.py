"""The static busybox that a guest's first init is made of: the guest kit's."""

from __future__ import annotations

from banger_tui.engine.guest import kit
from banger_tui.engine.kernels.tar_files import TarFiles
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage
from banger_tui.engine.threads import Stop, in_stoppable_thread

_BUSYBOX = ".banger/bin/busybox"
_MOST = 64 * MIB


async def busybox(paths: Paths, stage: Stage) -> bytes:
    """Its content; the kit is made first where there is none.

    Raises:
        MissingTool, ToolFailed
    """
    archive = await kit.ensure(paths, stage)

    def read(stop: Stop) -> bytes:
        return TarFiles(archive, Limits(), stop, "The guest kit").read(_BUSYBOX, _MOST)

    return await in_stoppable_thread(read)
