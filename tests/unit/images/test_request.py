"""What a person's reference stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.catalog.entries import BundleSource, DebianSource, OciSource
from banger_tui.engine.catalog.load import embedded
from banger_tui.engine.errors import InvalidInput, NotInCatalog
from banger_tui.engine.images.request import PullSpec, local_name, request

CATALOG = embedded()


def made(reference: str, **more: Any) -> tuple[str, object]:
    name, found = request(
        PullSpec(reference, **more),
        CATALOG,
        default_kernel="linux",
    )
    return name, found.entry.source


def test_a_catalogs_name() -> None:
    name, source = made("debian-bookworm")
    assert name == "debian-bookworm"
    assert isinstance(source, DebianSource)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("docker.io/library/alpine:3.20", "alpine:3.20"),
        ("alpine:3.20", "alpine:3.20"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("ghcr.io/org/img@sha256:" + "a" * 64, "ghcr.io/org/img@sha256:" + "a" * 64),
    ],
)
def test_a_container_image(reference: str, name: str) -> None:
    found, source = made(reference)
    assert (found, source) == (name, OciSource(reference))
    assert local_name(reference) == name


@pytest.mark.parametrize(
    ("reference", "location"),
    [
        ("https://example.org/web.tar.zst", "https://example.org/web.tar.zst"),
        ("file:///srv/web.tar.zst", "/srv/web.tar.zst"),
        ("/srv/web.tar.zst", "/srv/web.tar.zst"),
    ],
)
def test_a_bundle(reference: str, location: str) -> None:
    assert made(reference) == ("web", BundleSource(location))


def test_a_bundle_beside_us() -> None:
    assert made("./web.tzst") == ("web", BundleSource(str(Path.cwd() / "web.tzst")))


def test_a_name_of_ones_own() -> None:
    assert made("alpine:3.20", name="mine")[0] == "mine"


def test_an_unknown_word_is_no_strangers_image() -> None:
    with pytest.raises(NotInCatalog) as caught:
        made("debian-bokworm")
    assert "debian-bookworm" in caught.value.near
    assert "debian-bokworm:latest" in caught.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_bytes": 1},
        {"platform": "arm64"},
        {"platform": "linux/"},
        {"platform": "a/b/c/d"},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        made("alpine:3.20", **wrong)


@pytest.mark.parametrize(
    "wrong", ["docker.io/UPPER/x:1", "a/b:", "x@sha256:12", "/absolute", "a b/c:1"]
)
def test_references_that_are_none(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        made(wrong)
