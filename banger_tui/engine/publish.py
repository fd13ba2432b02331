"""From staging to the store, as one atom under ``image_publish``."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from banger_tui.engine.locks import Lock
from banger_tui.engine.process import ProcessId
from banger_tui.engine.shield import finish, in_thread

_NEW = ".new-"


async def publish(
    lock: Lock, staged: Path, final: Path, insert: Callable[[], Awaitable[None]]
) -> None:
    """Put the directory ``staged`` in place and write the row; both or neither.

    Everything slow (moving to the state's filesystem, syncing) comes before the lock. The row is
    written first: UNIQUE lets exactly one of several publishers of a name win. A crash between row
    and rename is mended by ``reconcile``, which finds the directory beside its place.

    Args:
        lock: ``image_publish``.
        insert: writes the row.

    Raises:
        NameTaken: another was faster; nothing of this one is left but ``staged``'s parent.
    """
    own = ProcessId.own()
    aside = final.with_name(f"{_NEW}{own.pid}.{own.start}.{secrets.token_hex(4)}-{final.name}")
    try:
        await in_thread(_move_beside, staged, aside)
        async with lock.hold(f"publish {final.name}"):
            await finish(_atom(aside, final, insert))
    finally:
        await finish(asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True))


def under_way(entry: Path) -> tuple[str, bool] | None:
    """(final name, whether its publisher lives) of a directory that ``publish`` put beside its
    place; None of any other."""
    if not entry.name.startswith(_NEW):
        return None
    owner, _, name = entry.name.removeprefix(_NEW).partition("-")
    try:
        pid, start, _ = owner.split(".")
        return name, ProcessId(int(pid), int(start)).alive
    except ValueError:
        return name, False


async def _atom(aside: Path, final: Path, insert: Callable[[], Awaitable[None]]) -> None:
    await insert()
    # A directory in that place has no row (insert would have raised): a crash left it.
    await asyncio.to_thread(shutil.rmtree, final, ignore_errors=True)
    await asyncio.to_thread(os.rename, aside, final)


def _move_beside(staged: Path, aside: Path) -> None:
    """Onto the state's filesystem (the cache may be on another), and down to the disk."""
    shutil.move(staged, aside)
    for file in aside.rglob("*"):
        if file.is_file() and not file.is_symlink():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
