"""Pulls from a real registry: every kind of image, over http and https."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.errors import RegistryNotFound, RegistryUnreachable
from tests.host.registry.certificate import Certificate
from tests.host.registry.files import FileServer
from tests.host.registry.images import (
    Compression,
    Kind,
    PushedImage,
    push_image,
    push_index,
    tar_layer,
)
from tests.host.registry.inspection import contents, size, through
from tests.host.registry.proxy import FaultProxy
from tests.host.registry.pull import pull
from tests.host.registry.server import PROGRAM, RunningRegistry, running_registry
from tests.host.registry.stage import RecordedStage

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="docker-registry is not installed")


@pytest.mark.parametrize("kind", ["oci", "docker"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
async def test_an_image_of_every_kind(
    registry: RunningRegistry, blob_dir: Path, kind: Kind, compression: Compression
) -> None:
    layers = [tar_layer({"etc": None, "etc/a": b"1"}), tar_layer({"b": os.urandom(100_000)})]
    pushed = push_image(
        registry, layers, {"Cmd": ["/b"]}, kind=kind, compression=compression
    )  # fmt: skip

    resolved, paths = await pull(pushed.reference, blob_dir)

    assert contents(paths) == pushed.blobs
    assert resolved.descriptor.digest == pushed.digest
    assert resolved.image.settings == {"Cmd": ["/b"]}
    assert [one.media_type for one in resolved.manifest.layers] == [
        layer["mediaType"] for layer in pushed.layers
    ]


@pytest.mark.parametrize("kind", ["oci", "docker"])
async def test_an_index_of_every_kind(
    registry: RunningRegistry, blob_dir: Path, kind: Kind
) -> None:
    pushed = {
        name: push_image(
            registry, [tar_layer({name: b"x"})], architecture=name, kind=kind, tag=name
        )
        for name in ("amd64", "arm64")
    }
    named = push_index(
        registry, [one.descriptor for one in pushed.values()], kind=kind, tag="many"
    )  # fmt: skip
    reference = f"{registry.address}/test/image:many"

    for name in pushed:
        resolved, paths = await pull(reference, blob_dir, platform=f"linux/{name}")
        assert resolved.descriptor.digest == pushed[name].digest
        assert resolved.named == named
        assert contents(paths) == pushed[name].blobs
    with pytest.raises(RegistryNotFound) as caught:
        await pull(reference, blob_dir, platform="linux/riscv64")
    assert "linux/amd64, linux/arm64" in caught.value.detail


async def test_by_digest_and_a_layer_twice(registry: RunningRegistry, blob_dir: Path) -> None:
    layer = tar_layer({"a": b"1"})
    pushed = push_image(registry, [layer, tar_layer({"b": b"2"}), layer])

    resolved, paths = await pull(f"{registry.address}/test/image@{pushed.digest}", blob_dir)

    assert contents(paths) == pushed.blobs
    assert paths[0] == paths[2]
    assert len(resolved.digests) == 2


async def test_an_image_without_layers(registry: RunningRegistry, blob_dir: Path) -> None:
    pushed = push_image(registry, [])

    assert (await pull(pushed.reference, blob_dir))[1] == ()


async def test_what_is_not_there(registry: RunningRegistry, blob_dir: Path) -> None:
    push_image(registry, [])

    for name in ("test/image:nothing", "nothing:latest", f"test/image@sha256:{'0' * 64}"):
        with pytest.raises(RegistryNotFound) as caught:
            await pull(f"{registry.address}/{name}", blob_dir)
        assert name.partition("@")[0] in caught.value.title
        assert "404" in caught.value.detail


async def test_pulling_again_moves_nothing(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    await pull(through(proxy, image), blob_dir)
    moved = proxy.moved("/blobs/")
    stage = RecordedStage()
    _, paths = await pull(through(proxy, image), blob_dir, stage)

    assert contents(paths) == image.blobs
    assert [child.notes for child in stage.children] == [["already here"]] * 3
    config_only = proxy.moved("/blobs/") - moved
    assert config_only < 1000
    assert moved == size(image) + config_only


async def test_each_layer_is_a_stage(image: PushedImage, blob_dir: Path) -> None:
    stage = RecordedStage()

    await pull(image.reference, blob_dir, stage)

    assert [child.name for child in stage.children] == [
        f"{layer['digest'][:13]}…" for layer in image.layers
    ]
    assert [(child.done, child.total) for child in stage.children] == [
        (layer["size"], layer["size"]) for layer in image.layers
    ]
    assert (stage.done, stage.total) == (size(image), size(image))


@pytest.fixture
def secure(tmp_path: Path, certificate: Certificate) -> Iterator[RunningRegistry]:
    with running_registry(tmp_path / "secure", tls=certificate) as registry:
        yield registry


async def test_https_with_a_known_authority(
    secure: RunningRegistry,
    blob_dir: Path,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pushed = push_image(secure, [tar_layer({"a": b"x"})])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))

    assert contents((await pull(pushed.reference, blob_dir))[1]) == pushed.blobs


async def test_https_with_an_unknown_authority(secure: RunningRegistry, blob_dir: Path) -> None:
    pushed = push_image(secure, [tar_layer({"a": b"x"})])

    with pytest.raises(RegistryUnreachable, match="can't be verified") as caught:
        await pull(pushed.reference, blob_dir)
    assert "SSL_CERT_FILE" in caught.value.hint

    assert contents((await pull(pushed.reference, blob_dir, insecure=True))[1]) == pushed.blobs


async def test_insecure_finds_plain_http(image: PushedImage, blob_dir: Path) -> None:
    assert contents((await pull(image.reference, blob_dir, insecure=True))[1]) == image.blobs


async def test_the_machines_proxy_is_not_asked_for_loopback(
    image: PushedImage, blob_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FileServer() as nobody:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, nobody.url)
        monkeypatch.delenv("NO_PROXY", raising=False)

        await pull(image.reference, blob_dir)

        assert nobody.seen == []
