"""A root filesystem made anew of one that is there: read as a tree, changed, written again."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from banger_tui.engine.artefacts import Workplace
from banger_tui.engine.context import Context
from banger_tui.engine.errors import BadContent, InvalidSize, NotEnoughDisk, ToolFailed
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4.size import size_for
from banger_tui.engine.ext4.tree_of import tree_of
from banger_tui.engine.guest import kit
from banger_tui.engine.guest.inject import inject
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB
from banger_tui.engine.operations import Run
from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage
from banger_tui.engine.staging import staging_directory
from banger_tui.engine.threads import in_stoppable_thread

_LABEL = "banger-root"
_PERCENT = re.compile(r"\(([\d.]+)/100%\)")
_CORRECTED = 3  # e2fsck(8): 1 and 2 say that errors were corrected


async def workplace(ctx: Context, run: Run) -> Workplace:
    """A new place for an image to be made in; what is left of it goes with the operation."""
    staging = await staging_directory(ctx.paths, run)
    final = staging / "image"
    await asyncio.to_thread(final.mkdir)
    return Workplace(final / "rootfs.ext4", staging, ctx.paths, ctx.settings.limits)


async def read_tree(image: Path, limits: Limits) -> Node:
    """Raises: BadContent, LimitExceeded."""
    return await in_stoppable_thread(_read, image, limits)


def _read(stop: Callable[[], bool], image: Path, limits: Limits) -> Node:
    return tree_of(image, limits, stop=stop)


async def equip(root: Node, place: Workplace, config: Mapping[str, Any], run: Run) -> str:
    """Lay the guest kit into a tree, in the stage "guest kit"; returns PID 1.

    Raises:
        BadContent, LimitExceeded, MissingTool, ToolFailed
    """
    async with run.stage("guest kit") as stage:
        archive = await kit.ensure(place.paths, stage)
        return await inject(root, config, kit=archive, staging=place.staging, limits=place.limits)


async def write(root: Node, place: Workplace, at_least: int, run: Run) -> None:
    """Make ``place.rootfs`` of the tree, in the stage "build ext4".

    Args:
        at_least: bytes of the filesystem; more when the tree does not fit into that.

    Raises:
        what ``ext4.build`` does.
    """
    async with run.stage("build ext4") as stage:
        await ext4.build(
            root, place.rootfs, size_bytes=await asyncio.to_thread(_fitting, root, at_least),
            label=_LABEL, staging=place.staging, stage=stage,
        )  # fmt: skip


def _fitting(root: Node, wanted: int) -> int | None:
    try:
        return size_for(root, wanted).bytes
    except InvalidSize:
        return None


async def copy(disk: Path, kind: str, target: Path, stage: Stage) -> None:
    """A disk as a raw sparse file of its own, without what it stands on.

    Args:
        kind: "qcow2" or "raw".

    Raises:
        NotEnoughDisk, MissingTool, ToolFailed
    """

    def told(line: str) -> None:
        if match := _PERCENT.search(line):
            stage.progress(round(float(match[1])), 100, "%")

    try:
        await run_tool(
            ["qemu-img", "convert", "-p", "-f", kind, "-O", "raw", str(disk), str(target)],
            on_line=told,
            title="Can't read the disk",
        )
    except ToolFailed as error:
        if "no space left" not in error.tail.lower():
            raise
        raise NotEnoughDisk(
            "Too little room for a copy of the disk",
            f"{target.parent} has {shutil.disk_usage(target.parent).free // MIB} MiB free.",
            "Delete images or VMs, or set BANGER_HOME=DIR to another disk.",
        ) from error


async def repair(disk: Path, stage: Stage) -> None:
    """Bring a filesystem that was in use to rest: its journal is replayed.

    Raises:
        BadContent: more is wrong with it than that.
        MissingTool
    """
    try:
        await run_tool(["e2fsck", "-p", str(disk)], log=stage.log)
    except ToolFailed as error:
        if error.code & ~_CORRECTED:
            raise BadContent(
                "The filesystem on the disk is damaged",
                error.tail.strip().splitlines()[-1] if error.tail.strip() else "",
                "e2fsck can't mend it without losing something.",
            ) from error
