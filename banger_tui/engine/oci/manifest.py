"""Indexes and manifests: OCI's and Docker's schema 2, read strictly.

What is refused: other media types than are known, or another than was announced; digests that are
none; sizes below 0 or above ``[limits]``; documents that could be read as index and as manifest
(CVE-2021-41190). Sources: OCI image specification 1.1 (descriptor.md, manifest.md, image-index.md),
Docker's "Image Manifest Version 2, Schema 2".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci import digests, platforms, strict_json
from banger_tui.engine.oci.platforms import Platform
from banger_tui.engine.oci.strict_json import Fields

_OCI = "application/vnd.oci.image"
_DOCKER = "application/vnd.docker"

OCI_INDEX = f"{_OCI}.index.v1+json"
OCI_MANIFEST = f"{_OCI}.manifest.v1+json"
OCI_CONFIG = f"{_OCI}.config.v1+json"
DOCKER_LIST = f"{_DOCKER}.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = f"{_DOCKER}.distribution.manifest.v2+json"
DOCKER_CONFIG = f"{_DOCKER}.container.image.v1+json"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})
#: What a registry is asked for.
ACCEPTED = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
LAYERS = frozenset(
    [f"{_OCI}.layer.v1.tar{way}" for way in ("", "+gzip", "+zstd")]
    + [f"{_OCI}.layer.nondistributable.v1.tar{way}" for way in ("", "+gzip", "+zstd")]
    + [f"{_DOCKER}.image.rootfs.diff.tar{way}" for way in ("", ".gzip", ".zstd")]
    + [f"{_DOCKER}.image.rootfs.foreign.diff.tar{way}" for way in ("", ".gzip")]
)
_SCHEMA1 = re.compile(r"application/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][\w!#$&^.+-]{0,126}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A blob or document by what is in it. ``platform``: only in an index; None: not said."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    artifact_type: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Manifests for several platforms. What is no image (attestations) is not among them."""

    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def choose(self, wanted: Platform) -> Descriptor | None:
        found = platforms.best(wanted, [entry.platform for entry in self.manifests])
        return None if found is None else self.manifests[found]

    @property
    def platforms(self) -> tuple[str, ...]:
        """What there is, for people."""
        known = (str(entry.platform) for entry in self.manifests if entry.platform)
        return tuple(dict.fromkeys(known))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A config and layers, lowest first. ``artifact_type`` is "" for a container image; otherwise
    the layers are blobs of whatever kind."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""


def parse(data: bytes, media_type: str, what: str, limits: Limits) -> Index | Manifest:
    """An index or a manifest. Blocking (see ``strict_json.load``).

    Args:
        media_type: as announced by the registry or by the index that lists it; "" or a type that
            says nothing (application/json) lets the document speak for itself.
        what: its name for people ("alpine:3.20").

    Raises:
        BadContent, LimitExceeded
    """
    raw = strict_json.load(data, f"The manifest of {what}")
    document = Fields(raw, f"The manifest of {what}")
    kind = _kind(document, media_type, what)
    if document.number("schemaVersion") != 2:
        raise document.bad(f"schemaVersion is {document.number('schemaVersion')}, not 2.")
    if kind in INDEXES:
        if document.has("layers") or document.has("config"):
            raise document.bad("It is an index and a manifest at once.")
        return _index(document, limits)
    if document.has("manifests"):
        raise document.bad("It is an index and a manifest at once.")
    return _manifest(document, kind, limits)


def _kind(document: Fields, announced: str, what: str) -> str:
    """The document's media type, which all who speak of it must agree on."""
    announced = announced.partition(";")[0].strip().lower()
    own = document.text("mediaType", "")
    if _SCHEMA1.fullmatch(own or announced) or document.has("fsLayers"):
        raise BadContent(
            f"{what} is in Docker's schema 1",
            "That format was given up in 2017: its layers can't be verified.",
            "Push it again with a current tool.",
        )
    telling = announced in INDEXES | MANIFESTS
    if own and telling and own != announced:
        raise document.bad(f"It says it is {own[:80]!r}, the registry says {announced!r}.")
    kind = own or (announced if telling else "")
    if kind not in INDEXES | MANIFESTS:
        raise document.bad(f"{(kind or announced)[:80]!r} is no media type of an image.")
    if kind.startswith(_DOCKER) and not own:
        raise document.bad("mediaType is missing.")
    return kind


def _index(document: Fields, limits: Limits) -> Index:
    entries = []
    for position, value in enumerate(document.items("manifests")):
        entry = Fields(value, f"{document.what}: manifests[{position}]")
        descriptor = _descriptor(entry, limits.max_manifest_bytes, "max_manifest_bytes")
        platform = _platform(entry)
        # attestations of buildkit stand in an index with a platform of their own
        unknown = platform is not None and "unknown" in (platform.os, platform.architecture)
        if unknown or "vnd.docker.reference.type" in descriptor.annotations:
            continue
        if descriptor.media_type not in INDEXES | MANIFESTS:
            continue
        entries.append(
            Descriptor(
                descriptor.media_type, descriptor.digest, descriptor.size, descriptor.annotations,
                platform, descriptor.artifact_type,
            )
        )  # fmt: skip
    return Index(tuple(entries), document.text_map("annotations"))


def _manifest(document: Fields, kind: str, limits: Limits) -> Manifest:
    values = document.items("layers")
    if len(values) > limits.max_layers:
        raise LimitExceeded(
            f"{document.what} has {len(values):,} layers",
            f"max_layers allows {limits.max_layers:,}.",
            "Raise max_layers below [limits] in config.toml if you trust it.",
        )
    config = _descriptor(document.inner("config"), limits.max_manifest_bytes, "max_manifest_bytes")
    layers = tuple(
        _descriptor(
            Fields(value, f"{document.what}: layers[{position}]"),
            limits.max_blob_bytes, "max_blob_bytes",
        )
        for position, value in enumerate(values)
    )  # fmt: skip
    # image-spec manifest.md: with artifactType it is an artifact, and so it is with another config
    artifact = document.text("artifactType", "")
    if not artifact and config.media_type not in CONFIGS:
        artifact = config.media_type
    if not artifact:
        _check_image(document, kind, config, layers)
    total = sum({layer.digest: layer.size for layer in layers}.values())
    if total > limits.max_rootfs_bytes:
        raise LimitExceeded(
            f"{document.what} has layers of {total:,} bytes",
            f"max_rootfs_bytes allows {limits.max_rootfs_bytes:,}.",
            "Raise max_rootfs_bytes below [limits] in config.toml if you trust it.",
        )
    return Manifest(kind, config, layers, document.text_map("annotations"), artifact)


def _check_image(
    document: Fields, kind: str, config: Descriptor, layers: tuple[Descriptor, ...]
) -> None:
    if kind == DOCKER_MANIFEST and config.media_type != DOCKER_CONFIG:
        raise document.bad(f"Its config can't be {config.media_type!r}.")
    sizes: dict[str, int] = {}
    for layer in layers:
        if layer.media_type not in LAYERS:
            raise document.bad(f"{layer.media_type[:80]!r} is no media type of a layer.")
        if sizes.setdefault(layer.digest, layer.size) != layer.size:
            raise document.bad("It gives two sizes for one layer.")


def _descriptor(entry: Fields, most: int, limit: str) -> Descriptor:
    media_type = entry.text("mediaType")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise entry.bad(f"{media_type[:80]!r} is no media type.")
    digest = entry.text("digest")
    if not digests.is_digest(digest):
        raise entry.bad(f"{digest[:80]!r} is no digest.")
    size = entry.number("size")
    if size > most:
        raise LimitExceeded(
            f"{entry.what} has {size:,} bytes",
            f"{limit} allows {most:,}.",
            f"Raise {limit} below [limits] in config.toml if you trust it.",
        )
    return Descriptor(
        media_type, digest, size, entry.text_map("annotations"), None,
        entry.text("artifactType", ""),
    )  # fmt: skip


def _platform(entry: Fields) -> Platform | None:
    if not entry.has("platform"):
        return None
    platform = entry.inner("platform")
    return platforms.normal(
        platform.text("os"), platform.text("architecture"), platform.text("variant", "")
    )
