"""Kernel modules: which files a set of names needs, in loading order, read from the files.

Debian's packages carry no modules.dep (depmod makes it at installation), so dependencies come from
each module's ``.modinfo`` section.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.debian.elf import section
from banger_tui.engine.errors import ToolFailed

_OPENERS: Mapping[str, Callable[[bytes], bytes]] = {
    ".ko": bytes,
    ".ko.xz": lzma.decompress,
    ".ko.gz": gzip.decompress,
}


@dataclass(frozen=True, slots=True)
class Module:
    """One module, decompressed. ``name`` has underscores only, as the kernel says it."""

    name: str
    data: bytes

    @property
    def file_name(self) -> str:
        return f"{self.name}.ko"


def dependencies(data: bytes) -> tuple[str, ...]:
    """Names of the modules this one's ``.modinfo`` depends on.

    Raises:
        ValueError: no ELF file.
    """
    for item in section(data, ".modinfo").split(b"\0"):
        key, _, value = item.partition(b"=")
        if key == b"depends":
            return tuple(_canonical(name) for name in value.decode().split(",") if name)
    return ()


def closure(
    tree: Path, required: Iterable[str], optional: Iterable[str] = ()
) -> tuple[Module, ...]:
    """The modules and all they depend on, each after what it depends on. Blocking.

    Args:
        tree: a ``lib/modules/VERSION`` directory.
        required, optional: module names; those built into the kernel need no file.

    Raises:
        ToolFailed: a required module, or a dependency, is neither there nor built in.
    """
    files = _files(tree)
    built_in = _built_in(tree)
    found: dict[str, Module] = {}

    def add(name: str, needed_by: str) -> None:
        if name in found or name in built_in:
            return
        if name not in files:
            raise ToolFailed(
                "The kernel package is of no use here",
                f"It has no module {name}, which {needed_by} needs.",
            )
        path, suffix = files[name]
        data = _OPENERS[suffix](path.read_bytes())
        for dependency in dependencies(data):
            add(dependency, name)
        found[name] = Module(name, data)

    for name in map(_canonical, required):
        add(name, "every guest")
    for name in map(_canonical, optional):
        if name in files:
            add(name, "every guest")
    return tuple(found.values())


def _canonical(name: str) -> str:
    return name.strip().replace("-", "_")


def _files(tree: Path) -> dict[str, tuple[Path, str]]:
    found: dict[str, tuple[Path, str]] = {}
    for path in (tree / "kernel").rglob("*.ko*"):
        stem, dot, ending = path.name.partition(".ko")
        if dot + ending in _OPENERS:
            found[_canonical(stem)] = (path, dot + ending)
    return found


def _built_in(tree: Path) -> frozenset[str]:
    listing = tree / "modules.builtin"
    if not listing.exists():
        return frozenset()
    return frozenset(_canonical(Path(line).stem) for line in listing.read_text().split())
