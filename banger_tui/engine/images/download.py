"""What an image is made of, brought here from a registry or from the web."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from banger_tui.engine.artefacts import ImageRequest, Workplace
from banger_tui.engine.bundles.artifact import bundle_layer, is_bundle
from banger_tui.engine.catalog.entries import BundleSource
from banger_tui.engine.errors import BadContent, NotFound
from banger_tui.engine.images.inflating import Inflating
from banger_tui.engine.images.sources import Bundle, Layers
from banger_tui.engine.model import LayerRecord
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.download import fetch
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.registry import Registry
from banger_tui.engine.progress import Stage


async def from_registry(
    reference: Reference,
    request: ImageRequest,
    platform: str,
    place: Workplace,
    stage: Stage,
    leases: AsyncExitStack,
) -> Layers | Bundle:
    """What a reference stands for: a container image's layers, inflated and held against their
    digests, or a bundle.

    Stages: read manifest, download, and verify for layers. What was downloaded is kept from
    ``prune`` until ``leases`` ends.

    Raises:
        RegistryFailure, BadContent, NotEnoughDisk, InvalidInput
    """
    blobs = Blobs(place.paths.blobs)
    async with Registry(
        Credentials.from_environment(), insecure=request.insecure, limits=place.limits
    ) as registry:
        async with stage.stage("read manifest") as nested:
            nested.note(reference.familiar)
            resolved = await registry.resolve(reference, platform, nested)
        if is_bundle(resolved.manifest):
            layer = bundle_layer(resolved.manifest)
            await leases.enter_async_context(blobs.lease([layer.digest]))
            async with stage.stage("download") as nested:
                file = await registry.download(resolved.reference, layer, blobs, nested)
            return Bundle(file, str(resolved.reference), size_bytes=layer.size)
        image = resolved.image
        await leases.enter_async_context(blobs.lease(resolved.digests))
        layers = resolved.manifest.layers
        async with Inflating(layers, image.diff_ids, place, blobs.path) as inflating:
            async with stage.stage("download") as nested:
                await registry.download_layers(resolved, blobs, nested, inflating.arrived)
            async with stage.stage("verify") as nested:
                try:
                    tars = await inflating.all(nested)
                except BadContent:
                    # By their own digests: what has rotted in the cache must not stay there.
                    for digest in resolved.digests:
                        await blobs.verify(digest)
                    raise
    return Layers(
        tars,
        config=image.settings,
        provenance=str(resolved.reference),
        platform=resolved.platform,
        records=tuple(LayerRecord(layer.digest, layer.size, layer.media_type) for layer in layers),
        annotations=dict(resolved.annotations),
    )


async def bundle(
    source: BundleSource,
    request: ImageRequest,
    place: Workplace,
    stage: Stage,
    leases: AsyncExitStack,
) -> Bundle:
    """A bundle on disk, or on the web; the stage "download".

    Raises:
        NotFound: there is no such file.
        RegistryFailure, BadContent, NotEnoughDisk, InvalidInput
    """
    location = source.location
    async with stage.stage("download") as nested:
        if not location.startswith(("https://", "http://")):
            nested.note("a file on this host")
            if not await asyncio.to_thread(Path(location).is_file):
                raise NotFound(f"There is no file {location}", "", "Look at its path again.")
            return Bundle(Path(location), location, source.sha256, source.size_bytes)
        blobs = Blobs(place.paths.blobs)
        lease = await leases.enter_async_context(blobs.lease([]))
        file = await fetch(
            location, sha256=source.sha256, size=source.size_bytes, blobs=blobs, stage=nested,
            limits=place.limits, lease=lease, insecure=request.insecure,
        )  # fmt: skip
    return Bundle(file, location, source.sha256, source.size_bytes)
