"""From a reference to an image: what is followed, and that nobody is believed without a digest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from banger_tui.engine.errors import (
    BadContent,
    DigestMismatch,
    LimitExceeded,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci import manifest
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.digests import digest_of
from banger_tui.engine.oci.reference import parse
from banger_tui.engine.oci.registry import Registry
from banger_tui.engine.oci.resolve import Resolved
from banger_tui.engine.oci.retries import Patience
from tests.host.registry.files import FileServer
from tests.host.registry.proxy import Corrupt, FaultProxy, Reply, Reset, Stall

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DIFF = "sha256:" + "d" * 64
QUICK = Patience(stall=0.5, tries=3, few=2, pause=0.01, longest_pause=0.02, total_wait=5.0)


@dataclass
class Shelf:
    """A registry's content by hand: documents may be anything."""

    files: FileServer
    proxy: FaultProxy
    limits: Limits = field(default_factory=Limits)

    def put(self, kind: str, document: Any, name: str = "", **about: Any) -> dict[str, Any]:
        """Under its digest and ``name``; returns its descriptor."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = digest_of(data)
        for key in filter(None, (digest, name)):
            self.files.files[f"/v2/test/{kind}/{key}"] = data
        media_type = document.get("mediaType", "") if isinstance(document, dict) else ""
        return {"mediaType": media_type, "digest": digest, "size": len(data), **about}

    def config(self, layers: int = 1, **changed: Any) -> dict[str, Any]:
        document = {
            "architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [DIFF] * layers}, **changed,
        }  # fmt: skip
        return self.put("blobs", document) | {"mediaType": manifest.OCI_CONFIG}

    def image(self, name: str = "", config: Any = None, **changed: Any) -> dict[str, Any]:
        document = {
            "schemaVersion": 2,
            "mediaType": manifest.OCI_MANIFEST,
            "config": config or self.config(),
            "layers": [{"mediaType": LAYER, "digest": DIFF, "size": 10}],
            **changed,
        }
        return self.put("manifests", document, name)

    def index(self, entries: Sequence[Any], name: str = "", **changed: Any) -> dict[str, Any]:
        document = {
            "schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": entries, **changed,
        }  # fmt: skip
        return self.put("manifests", document, name)

    async def resolve(self, wanted: str = ":latest", platform: str = "linux/amd64") -> Resolved:
        reference = parse(f"{self.proxy.address}/test{wanted}")
        async with Registry(Credentials(), limits=self.limits, patience=QUICK) as registry:
            return await registry.resolve(reference, platform)


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with FileServer() as files, FaultProxy(files.host, files.port) as proxy:
        yield Shelf(files, proxy)


def on(platform: str) -> dict[str, Any]:
    os, architecture = platform.split("/")
    return {"platform": {"os": os, "architecture": architecture}}


async def test_an_image_by_tag(shelf: Shelf) -> None:
    config = shelf.config(config={"Env": ["A=b"]})
    descriptor = shelf.image("latest", config, annotations={"a": "b"})

    found = await shelf.resolve()

    assert found.reference.canonical == f"{shelf.proxy.address}/test@{descriptor['digest']}"
    assert found.named == found.descriptor.digest == descriptor["digest"]
    assert found.descriptor.size == descriptor["size"]
    assert found.image.settings == {"Env": ["A=b"]}
    assert found.image.diff_ids == (DIFF,)
    assert found.digests == (DIFF,)
    assert digest_of(found.config_bytes) == config["digest"]
    assert found.platform == "linux/amd64"
    assert found.annotations == {"a": "b"}


async def test_an_image_by_digest(shelf: Shelf) -> None:
    descriptor = shelf.image()

    by_digest = await shelf.resolve(f"@{descriptor['digest']}")
    # the tag is for people: it is not asked for
    by_both = await shelf.resolve(f":nothing@{descriptor['digest']}")

    assert by_digest == by_both


async def test_an_index_by_platform(shelf: Shelf) -> None:
    arm = shelf.image(config=shelf.config(architecture="arm64")) | on("linux/arm64")
    amd = shelf.image() | on("linux/amd64") | {"annotations": {"a": "entry", "b": "entry"}}
    index = shelf.index([arm, amd], "latest", annotations={"a": "index", "c": "index"})

    found = await shelf.resolve()

    assert found.descriptor.digest == amd["digest"]
    assert found.named == index["digest"]
    assert found.annotations == {"a": "entry", "b": "entry", "c": "index"}
    assert (await shelf.resolve(platform="linux/arm64")).descriptor.digest == arm["digest"]


async def test_what_platforms_there_are_is_said(shelf: Shelf) -> None:
    entries = [shelf.image() | on(one) for one in ("linux/arm64", "linux/s390x", "linux/arm64")]
    shelf.index(entries, "latest")

    with pytest.raises(RegistryNotFound, match="not made for linux/amd64") as caught:
        await shelf.resolve()

    assert caught.value.detail == "It is there for linux/arm64, linux/s390x."


async def test_an_index_of_nothing(shelf: Shelf) -> None:
    shelf.index([], "latest")

    with pytest.raises(RegistryNotFound):
        await shelf.resolve()


async def test_a_single_image_for_another_machine(shelf: Shelf) -> None:
    shelf.image("latest", shelf.config(architecture="arm64"))

    with pytest.raises(RegistryNotFound, match="not made for linux/amd64") as caught:
        await shelf.resolve()

    assert "linux/arm64" in caught.value.detail
    assert (await shelf.resolve(platform="linux/arm64")).platform == "linux/arm64"


async def test_indexes_in_indexes_have_an_end(shelf: Shelf) -> None:
    descriptor = shelf.image() | on("linux/amd64")
    for _ in range(3):
        descriptor = shelf.index([descriptor])
    shelf.files.files["/v2/test/manifests/fits"] = shelf.files.files[
        f"/v2/test/manifests/{descriptor['digest']}"
    ]
    shelf.index([descriptor], "latest")

    assert (await shelf.resolve(":fits")).platform == "linux/amd64"
    with pytest.raises(BadContent, match="index of indexes"):
        await shelf.resolve()


async def test_an_index_that_names_itself(shelf: Shelf) -> None:
    # no document has its own digest in it: this one is served under the digest it names
    named = digest_of(b"itself")
    entry = {"mediaType": manifest.OCI_INDEX, "digest": named, "size": 300, **on("linux/amd64")}
    shelf.index([entry], "latest")
    shelf.files.files[f"/v2/test/manifests/{named}"] = shelf.files.files[
        "/v2/test/manifests/latest"
    ]

    with pytest.raises(DigestMismatch):
        await shelf.resolve()


async def test_an_artifact(shelf: Shelf) -> None:
    config = shelf.put("blobs", b"{}") | {"mediaType": "application/vnd.example.config+json"}
    blob = {"mediaType": "application/zstd", "digest": DIFF, "size": 10}
    shelf.image("latest", config, layers=[blob])

    found = await shelf.resolve()

    assert found.manifest.artifact_type == "application/vnd.example.config+json"
    assert found.config is None
    assert found.config_bytes == b"{}"
    assert found.platform == ""
    with pytest.raises(BadContent, match="no container image"):
        _ = found.image


# ------------------------------------------------------------------------------------------ lies


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
@pytest.mark.parametrize("lie", ["other", "longer", "shorter", "empty"])
async def test_another_document_than_named(shelf: Shelf, kind: str, lie: str) -> None:
    descriptor = shelf.image() | on("linux/amd64")
    shelf.index([descriptor], "latest")
    path = next(
        path for path in shelf.files.files if f"/{kind}/sha256:" in path
        and (kind == "blobs" or path.endswith(descriptor["digest"]))
    )  # fmt: skip
    data = shelf.files.files[path]
    shelf.files.files[path] = {
        "other": data.replace(b"linux", b"plan9").replace(b"layers", b"Layers"),
        "longer": data + b" ",
        "shorter": data[:-1],
        "empty": b"",
    }[lie]

    with pytest.raises(DigestMismatch):
        await shelf.resolve()


async def test_a_reference_by_digest_is_verified(shelf: Shelf) -> None:
    descriptor = shelf.image()
    path = f"/v2/test/manifests/{descriptor['digest']}"
    shelf.files.files[path] += b" "

    with pytest.raises(DigestMismatch):
        await shelf.resolve(f"@{descriptor['digest']}")

    assert len(shelf.proxy.matching("/manifests/")) == 2


async def test_a_size_in_an_index_that_is_wrong(shelf: Shelf) -> None:
    descriptor = shelf.image() | on("linux/amd64")
    for wrong in (descriptor["size"] - 1, descriptor["size"] + 1, 0):
        shelf.index([descriptor | {"size": wrong}], "latest")
        with pytest.raises(DigestMismatch, match="another size"):
            await shelf.resolve()


async def test_what_was_damaged_on_its_way_is_asked_for_again(shelf: Shelf) -> None:
    shelf.index([shelf.image() | on("linux/amd64")], "latest")
    shelf.proxy.on("/manifests/sha256", Corrupt(5))
    shelf.proxy.on("/blobs/sha256", Corrupt(5))

    assert (await shelf.resolve()).platform == "linux/amd64"


async def test_a_registry_that_contradicts_itself(shelf: Shelf) -> None:
    shelf.image("latest")
    data = shelf.files.files["/v2/test/manifests/latest"]
    shelf.proxy.on("/manifests/", Reply(200, {"Docker-Content-Digest": digest_of(b"x")}, data))

    with pytest.raises(DigestMismatch):
        await shelf.resolve()


async def test_the_type_in_an_index_counts(shelf: Shelf) -> None:
    descriptor = shelf.image() | on("linux/amd64") | {"mediaType": manifest.OCI_INDEX}
    shelf.index([descriptor], "latest")

    with pytest.raises(BadContent, match="broken"):
        await shelf.resolve()


async def test_config_and_manifest_must_agree_on_layers(shelf: Shelf) -> None:
    shelf.image("latest", shelf.config(layers=2))

    with pytest.raises(BadContent) as caught:
        await shelf.resolve()

    assert "2 layers" in caught.value.detail


async def test_a_web_page_is_no_manifest(shelf: Shelf) -> None:
    page = Reply(200, {"Content-Type": "text/html"}, b"<html>Log in to the hotel's network</html>")
    shelf.proxy.on("/manifests/", page)

    with pytest.raises(BadContent, match="The manifest of"):
        await shelf.resolve()


async def test_a_manifest_without_end(shelf: Shelf) -> None:
    shelf.limits = Limits(max_manifest_bytes=1000)
    shelf.image("latest", annotations={"a": "b" * 1000})

    with pytest.raises(LimitExceeded) as caught:
        await shelf.resolve()

    assert "max_manifest_bytes" in caught.value.detail


async def test_faults_on_the_way(shelf: Shelf) -> None:
    shelf.image("latest")
    for fault in (Reply(503), Reset(3)):
        shelf.proxy.on("/manifests/", fault)
    for other in (Reply(429, {"Retry-After": "0"}), Stall(3)):
        shelf.proxy.on("/blobs/", other)

    assert (await shelf.resolve()).platform == "linux/amd64"


async def test_faults_without_end(shelf: Shelf) -> None:
    shelf.proxy.on("/manifests/", Stall(), times=100)
    shelf.image("latest")

    with pytest.raises(RegistryUnreachable) as caught:
        await shelf.resolve()

    assert "3 times" in caught.value.detail
    assert shelf.proxy.address in caught.value.title


async def test_what_a_registry_says_is_shown_without_its_controls(shelf: Shelf) -> None:
    said = {
        "errors": [{"code": "MANIFEST_UNKNOWN", "message": "no\x1b[31m\u202e such\nthing" * 50}]
    }
    shelf.proxy.on("/manifests/", Reply(404, {}, json.dumps(said).encode()))

    with pytest.raises(RegistryNotFound) as caught:
        await shelf.resolve()

    shown = f"{caught.value.title} {caught.value.detail}"
    assert "such thing" in shown
    assert shown.isprintable()
    assert len(shown) < 500
