"""Catalogs from JSON: validated entries, each complaint naming file and field.

An image's entry, and the sources there are::

    {"name": "…", "description": "…", "source": {…}, "kernel": "…",
     "init": "/sbin/init", "disk_mib": 8192, "download_mib": 70}

    {"kind": "debian", "suite": "bookworm", "packages": ["git", …]}
    {"kind": "kit", "suite": "bookworm"}
    {"kind": "oci", "reference": "docker.io/library/alpine:3.22"}
    {"kind": "artifact", "reference": "ghcr.io/org/image@sha256:…"}
    {"kind": "bundle", "url": "https://…", "sha256": "…", "size_bytes": 1234}

``init``, ``disk_mib`` and ``download_mib`` may be missing, and so may ``kernel`` for an artifact or
a bundle, which name their own. A kernel's entry has name, description and source::

    {"kind": "debian", "suite": "bookworm", "package": "linux-image-cloud-{architecture}"}
"""

from __future__ import annotations

from typing import TypeVar

from banger_tui.engine.catalog.entries import (
    ArtifactSource,
    BundleSource,
    DebianSource,
    ImageEntry,
    ImageSource,
    KernelEntry,
    KitSource,
    OciSource,
)
from banger_tui.engine.catalog.fields import Fields, document
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import MIB

_Entry = TypeVar("_Entry", ImageEntry, KernelEntry)
_MOST_MIB = 1 << 24  # 16 TiB, the largest file that ext4 can hold


def parse_images(data: bytes, file: str) -> dict[str, ImageEntry]:
    """Entries of an images catalog by name.

    Raises:
        InvalidInput: names ``file`` and the field that is wrong.
    """
    return _images(document(data, file), file, "")


def parse_kernels(data: bytes, file: str) -> dict[str, KernelEntry]:
    """Entries of a kernels catalog by name; raises as ``parse_images``."""
    return _kernels(document(data, file), file, "")


def parse_both(data: bytes, file: str) -> tuple[dict[str, ImageEntry], dict[str, KernelEntry]]:
    """A person's catalog: images and kernels in one file, either may be missing; ``file`` is where
    it is. Raises as ``parse_images``."""
    content = document(data, file)
    if not isinstance(content, dict) or not {"images", "kernels"} >= content.keys() != set():
        raise InvalidInput(f"{file} is no catalog", "It must hold images and kernels, and no more.")
    images = _images(content, file, file) if "images" in content else {}
    return images, _kernels(content, file, file) if "kernels" in content else {}


def _images(content: object, file: str, catalog: str) -> dict[str, ImageEntry]:
    found: dict[str, ImageEntry] = {}
    for fields in _entries(content, file, "images"):
        source = fields.object("source")
        parsed = _source(source, catalog)
        source.done()
        own_kernel = isinstance(parsed, BundleSource | ArtifactSource)
        size = parsed.size_bytes or 0 if isinstance(parsed, BundleSource) else 0
        entry = ImageEntry(
            name=fields.name("name"),
            description=fields.text("description"),
            source=parsed,
            kernel=fields.name("kernel", "" if own_kernel else None),
            init=fields.path("init", ""),
            disk_bytes=fields.number("disk_mib", 16, _MOST_MIB, 0) * MIB,
            download_bytes=fields.number("download_mib", 1, _MOST_MIB, 0) * MIB or size,
            catalog=catalog,
        )
        _add(entry, fields, found)
    return found


def _source(fields: Fields, catalog: str) -> ImageSource:
    match fields.text("kind"):
        case "debian":
            hooks = fields.texts("hooks")
            # They run on this host, in the new system's directory: not by a web server's word.
            if hooks and "://" in catalog:
                raise fields.wrong("hooks", "may stand in a catalog on this host only")
            return DebianSource(fields.name("suite"), fields.packages("packages"), hooks)
        case "kit":
            return KitSource(fields.name("suite"))
        case "oci":
            return OciSource(fields.reference("reference"))
        case "artifact":
            return ArtifactSource(fields.reference("reference", pinned=True))
        case "bundle":
            size = fields.number("size_bytes", 1, _MOST_MIB * MIB)
            return BundleSource(fields.url("url"), fields.sha256("sha256"), size)
        case _:
            raise fields.wrong("kind", "must be debian, kit, oci, artifact or bundle")


def _kernels(content: object, file: str, catalog: str) -> dict[str, KernelEntry]:
    found: dict[str, KernelEntry] = {}
    for fields in _entries(content, file, "kernels"):
        source = fields.object("source")
        if source.text("kind") != "debian":
            raise source.wrong("kind", "must be debian")
        suite, package = (
            source.name("suite"),
            source.package("package", architecture=debian_architecture()),
        )
        source.done()
        entry = KernelEntry(
            fields.name("name"), fields.text("description"), suite, package, catalog
        )
        _add(entry, fields, found)
    return found


def _add(entry: _Entry, fields: Fields, found: dict[str, _Entry]) -> None:
    fields.done()
    if entry.name in found:
        raise fields.wrong("name", f"is there twice: {entry.name}")
    found[entry.name] = entry


def _entries(content: object, file: str, key: str) -> list[Fields]:
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise InvalidInput(f"{file}: {key} is wrong", "must be a list")
    return [Fields(item, file, f"{key}[{index}]") for index, item in enumerate(content[key])]
