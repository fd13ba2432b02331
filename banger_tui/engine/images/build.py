"""Builds a catalog image: its root filesystem, the guest kit over it, all as one ext4 file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from banger_tui.engine.artefacts import Built
from banger_tui.engine.catalog.entries import DebianSource, ImageEntry, KitSource
from banger_tui.engine.guest import kit
from banger_tui.engine.images import busybox, debian, ext4
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage


async def build(
    entry: ImageEntry, *, rootfs: Path, staging: Path, paths: Paths, stage: Stage
) -> Built:
    """Make ``rootfs`` (a raw ext4 file) as the entry says.

    Nested stages: install packages (Debian images only), guest kit, build ext4, check. All that is
    temporary lies in ``staging``, which must exist; remove it with ``ext4.remove_tree`` after a
    failure, since parts of it may belong to subordinate ids.

    Raises:
        MissingTool, HostLacks, ToolFailed
    """
    layers: list[ext4.Layer] = []
    match entry.source:
        case DebianSource() as source:
            async with stage.stage("install packages") as nested:
                layers.append(ext4.Layer(await debian.install(source, staging, paths, nested)))
    async with stage.stage("guest kit") as nested:
        archive = await kit.ensure(paths, nested, entry.source.suite)
        layers.append(ext4.Layer(archive))
        match entry.source:
            case DebianSource():
                layers += await asyncio.to_thread(debian.overlays, staging)
            case KitSource():
                layers += await busybox.overlays(archive, staging)
    async with stage.stage("build ext4") as nested:
        await ext4.build(
            layers,
            rootfs,
            size_bytes=entry.disk_bytes,
            label="banger-root",
            staging=staging,
            stage=nested,
        )
    async with stage.stage("check") as nested:
        await ext4.check(rootfs, nested)
        digest = await asyncio.to_thread(ext4.content_digest, rootfs)
        used = await asyncio.to_thread(ext4.disk_usage, rootfs)
    return Built(digest, used, entry.disk_bytes)
