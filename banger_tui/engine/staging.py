"""Where half-made things lie: one directory an operation, gone when the operation is over."""

from __future__ import annotations

from pathlib import Path

from banger_tui.engine.debian.namespace import remove_tree
from banger_tui.engine.operations import Run
from banger_tui.engine.paths import Paths
from banger_tui.engine.shield import in_thread


async def staging_directory(paths: Paths, run: Run) -> Path:
    """A new, empty directory for this operation. What is left in it is removed by ``clean_up``."""
    directory = paths.staging / run.id
    run.afterwards(lambda: remove_tree(directory))
    await in_thread(directory.mkdir, mode=0o700, parents=True)
    return directory
