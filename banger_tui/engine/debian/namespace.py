"""Namespaces in which a user may act as root, and in which nothing outlives us.

Without root, a user namespace maps the user's subordinate ids, so that files get their right
owners. What is made there belongs to those ids on disk; ``remove_tree`` removes it, also after a
crash. Root needs no such thing, but gets mounts and processes of its own all the same where they
are wanted: a killed bootstrap must leave no bind mount of the host's /dev behind.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from banger_tui.engine.errors import HostLacks, ToolFailed
from banger_tui.engine.process import find_tool, run_tool

_AS_ROOT = ("--map-root-user", "--map-auto")
_ALONE = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


async def as_root() -> list[str]:
    """Command prefix under which files can be given to anybody; empty for root.

    Raises:
        MissingTool, HostLacks: the user has no subordinate ids, or namespaces are forbidden.
    """
    if os.getuid() == 0:
        return []
    find_tool("newuidmap")
    return await _tried([find_tool("unshare"), *_AS_ROOT])


async def as_root_alone() -> list[str]:
    """The same with mounts and processes that end with the command, however that ends.

    Raises:
        MissingTool, HostLacks
    """
    prefix = await as_root() or [find_tool("unshare")]
    try:
        return await _tried([*prefix, *_ALONE])
    except HostLacks:
        if os.getuid():
            raise
        # Root in a container that may not mount: mmdebstrap then does without mounts, too.
        return []


async def remove_tree(path: Path) -> None:
    """Remove a directory whatever subordinate ids own what is in it; no error if it isn't there.

    Raises:
        MissingTool, HostLacks, ToolFailed: something in it can't be removed.
    """
    await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
    if await asyncio.to_thread(os.path.lexists, path):
        await run_tool(
            [*await as_root(), "rm", "-rf", "--one-file-system", str(path)],
            title=f"Can't remove {path}",
        )


async def _tried(prefix: list[str]) -> list[str]:
    try:
        await run_tool([*prefix, "true"])
    except ToolFailed as error:
        raise HostLacks(
            "Can't build an image without root here",
            f"It takes subordinate ids and user namespaces. {error.detail}",
            "As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER",
        ) from error
    return prefix
