"""Real images and kernels, made once and then linked into the home of each test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import processes_with
from banger_tui.engine.settings import Settings

IMAGE = "busybox"
KERNEL = "debian-bookworm-cloud"


async def make_template(root: Path) -> None:
    """Pull the small image and its kernel below ``root``; at once when they are there."""
    async with Engine(Paths.below(root), Settings(image=IMAGE)) as engine:
        if not await engine.images.list():
            await (await engine.images.pull(IMAGE)).result()
        if not await engine.kernels.list():
            await (await engine.kernels.pull(KERNEL)).result()


@contextlib.contextmanager
def linked(template: Path, root: Path) -> Iterator[Path]:
    """A home as by ``link_template``, whose VMs are ended afterwards."""
    yield link_template(template, root)
    for process, _ in processes_with(f"unix:{Paths.below(root).runtime}/"):
        process.signal(signal.SIGKILL)


def link_template(template: Path, root: Path) -> Path:
    """A home of its own with the template's images and kernels; their files are hard links."""
    source, target = Paths.below(template), Paths.below(root)
    target.prepare()
    shutil.copyfile(source.database, target.database)
    with contextlib.closing(sqlite3.connect(target.database)) as database, database:
        database.execute("DELETE FROM operations")
    for name in ("images", "kernels"):
        shutil.copytree(
            source.state / name, target.state / name, copy_function=os.link, dirs_exist_ok=True
        )
    shutil.copytree(source.kits, target.kits, copy_function=os.link, dirs_exist_ok=True)
    tsc = source.cache / "tsc.json"
    if tsc.exists():
        shutil.copy2(tsc, target.cache / tsc.name)
    return root
