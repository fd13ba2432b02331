"""Images for a registry, written with plain PUTs. All functions that push are blocking."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

import httpx
import zstandard

from tests.host.registry.server import RunningRegistry

Kind = Literal["oci", "docker"]
Compression = Literal["gzip", "zstd", "none"]

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
LAYERS: Mapping[tuple[Kind, Compression], str] = {
    ("oci", "none"): "application/vnd.oci.image.layer.v1.tar",
    ("oci", "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    ("oci", "zstd"): "application/vnd.oci.image.layer.v1.tar+zstd",
    ("docker", "none"): "application/vnd.docker.image.rootfs.diff.tar",
    ("docker", "gzip"): "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ("docker", "zstd"): "application/vnd.docker.image.rootfs.diff.tar.zstd",
}


@dataclass(frozen=True, slots=True)
class PushedImage:
    """``reference`` as a person types it; ``descriptor`` as an index lists it; ``blobs`` are the
    layers' as they were pushed."""

    reference: str
    digest: str
    descriptor: dict[str, Any]
    layers: tuple[dict[str, Any], ...]
    blobs: tuple[bytes, ...]
    config_digest: str


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar_layer(files: Mapping[str, bytes | None]) -> bytes:
    """An uncompressed tar: name to content, a directory where that is None."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return target.getvalue()


def compress(data: bytes, compression: Compression) -> bytes:
    match compression:
        case "gzip":
            return gzip.compress(data, compresslevel=1, mtime=0)
        case "zstd":
            return zstandard.compress(data, 1)
        case "none":
            return data


def push_blob(registry: RunningRegistry, repository: str, data: bytes) -> str:
    """Returns its digest."""
    digest = digest_of(data)
    with _client(registry, repository) as client:
        start = client.post(f"/v2/{repository}/blobs/uploads/")
        start.raise_for_status()
        place = httpx.URL(urljoin(registry.url, start.headers["location"]))
        client.put(place.copy_merge_params({"digest": digest}), content=data).raise_for_status()
    return digest


def push_manifest(
    registry: RunningRegistry, repository: str, tag: str, media_type: str, document: bytes
) -> str:
    """Returns its digest; ``tag`` may be the digest itself."""
    with _client(registry, repository) as client:
        answer = client.put(
            f"/v2/{repository}/manifests/{tag}",
            content=document,
            headers={"content-type": media_type},
        )
        assert answer.is_success, answer.text
    return digest_of(document)


def push_image(
    registry: RunningRegistry,
    layers: Sequence[bytes],
    config: Mapping[str, Any] | None = None,
    *,
    repository: str = "test/image",
    tag: str = "latest",
    kind: Kind = "oci",
    compression: Compression | Sequence[Compression] = "gzip",
    architecture: str = "amd64",
    annotations: Mapping[str, str] | None = None,
    image_config: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
) -> PushedImage:
    """Push a container image.

    Args:
        layers: uncompressed tars, the lowest first.
        config: the runtime part of the image config: Env, Cmd, WorkingDir, …
        compression: of all layers, or one for each.
        image_config, manifest: laid over what those documents would be, to make them wrong.
    """
    each = [compression] * len(layers) if isinstance(compression, str) else list(compression)
    blobs, descriptors = [], []
    for layer, way in zip(layers, each, strict=True):
        blob = compress(layer, way)
        digest = push_blob(registry, repository, blob)
        blobs.append(blob)
        descriptors.append(
            {"mediaType": LAYERS[kind, way], "digest": digest, "size": len(blob)}
        )  # fmt: skip
    body = {
        "architecture": architecture,
        "os": "linux",
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        **(image_config or {}),
    }
    raw_config = json.dumps(body).encode()
    config_digest = push_blob(registry, repository, raw_config)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if kind == "oci" else DOCKER_MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG if kind == "oci" else DOCKER_CONFIG,
            "digest": config_digest,
            "size": len(raw_config),
        },
        "layers": descriptors,
        **({"annotations": dict(annotations)} if annotations else {}),
        **(manifest or {}),
    }
    raw = json.dumps(document).encode()
    media_type = str(document["mediaType"])
    digest = push_manifest(registry, repository, tag, media_type, raw)
    descriptor = {
        "mediaType": media_type,
        "digest": digest,
        "size": len(raw),
        "platform": {"os": "linux", "architecture": architecture},
    }
    return PushedImage(
        f"{registry.address}/{repository}:{tag}", digest, descriptor, tuple(descriptors),
        tuple(blobs), config_digest,
    )  # fmt: skip


def push_index(
    registry: RunningRegistry,
    entries: Sequence[Mapping[str, Any]],
    *,
    repository: str = "test/image",
    tag: str = "latest",
    kind: Kind = "oci",
    annotations: Mapping[str, str] | None = None,
) -> str:
    """Push an index of descriptors (``PushedImage.descriptor``); returns its digest."""
    media_type = OCI_INDEX if kind == "oci" else DOCKER_LIST
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [dict(entry) for entry in entries],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    return push_manifest(registry, repository, tag, media_type, json.dumps(document).encode())


def _client(registry: RunningRegistry, repository: str) -> httpx.Client:
    # tests push to loopback only: what the machine has set as its proxy is not asked
    return httpx.Client(
        base_url=registry.url, headers=registry.authorize(repository), verify=False,
        trust_env=False, timeout=60,
    )  # fmt: skip
