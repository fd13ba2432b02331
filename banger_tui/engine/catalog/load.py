"""Reads catalogs: JSON in, validated entries out, each complaint naming file and field."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from banger_tui.engine import assets
from banger_tui.engine.catalog.entries import DebianSource, ImageEntry, KernelEntry, KitSource
from banger_tui.engine.catalog.fields import Fields
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.errors import InvalidInput, NotInCatalog
from banger_tui.engine.model import MIB

_Entry = TypeVar("_Entry", ImageEntry, KernelEntry)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that can be had by name."""

    images: Mapping[str, ImageEntry]
    kernels: Mapping[str, KernelEntry]

    def image(self, name: str) -> ImageEntry:
        """Raises NotInCatalog, with near names."""
        return _find("image", name, self.images)

    def kernel(self, name: str) -> KernelEntry:
        """Raises NotInCatalog, with near names."""
        return _find("kernel", name, self.kernels)


@cache
def embedded() -> Catalog:
    """The catalog shipped with the program. Blocking on the first call.

    Raises:
        InvalidInput: a damaged installation.
    """
    return Catalog(
        images=parse_images(assets.read("catalog/images.json"), "catalog/images.json"),
        kernels=parse_kernels(assets.read("catalog/kernels.json"), "catalog/kernels.json"),
    )


def near(name: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Up to three known names like this one, best first."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return tuple(close) or tuple(other for other in known if name and name in other)[:3]


def parse_images(data: bytes, file: str) -> dict[str, ImageEntry]:
    """Entries of an images catalog by name.

    Raises:
        InvalidInput: names ``file`` and the field that is wrong.
    """
    found: dict[str, ImageEntry] = {}
    for fields in _entries(data, file, "images"):
        source = fields.object("source")
        kind = source.text("kind")
        parsed: DebianSource | KitSource
        if kind == "debian":
            parsed = DebianSource(source.name("suite"), source.packages("packages"))
        elif kind == "kit":
            parsed = KitSource(source.name("suite"))
        else:
            raise source.wrong("kind", "must be debian or kit")
        source.done()
        init = fields.text("init")
        if not init.startswith("/") or init.split() != [init]:
            raise fields.wrong("init", "must be an absolute path")
        entry = ImageEntry(
            name=fields.name("name"),
            description=fields.text("description"),
            source=parsed,
            kernel=fields.name("kernel"),
            init=init,
            disk_bytes=fields.number("disk_mib", 16, 1 << 24) * MIB,
        )
        fields.done()
        if entry.name in found:
            raise fields.wrong("name", f"is there twice: {entry.name}")
        found[entry.name] = entry
    return found


def parse_kernels(data: bytes, file: str) -> dict[str, KernelEntry]:
    """Entries of a kernels catalog by name; raises as ``parse_images``."""
    found: dict[str, KernelEntry] = {}
    for fields in _entries(data, file, "kernels"):
        source = fields.object("source")
        if source.text("kind") != "debian":
            raise source.wrong("kind", "must be debian")
        suite, package = (
            source.name("suite"),
            source.package("package", architecture=debian_architecture()),
        )
        source.done()
        entry = KernelEntry(fields.name("name"), fields.text("description"), suite, package)
        fields.done()
        if entry.name in found:
            raise fields.wrong("name", f"is there twice: {entry.name}")
        found[entry.name] = entry
    return found


def _find(kind: str, name: str, known: Mapping[str, _Entry]) -> _Entry:
    if name in known:
        return known[name]
    close = near(name, known)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There is: {', '.join(known)}."
    raise NotInCatalog(f"No {kind} {name}", "It is neither here nor in the catalog.", hint, close)


def _entries(data: bytes, file: str, key: str) -> list[Fields]:
    try:
        content = json.loads(data)
    except ValueError as error:
        raise InvalidInput(f"{file} is no valid JSON", str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise InvalidInput(f"{file}: {key} is wrong", "must be a list")
    return [Fields(item, file, f"{key}[{index}]") for index, item in enumerate(content[key])]
