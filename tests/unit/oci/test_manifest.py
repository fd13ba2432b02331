"""Indexes and manifests: what is taken, and that what is wrong is refused with a reason."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci import manifest
from banger_tui.engine.oci.manifest import Index, Manifest
from banger_tui.engine.oci.platforms import parse_platform

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
LAYER = f"{OCI}.layer.v1.tar+gzip"
LIMITS = Limits(max_layers=4, max_blob_bytes=1000, max_manifest_bytes=500, max_rootfs_bytes=1500)


def digest(fill: str = "a") -> str:
    return f"sha256:{fill * 64}"


def descriptor(media_type: str = LAYER, fill: str = "a", size: Any = 100, **more: Any) -> Any:
    return {"mediaType": media_type, "digest": digest(fill), "size": size, **more}


def image(**changed: Any) -> dict[str, Any]:
    document = {
        "schemaVersion": 2,
        "mediaType": manifest.OCI_MANIFEST,
        "config": descriptor(manifest.OCI_CONFIG, "c"),
        "layers": [descriptor(fill="1"), descriptor(f"{OCI}.layer.v1.tar+zstd", "2")],
    }
    document |= changed
    return {name: value for name, value in document.items() if value is not ...}


def entry(platform: str | None, fill: str, media_type: str = manifest.OCI_MANIFEST) -> Any:
    if platform is None:
        return descriptor(media_type, fill)
    os, architecture, *variant = platform.split("/")
    said = {"os": os, "architecture": architecture} | ({"variant": variant[0]} if variant else {})
    return descriptor(media_type, fill, platform=said)


def index(*entries: Any, **changed: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": list(entries), **changed,
    }  # fmt: skip


def parse(document: Any, media_type: str = "", limits: Limits = LIMITS) -> Index | Manifest:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return manifest.parse(data, media_type, "test:1", limits)


def chosen(document: Any, platform: str) -> str:
    found = parse(document)
    assert isinstance(found, Index)
    one = found.choose(parse_platform(platform))
    return one.digest[-1] if one else ""


def test_an_oci_image() -> None:
    found = parse(image(annotations={"a": "b"}))

    assert isinstance(found, Manifest)
    assert found.config.digest == digest("c")
    assert [layer.digest for layer in found.layers] == [digest("1"), digest("2")]
    assert found.annotations == {"a": "b"}
    assert not found.artifact_type


def test_a_docker_image() -> None:
    found = parse(
        image(
            mediaType=manifest.DOCKER_MANIFEST,
            config=descriptor(manifest.DOCKER_CONFIG),
            layers=[descriptor(f"{DOCKER}.image.rootfs.diff.tar.gzip")],
        )
    )

    assert isinstance(found, Manifest)
    assert not found.artifact_type


def test_an_oci_manifest_need_not_say_what_it_is() -> None:
    found = parse(image(mediaType=...), f"{manifest.OCI_MANIFEST}; charset=utf-8")

    assert isinstance(found, Manifest)


def test_a_document_speaks_for_itself_where_the_registry_says_nothing() -> None:
    assert isinstance(parse(image(), "application/json"), Manifest)
    assert isinstance(parse(index(), ""), Index)


def test_the_same_layer_may_come_twice() -> None:
    found = parse(image(layers=[descriptor(), descriptor(fill="b"), descriptor()]))

    assert isinstance(found, Manifest)
    assert len(found.layers) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"artifactType": "application/vnd.example+type"},
        {"config": descriptor("application/vnd.example.config+json", "c")},
        {"config": descriptor("application/vnd.oci.empty.v1+json", "c")},
    ],
)
def test_an_artifact_may_have_layers_of_any_type(changed: dict[str, Any]) -> None:
    found = parse(image(layers=[descriptor("application/vnd.example.blob")], **changed))

    assert isinstance(found, Manifest)
    assert found.artifact_type


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "JSON"), (b"{", "JSON"), (b"[]", "object"), (b"\xff{}", "UTF-8"), (b"null", "object"),
        (b'{"schemaVersion": 2, "schemaVersion": 2}', "twice"),
        (b'{"schemaVersion": NaN}', "number"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested"),
        (b'{"a":' * 100000 + b"1" + b"}" * 100000, "nested"),
        (json.dumps(image()).encode() + b"x", "JSON"),
        (image(schemaVersion=...), "schemaVersion"),
        (image(schemaVersion=3), "schemaVersion"),
        (image(schemaVersion="2"), "schemaVersion"),
        (image(schemaVersion=True), "schemaVersion"),
        (image(mediaType="text/html"), "media type"),
        (image(mediaType=...), "media type"),
        (image(mediaType=7), "mediaType"),
        (image(manifests=[]), "at once"),
        (index(layers=[]), "at once"),
        (index(config=descriptor()), "at once"),
        (image(layers=...), "layers"),
        (image(layers={}), "layers"),
        (image(layers=None), "layers"),
        (image(layers=[7]), "object"),
        (image(config=...), "config"),
        (image(config=[]), "object"),
        (image(layers=[descriptor("")]), "mediaType"),
        (image(layers=[descriptor("a b/c")]), "media type"),
        (image(layers=[descriptor("application/octet-stream")]), "media type"),
        (image(layers=[descriptor(f"{LAYER}+encrypted")]), "media type"),
        (image(layers=[descriptor(manifest.OCI_MANIFEST)]), "media type"),
        (image(layers=[descriptor(size=-1)]), "size"),
        (image(layers=[descriptor(size=1.5)]), "size"),
        (image(layers=[descriptor(size=True)]), "size"),
        (image(layers=[descriptor(size="100")]), "size"),
        (image(layers=[descriptor(size=None)]), "size"),
        (image(layers=[descriptor(size=10**30)]), "range"),
        (image(layers=[{"mediaType": LAYER, "size": 1}]), "digest"),
        (image(layers=[{**descriptor(), "digest": "sha256:abc"}]), "digest"),
        (image(layers=[{**descriptor(), "digest": "sha256:" + "A" * 64}]), "digest"),
        (image(layers=[{**descriptor(), "digest": "md5:" + "a" * 32}]), "digest"),
        (image(layers=[{**descriptor(), "digest": "sha256:../../" + "a" * 58}]), "digest"),
        (image(layers=[descriptor(annotations={"a": 1})]), "annotations"),
        (image(layers=[descriptor(size=1), descriptor(size=2)]), "two sizes"),
        (image(annotations=[]), "annotations"),
        (image(annotations={"a": "\0"}), "annotations"),
        (image(annotations={"a": "\ud800"}), "annotations"),
        (image(mediaType=manifest.DOCKER_MANIFEST), "config"),
        (index(7), "object"),
        (index(entry("linux/amd64", "a") | {"platform": []}), "object"),
        (index(entry("linux/amd64", "a") | {"platform": {"os": "linux"}}), "architecture"),
        (index(manifests="a"), "list"),
    ],
)  # fmt: skip
def test_broken_documents_are_refused(document: Any, why: str) -> None:
    with pytest.raises(BadContent) as caught:
        parse(document)

    assert why in f"{caught.value.title} {caught.value.detail}"
    assert "test:1" in caught.value.title


def test_another_type_than_announced_is_refused() -> None:
    for document, announced in [
        (image(), manifest.OCI_INDEX),
        (index(), manifest.OCI_MANIFEST),
        (image(), manifest.DOCKER_MANIFEST),
    ]:
        with pytest.raises(BadContent, match="broken"):
            parse(document, announced)


def test_docker_documents_must_say_what_they_are() -> None:
    with pytest.raises(BadContent) as caught:
        parse(image(mediaType=...), manifest.DOCKER_MANIFEST)

    assert "mediaType" in caught.value.detail


@pytest.mark.parametrize(
    ("document", "announced"),
    [
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, "application/json"),
        ({"schemaVersion": 1}, f"{DOCKER}.distribution.manifest.v1+prettyjws"),
        ({"schemaVersion": 1, "mediaType": f"{DOCKER}.distribution.manifest.v1+json"}, ""),
    ],
)
def test_schema_1_is_told_by_its_name(document: Any, announced: str) -> None:
    with pytest.raises(BadContent, match="schema 1") as caught:
        parse(document, announced)

    assert caught.value.hint


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        (image(layers=[descriptor()] * 5), "max_layers"),
        (image(layers=[descriptor(size=1001)]), "max_blob_bytes"),
        (image(layers=[descriptor(size=2**63 - 1)]), "max_blob_bytes"),
        (image(config=descriptor(manifest.OCI_CONFIG, size=501)), "max_manifest_bytes"),
        (index(entry("linux/amd64", "a") | {"size": 501}), "max_manifest_bytes"),
        (image(layers=[descriptor(fill=f, size=600) for f in "123"]), "max_rootfs_bytes"),
    ],
)
def test_limits_are_named(document: Any, limit: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        parse(document)

    assert limit in caught.value.detail
    assert limit in caught.value.hint


def test_ten_thousand_layers_are_counted_and_not_read() -> None:
    with pytest.raises(LimitExceeded, match="10,000 layers"):
        parse(image(layers=[7] * 10_000))


@pytest.mark.parametrize(
    ("platform", "found"),
    [
        ("linux/amd64", "1"), ("linux/x86_64", "1"), ("linux/amd64/v1", "1"),
        ("linux/amd64/v3", "1"), ("linux/arm64", "2"), ("linux/arm64/v8", "2"),
        ("linux/aarch64", "2"), ("linux/arm64/v9", "2"), ("linux/arm", "4"), ("linux/arm/v7", "4"),
        ("linux/arm/v6", "3"), ("linux/armhf", "4"), ("linux/armel", "3"), ("linux/arm/v8", "4"),
        ("linux/arm/v5", ""), ("linux/riscv64", ""), ("windows/amd64", "5"), ("linux/386", ""),
    ],
)  # fmt: skip
def test_the_platform_picks_from_an_index(platform: str, found: str) -> None:
    document = index(
        entry("unknown/unknown", "0"),
        entry("linux/amd64", "1"),
        entry("linux/arm64/v8", "2"),
        entry("linux/arm/v6", "3"),
        entry("linux/arm/v7", "4"),
        entry("windows/amd64", "5"),
        entry("linux/amd64", "6"),
        entry("linux/amd64/v3", "7"),
    )
    if platform == "linux/amd64/v3":
        found = "7"

    assert chosen(document, platform) == found


def test_newer_processors_are_not_taken_for_older_ones() -> None:
    assert chosen(index(entry("linux/amd64/v3", "1")), "linux/amd64") == ""
    assert chosen(index(entry("linux/amd64/v3", "1")), "linux/amd64/v4") == "1"


def test_attestations_are_no_images() -> None:
    attestation = entry("unknown/unknown", "1")
    referring = entry("linux/amd64", "2") | {
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"}
    }
    found = parse(index(attestation, referring, entry("linux/amd64", "3")))

    assert isinstance(found, Index)
    assert [one.digest[-1] for one in found.manifests] == ["3"]
    assert found.platforms == ("linux/amd64",)


def test_what_is_no_manifest_is_passed_over() -> None:
    document = index(
        entry("linux/amd64", "1", "application/vnd.example"), entry("linux/amd64", "2")
    )

    assert chosen(document, "linux/amd64") == "2"


def test_an_entry_without_platform_is_the_last_resort() -> None:
    assert chosen(index(entry(None, "1"), entry("linux/amd64", "2")), "linux/amd64") == "2"
    assert chosen(index(entry(None, "1"), entry("linux/amd64", "2")), "linux/arm64") == "1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.sampled_from(list(image())), JSON)
def test_any_value_anywhere_is_taken_or_refused(name: str, value: Any) -> None:
    for document in (image(**{name: value}), index(manifests=[entry("a/b", "1") | {name: value}])):
        with contextlib.suppress(BadContent):
            assert isinstance(parse(document), Index | Manifest)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadContent):
        parse(data)
