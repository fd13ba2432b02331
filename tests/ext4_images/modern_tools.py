"""e2fsprogs of a newer Debian beside the host's own: its mke2fs reads tar (1.47.1, libarchive).

Downloaded by the host's apt configuration and run by its own loader with its own libraries, so that
the host stays as it is.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from banger_tui.engine.debian import packages
from banger_tui.engine.errors import BangerError
from banger_tui.engine.paths import Paths
from tests.host.registry.stage import RecordedStage

_SUITE = "trixie"
_PACKAGES = ("e2fsprogs", "libarchive13t64")
_PROGRAMS = ("mke2fs", "debugfs", "e2fsck")


async def modern_tools(directory: Path) -> Path:
    """A new directory with the programs below ``directory``, fit to be first in PATH.

    Raises:
        BangerError: this host can't get them; it says why.
    """
    stage = RecordedStage()
    paths = Paths.below(directory / "apt")
    selection = await packages.select(_PACKAGES, suite=_SUITE, paths=paths, stage=stage)
    await packages.fetch(selection, directory / "tree", stage)
    return await asyncio.to_thread(_wrapped, directory)


def _wrapped(directory: Path) -> Path:
    programs = directory / "bin"
    programs.mkdir()
    for name in _PROGRAMS:
        _wrap(directory / "tree", name, programs / name)
    return programs


def path_with(programs: Path) -> str:
    """A PATH on which they come first."""
    return f"{programs}:{os.environ.get('PATH', os.defpath)}"


def _wrap(tree: Path, name: str, wrapper: Path) -> None:
    """A script that starts the program by the loader it came with."""
    program = _first(tree, f"**/sbin/{name}")
    loader = _first(tree, "usr/lib/*-linux-gnu/ld-linux-*")
    wrapper.write_text(
        f'#!/bin/sh\nexec {loader} --argv0 {name} --library-path {loader.parent} {program} "$@"\n'
    )
    wrapper.chmod(0o755)


def _first(tree: Path, pattern: str) -> Path:
    for found in sorted(tree.glob(pattern)):
        if found.is_file():
            return found
    raise BangerError("No newer e2fsprogs to be had", f"Its packages brought no {pattern}.")
