"""A container image's config: what its processes want, and the digests of its unpacked layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from banger_tui.engine.oci import platforms, strict_json
from banger_tui.engine.oci.digests import is_digest
from banger_tui.engine.oci.platforms import Platform
from banger_tui.engine.oci.strict_json import Fields


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """``settings``: of Env, Entrypoint, Cmd, WorkingDir, User, Labels and ExposedPorts those that
    are there, keys as OCI has them. ``diff_ids``: one an uncompressed layer, lowest first."""

    platform: Platform
    settings: dict[str, Any]
    diff_ids: tuple[str, ...]


def parse(data: bytes, what: str, layers: int) -> ImageConfig:
    """The config of an image with so many layers (OCI config.md; Docker's is the same here).
    Blocking (see ``strict_json.load``).

    Raises:
        BadContent
    """
    document = Fields(
        strict_json.load(data, f"The config of {what}"), f"The config of {what}"
    )  # fmt: skip
    rootfs = document.inner("rootfs")
    if rootfs.text("type") != "layers":
        raise rootfs.bad('type must be "layers".')
    diff_ids = rootfs.texts("diff_ids")
    if not all(map(is_digest, diff_ids)):
        raise rootfs.bad("diff_ids must be digests.")
    if len(diff_ids) != layers:
        raise rootfs.bad(f"It speaks of {len(diff_ids)} layers, the manifest of {layers}.")
    platform = platforms.normal(
        document.text("os"), document.text("architecture"), document.text("variant", "")
    )
    return ImageConfig(platform, _settings(document), diff_ids)


def _settings(document: Fields) -> dict[str, Any]:
    if not document.has("config"):
        return {}
    config = document.inner("config")
    found: dict[str, Any] = {
        **{name: list(config.texts(name)) for name in ("Env", "Entrypoint", "Cmd")},
        **{name: config.text(name, "") for name in ("WorkingDir", "User")},
        "Labels": dict(config.text_map("Labels")),
        "ExposedPorts": {port: {} for port in config.keys("ExposedPorts")},
    }
    return {name: value for name, value in found.items() if value}
