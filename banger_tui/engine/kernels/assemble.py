"""Makes a kernel's directory of its parts: vmlinuz, initrd.img, modules/ and manifest.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from banger_tui.engine import assets
from banger_tui.engine.artefacts import BuiltKernel
from banger_tui.engine.kernels import initrd
from banger_tui.engine.kernels.boot_image import identify, mapped
from banger_tui.engine.kernels.modules import Module
from banger_tui.engine.threads import Stop, go_on

_DIGESTED = ("vmlinuz", "initrd.img")
_BLOCK = 512
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Parts:
    """What a kernel is made of.

    Args:
        image: the kernel's own file.
        lists: modules by when they are loaded, as of ``initrd.base``.
        before: an initrd whose files come before ours; its /init is replaced.
        packages: versions by the names of the packages it is from.
    """

    image: Path
    version: str
    lists: Mapping[str, Sequence[Module]]
    before: Path | None = None
    packages: Mapping[str, str] = field(default_factory=dict)


def assemble(
    name: str, parts: Parts, busybox: bytes, into: Path, stop: Stop = lambda: False
) -> BuiltKernel:
    """Fill the directory ``into``, made if need be. Blocking."""
    into.mkdir(parents=True, exist_ok=True)
    with (into / "vmlinuz").open("wb") as file:
        _copy(parts.image, file, stop)
    with (into / "initrd.img").open("wb") as file:
        if parts.before is not None:
            _copy(parts.before, file, stop)
            # The kernel skips zeros between archives; one must begin at a multiple of 4.
            file.write(bytes(-file.tell() % _BLOCK))
        file.write(initrd.base(busybox, parts.lists, assets.read("guest/initrd-init")))
    modules = [module for each in parts.lists.values() for module in each]
    (into / "modules").mkdir()
    for module in modules:
        (into / "modules" / module.file_name).write_bytes(module.data)
    found = measured(into, stop)
    manifest = {
        "name": name,
        "version": parts.version,
        "digest": found.digest,
        "packages": dict(parts.packages),
        "modules": [module.name for module in modules],
    }
    (into / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return found


def _copy(source: Path, target: BinaryIO, stop: Stop) -> None:
    with source.open("rb") as file:
        while piece := file.read(_PIECE):
            go_on(stop)
            target.write(piece)


def measured(directory: Path, stop: Stop = lambda: False) -> BuiltKernel:
    """What is in a kernel's directory, as its files say. Blocking.

    Raises:
        BadContent: its vmlinuz is no kernel.
        FileNotFoundError
    """
    with mapped(directory / "vmlinuz") as data:
        version = identify(data).version
    sums = hashlib.sha256()
    for name in _DIGESTED:
        with (directory / name).open("rb") as file:
            while piece := file.read(_PIECE):
                go_on(stop)
                sums.update(piece)
    sizes = [(directory / name).stat().st_size for name in _DIGESTED]
    sizes += [module.stat().st_size for module in (directory / "modules").glob("*.ko")]
    return BuiltKernel(version, f"sha256:{sums.hexdigest()}", sum(sizes))
