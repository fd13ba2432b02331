"""A bundle as an OCI artifact: one layer, which is the bundle; the config is its manifest.

Source: OCI image specification 1.1, manifest.md#guidelines-for-artifact-usage.
"""

from __future__ import annotations

import json

from banger_tui.engine.errors import BadContent
from banger_tui.engine.oci.manifest import OCI_MANIFEST, Descriptor
from banger_tui.engine.oci.manifest import Manifest as OciManifest

ARTIFACT_TYPE = "application/vnd.banger.bundle.v1"
LAYER_TYPE = "application/vnd.banger.bundle.v1.tar+zstd"
CONFIG_TYPE = "application/vnd.banger.bundle.manifest.v1+json"
_TITLE = "org.opencontainers.image.title"


def is_bundle(manifest: OciManifest) -> bool:
    """Whether what a reference stands for is a bundle, and not a container image."""
    return manifest.artifact_type == ARTIFACT_TYPE


def bundle_layer(manifest: OciManifest) -> Descriptor:
    """The blob that is the bundle.

    Raises:
        BadContent: it is no artifact of ours, or not one layer.
    """
    if not is_bundle(manifest):
        kind = manifest.artifact_type or "a container image"
        raise BadContent("There is no bundle in this artifact", f"It is {kind[:100]!r}.")
    if len(manifest.layers) != 1 or manifest.layers[0].media_type != LAYER_TYPE:
        raise BadContent(
            "There is no bundle in this artifact", f"It must have one layer of type {LAYER_TYPE}."
        )
    return manifest.layers[0]


def manifest_of(layer: Descriptor, config: Descriptor, title: str) -> bytes:
    """The artifact's manifest; ``title`` is the file name that tools unpack the layer to."""
    content = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT_TYPE,
        "config": described(config),
        "layers": [{**described(layer), "annotations": {_TITLE: title}}],
    }
    return json.dumps(content, separators=(",", ":")).encode()


def described(blob: Descriptor) -> dict[str, object]:
    """A descriptor as JSON has it."""
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}
