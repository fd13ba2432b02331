"""The smallest image: the guest kit, with busybox as every command there is."""

from __future__ import annotations

import asyncio
import tarfile
from pathlib import Path

from banger_tui.engine.guest.archive import write_tar
from banger_tui.engine.guest.inject import lay
from banger_tui.engine.guest.overlay import accounts
from banger_tui.engine.kernels.cpio import Entry, directory, symlink
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.limits import Limits
from banger_tui.engine.process import run_tool
from banger_tui.engine.shield import in_thread

_DIRECTORIES = ("bin", "dev", "home", "mnt", "proc", "run", "sys", "var")
_BUSYBOX = "/.banger/bin/busybox"


async def settle(root: Node, kit: Path, staging: Path, limits: Limits) -> None:
    """Lay what makes the kit an image of its own into the tree. ``kit`` is its tar; files go to
    ``staging``.

    Raises:
        ToolFailed: the kit's busybox doesn't run on this host.
    """
    binary = staging / "busybox"
    await asyncio.to_thread(_unpack, kit, binary)
    listing = await run_tool([str(binary), "--list"], capture=True)
    target = staging / "busybox.tar"
    await asyncio.to_thread(write_tar, entries(listing.output.split()), target)
    await in_thread(lay, root, target, limits)


def entries(applets: list[str]) -> list[Entry]:
    """Root's account, directories, and each applet as a link to busybox."""
    return [
        *accounts(),
        *(directory(name) for name in _DIRECTORIES),
        directory("tmp", 0o1777),
        *(symlink(f"bin/{name}", _BUSYBOX) for name in applets),
    ]


def _unpack(kit: Path, binary: Path) -> None:
    with tarfile.open(kit) as archive:
        member = archive.extractfile(_BUSYBOX.lstrip("/"))
        assert member is not None
        binary.write_bytes(member.read())
    binary.chmod(0o700)
