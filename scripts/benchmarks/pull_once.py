"""One pull in a process of its own, so that its memory can be watched.

    python -m scripts.benchmarks.pull_once HOME REFERENCE tar|directory NAME

Prints a JSON object: seconds of each stage, and of the whole.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.ext4 import tool
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings


async def pull(home: Path, reference: str, name: str) -> dict[str, float]:
    """Seconds of each stage, "whole" among them."""
    async with Engine(Paths.below(home), Settings()) as engine:
        began = time.perf_counter()
        operation = await engine.images.pull(reference, name=name)
        await operation.result()
        seconds = {"whole": time.perf_counter() - began}
        for stage in operation.view.stages:
            seconds[stage.name] = stage.elapsed(0.0) or 0.0
        return seconds


async def _none(*_: object, **__: object) -> None:
    """As on a host whose mke2fs reads no tar."""


def main() -> None:
    home, reference, way, name = sys.argv[1:]
    if way == "directory":
        tool.tar_capable = _none
    print(json.dumps(asyncio.run(pull(Path(home), reference, name))))


if __name__ == "__main__":
    main()
