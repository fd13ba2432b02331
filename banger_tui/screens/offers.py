"""What the catalogs offer, as rows of a list. Pure."""

from __future__ import annotations

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
from banger_tui.engine.model import OperationView
from banger_tui.widgets.artefact_rows import CatalogRow, look


def image_offer(entry: ImageEntry, operation: OperationView | None, *, here: bool) -> CatalogRow:
    """An image that can be pulled; ``operation`` is what makes it just now."""
    kind, source = _made_from(entry.source)
    return CatalogRow(
        name=entry.name,
        look=look(operation, here=here),
        kind=kind,
        description=entry.description,
        here=here,
        source=source,
        download_bytes=entry.download_bytes,
        disk_bytes=entry.disk_bytes,
        kernel=entry.kernel,
        catalog=entry.catalog,
        operation=operation,
    )


def kernel_offer(entry: KernelEntry, operation: OperationView | None, *, here: bool) -> CatalogRow:
    """A kernel that can be pulled."""
    return CatalogRow(
        name=entry.name,
        look=look(operation, here=here),
        kind="debian",
        description=entry.description,
        here=here,
        source=f"Debian's package {entry.package} of {entry.suite}",
        operation=operation,
    )


def _made_from(source: ImageSource) -> tuple[str, str]:
    """In a word, and in a few."""
    match source:
        case DebianSource(suite, packages):
            return "debian", f"Debian {suite}: {len(packages)} packages and what they need"
        case KitSource(suite):
            return "kit", f"the guest kit alone, of Debian {suite}"
        case OciSource(reference):
            return "container", f"container image {reference}"
        case ArtifactSource(reference):
            return "artifact", f"a bundle in a registry: {reference}"
        case BundleSource(location):
            return "bundle", f"a bundle: {location}"
