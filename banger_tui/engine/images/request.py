"""What a person asks for when an image is to be pulled, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.artefacts import ImageRequest
from banger_tui.engine.catalog.entries import BundleSource, ImageEntry, OciSource
from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.errors import InvalidInput, NotInCatalog
from banger_tui.engine.model import MIB
from banger_tui.engine.oci import reference as oci_reference

_MARKS = "/:@"
_BUNDLE = (".tar.zst", ".tzst")
_SMALLEST = 16 * MIB


@dataclass(frozen=True, slots=True)
class PullSpec:
    """A pull in a person's words; the fields are those of ``Images.pull``."""

    reference: str
    name: str = ""
    platform: str = ""
    size_bytes: int | None = None
    insecure: bool = False
    plain: bool = False


def request(spec: PullSpec, catalog: Catalog, *, default_kernel: str) -> tuple[str, ImageRequest]:
    """The image's name here, and what to make.

    Args:
        default_kernel: what an image boots with whose source names none.

    Raises:
        InvalidInput: the reference, the size or the platform makes no sense.
        NotInCatalog: a plain word that no catalog has.
    """
    entry = find(spec.reference, catalog, default_kernel=default_kernel)
    if spec.size_bytes is not None and spec.size_bytes < _SMALLEST:
        raise InvalidInput(
            f"{spec.size_bytes} bytes are too small for a filesystem", "", "For example: --size 2G"
        )
    wanted = spec.platform.count("/")
    if spec.platform and (wanted not in (1, 2) or not all(spec.platform.split("/"))):
        raise InvalidInput(
            f"{spec.platform!r} is no platform", "", "It is OS/ARCHITECTURE: linux/arm64"
        )
    made = ImageRequest(entry, spec.platform, spec.size_bytes, spec.insecure, spec.plain)
    return spec.name or entry.name, made


def find(reference: str, catalog: Catalog, *, default_kernel: str) -> ImageEntry:
    """The entry a reference stands for: a bundle, a catalog's, or one made for a container image.

    A plain word is a catalog's name and nothing else: a slip of the pen must end in near names and
    not in a stranger's image of a public registry.

    Raises:
        InvalidInput, NotInCatalog
    """
    if location := _bundle(reference):
        stem = location.rpartition("/")[2]
        for ending in _BUNDLE:
            stem = stem.removesuffix(ending)
        return ImageEntry(stem, f"bundle {location}", BundleSource(location), "")
    try:
        return catalog.image(reference)
    except NotInCatalog as unknown:
        if not any(mark in reference for mark in _MARKS):
            raise NotInCatalog(
                unknown.title,
                unknown.detail,
                f"{unknown.hint} For a container image, write it with its tag: {reference}:latest",
                unknown.near,
            ) from None
    parsed = oci_reference.parse(reference)
    return ImageEntry(
        parsed.familiar, f"container image {parsed.canonical}", OciSource(reference), default_kernel
    )


def local_name(reference: str) -> str:
    """What a create's image is called here: a container image by its short form.

    Raises:
        InvalidInput: it has the marks of a container image and is none.
    """
    if any(mark in reference for mark in _MARKS):
        return oci_reference.parse(reference).familiar
    return reference


def _bundle(reference: str) -> str:
    """Where a bundle lies: an https URL, or an absolute path; "" when it is none."""
    if reference.startswith(("https://", "http://")):
        return reference
    path = Path(reference.removeprefix("file://")).expanduser()
    if reference.startswith("file://") or reference.endswith(_BUNDLE):
        return str(path.absolute())
    return ""
