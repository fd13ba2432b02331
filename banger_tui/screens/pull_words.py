"""What a person means by the words that they want to pull. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.catalog.entries import (
    ArtifactSource,
    BundleSource,
    DebianSource,
    ImageEntry,
    KitSource,
    OciSource,
)
from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.errors import InvalidInput, NotInCatalog
from banger_tui.engine.images.request import find
from banger_tui.engine.kernels.ensure import DEFAULT_KERNEL
from banger_tui.engine.oci.reference import parse
from banger_tui.screens.paths_typed import absolute, is_path
from banger_tui.widgets import units

_BUNDLES = (".tar.zst", ".tzst")
_EXAMPLE = "For example: debian-bookworm, alpine:3.20, ghcr.io/org/image, /srv/image.tar.zst"


@dataclass(frozen=True, slots=True)
class Understood:
    """
    Args:
        says: what is going to be pulled, for people.
        name: what it is called here unless the person names it.
        file: it is a root filesystem on disk: registered, not pulled.
    """

    says: str
    name: str
    file: bool = False


def understand(text: str, catalog: Catalog) -> Understood:
    """What these words stand for.

    Raises:
        InvalidInput, NotInCatalog
    """
    if not text:
        raise InvalidInput("Say what to pull", "", _EXAMPLE)
    if is_path(text) and not text.endswith(_BUNDLES):
        path = absolute(text)
        return Understood(f"root filesystem to be copied, {path}", _stem(path.name), file=True)
    try:
        entry = find(text, catalog, default_kernel=DEFAULT_KERNEL)
    except NotInCatalog as unknown:
        close = f"Did you mean {' or '.join(unknown.near)}? " if unknown.near else ""
        tag = f"A container image is written with its tag: {text}:latest"
        title = f"No catalog has {text}"
        raise NotInCatalog(title, "", f"{close}{tag}", unknown.near) from unknown
    return Understood(_says(entry, offered=text in catalog.images), entry.name)


def _says(entry: ImageEntry, *, offered: bool) -> str:
    size = f", {units.size(entry.download_bytes)}" if entry.download_bytes else ""
    of = "of the catalog: " if offered else ""
    match entry.source:
        case OciSource(reference):
            return f"{of}container image {parse(reference).canonical}{size}"
        case ArtifactSource(reference):
            return f"{of}bundle in a registry {reference}{size}"
        case BundleSource(location):
            kind = "bundle at" if "://" in location else "bundle file"
            return f"{of}{kind} {location}{size}"
        case DebianSource() | KitSource():
            return f"{of}{entry.description}{size}"


def _stem(file: str) -> str:
    for ending in (".ext4", ".img", ".raw"):
        file = file.removesuffix(ending)
    return file.lstrip(".-_") or "image"
