"""Kernel modules: which files a set of names needs, in loading order, read from the files.

Debian's packages carry no modules.dep (depmod makes it at installation), so dependencies come from
each module's ``.modinfo`` section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from banger_tui.engine.catalog.fields import shown
from banger_tui.engine.debian.elf import section
from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.compression import expand
from banger_tui.engine.model import MIB
from banger_tui.engine.threads import Stop, go_on

#: Modules of distributions come compressed in any of these ways.
SUFFIXES = (".ko", ".ko.xz", ".ko.gz", ".ko.zst")
#: Where a tree lists what is part of the kernel itself.
BUILT_IN = "modules.builtin"
MAX_MODULE = 64 * MIB
# A guest needs about 20 modules, 2 MiB in all; more than this is no honest tree.
_MOST = 256
_MAX_ALL = 256 * MIB
MAX_LISTING = 4 * MIB
# Linux allows 55 bytes (MODULE_NAME_LEN).
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


def of_no_use(reasons: str) -> BadContent:
    return BadContent("The kernel is of no use here", reasons)


@dataclass(frozen=True, slots=True)
class Module:
    """One module, decompressed. ``name`` has underscores only, as the kernel says it."""

    name: str
    data: bytes

    @property
    def file_name(self) -> str:
        return f"{self.name}.ko"


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """All modules of one kernel, wherever they lie: what reads the file of each, by its name, and
    the names of those that are built in."""

    readers: Mapping[str, Callable[[], bytes]]
    built_in: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """What a module says: names of those it depends on, and ``uname -r`` of its kernel."""

    depends: tuple[str, ...] = ()
    version: str = ""


def info(data: bytes) -> ModuleInfo:
    """A module's ``.modinfo``.

    Raises:
        BadContent: no 64-bit ELF file, or a damaged one.
    """
    try:
        content = section(data, ".modinfo")
    except (ValueError, IndexError) as error:
        raise BadContent("A module is damaged", f"It is no sound ELF file: {error}.") from error
    values: dict[str, str] = {}
    for item in content.split(b"\0"):
        key, _, value = item.decode(errors="replace").partition("=")
        values.setdefault(key, value)
    depends = tuple(canonical(name) for name in values.get("depends", "").split(",") if name)
    return ModuleInfo(depends, values.get("vermagic", "").partition(" ")[0])


def closure(
    files: ModuleFiles,
    required: Iterable[str],
    optional: Iterable[str] = (),
    *,
    version: str = "",
    stop: Stop = lambda: False,
) -> tuple[Module, ...]:
    """The modules and all they depend on, each after what it depends on. Blocking.

    Args:
        required, optional: module names; those built into the kernel need no file.
        version: of the kernel they must be made for; "": any.

    Raises:
        BadContent: required modules, or dependencies, are neither there nor built in (all of them
            are named), or one is damaged or made for another kernel.
    """
    found: dict[str, Module] = {}
    missing: dict[str, str] = {}
    under_way: set[str] = set()

    def add(name: str, needed_by: str) -> None:
        if name in found or name in files.built_in or name in under_way:
            return
        if name not in files.readers:
            missing.setdefault(name, needed_by)
            return
        go_on(stop)
        under_way.add(name)
        if len(under_way) > _MOST or sum(len(m.data) for m in found.values()) > _MAX_ALL:
            raise of_no_use(f"A guest would need over {_MOST} modules or {_MAX_ALL // MIB} MiB.")
        data = expand(files.readers[name](), MAX_MODULE, f"The module {name}")
        about = info(data)
        if version and about.version != version:
            raise of_no_use(
                f"It is version {version}, its module {name} is made for "
                f"{shown(about.version) or 'no version'}."
            )
        for dependency in about.depends:
            add(dependency, name)
        found[name] = Module(name, data)

    for name in map(canonical, required):
        add(name, "every guest")
    for name in map(canonical, optional):
        if name in files.readers:
            add(name, "every guest")
    if missing:
        told = "; ".join(
            f"no module {shown(name)}, which {by} needs" for name, by in missing.items()
        )
        raise of_no_use(f"It has {told}.")
    return tuple(found.values())


def in_directory(tree: Path) -> ModuleFiles:
    """The modules of a ``lib/modules/VERSION`` directory. Blocking."""
    listing = tree / BUILT_IN
    return ModuleFiles(
        {
            name: partial(read_file, path, MAX_MODULE)
            for path in (tree / "kernel").rglob("*.ko*")
            if (name := module_name(path.name)) and path.is_file()
        },
        built_in(read_file(listing, MAX_LISTING)) if listing.is_file() else frozenset(),
    )


def read_file(path: Path, limit: int) -> bytes:
    """Blocking. Raises: BadContent: it has more than ``limit`` bytes. OSError."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadContent(f"{path} is too large", f"It has more than {limit // MIB} MiB.")
    return data


def module_name(file_name: str) -> str:
    """``virtio_rng`` of ``virtio-rng.ko.xz``; "" of the name of another file."""
    stem, dot, ending = file_name.partition(".ko")
    name = canonical(stem) if dot + ending in SUFFIXES else ""
    return name if _NAME.fullmatch(name) else ""


def built_in(listing: bytes) -> frozenset[str]:
    """Names in a ``modules.builtin``."""
    lines = listing.decode(errors="replace").split()
    return frozenset(canonical(PurePosixPath(line).stem) for line in lines)


def canonical(name: str) -> str:
    return name.strip().replace("-", "_")
