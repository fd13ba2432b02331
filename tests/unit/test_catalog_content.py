"""What may stand in a person's catalog, and how what may not is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.catalog.catalogs import Catalogs
from banger_tui.engine.catalog.entries import BundleSource, DebianSource
from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.catalog.parse import parse_both
from banger_tui.engine.errors import BadContent, InvalidInput
from banger_tui.engine.settings import UserCatalog

PIN = "sha256:" + "a" * 64


def image(name: str, **changes: Any) -> dict[str, Any]:
    source = {"kind": "oci", "reference": f"example.org/{name}:1"}
    return {"name": name, "description": "mine", "source": source, "kernel": "k", **changes}


def kernel(name: str, **changes: Any) -> dict[str, Any]:
    source = {"kind": "debian", "suite": "trixie", "package": "linux-image-{architecture}"}
    return {"name": name, "description": "mine", "source": source, **changes}


def catalog(*names: str, **content: Any) -> bytes:
    whole = {"images": [image(name) for name in names], "kernels": [kernel("k")], **content}
    return json.dumps(whole).encode()


async def loaded(path: Path) -> Catalog:
    async def unwanted(url: str) -> bytes:
        raise AssertionError(f"{url} is asked for")

    return await Catalogs([UserCatalog(str(path))], path.parent / "copies", unwanted).load()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is no valid JSON"),
        (b"{", "is no valid JSON"),
        (b"\xff\xfe", "is no valid JSON"),
        (b"[" * 100_000, "is no valid JSON"),
        (b'{"images": [], "images": []}', "is no valid JSON"),
        (b'{"images": [NaN]}', "is no valid JSON"),
        (b"[]", "is no catalog"),
        (b"{}", "is no catalog"),
        (b'{"images": [], "mirrors": []}', "is no catalog"),
        (b'{"images": {}}', "images is wrong"),
        (b'{"images": [1]}', "images[0] is wrong"),
        (catalog("a", "a"), "images[1].name is wrong"),
        (catalog("own", kernels=[kernel("k", suite="x")]), "kernels[0].suite is wrong"),
        (catalog("own", kernels=[kernel("../k")]), "kernels[0].name is wrong"),
        (catalog("own", kernels=[kernel("k", source={"kind": "oci"})]), "kernels[0].source.kind"),
        (catalog(images=[image("a", kernel=3)]), "images[0].kernel is wrong"),
        (catalog(images=[{**image("a"), "name": "a\x1b[2J"}]), "images[0].name is wrong"),
        (catalog(images=[image("a", description="two\nlines")]), "images[0].description"),
        (catalog(images=[{"name": "a"}]), "images[0].source is wrong: is missing"),
        (catalog(images=[image("a", **{"\x1b": 1})]), "images[0].'\\x1b' is wrong"),
    ],
)  # fmt: skip
async def test_content_that_is_wrong_is_named(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(data)
    (error,) = (await loaded(path)).unread
    assert isinstance(error, BadContent)
    assert f"{path}" in str(error)
    assert complaint in str(error)
    assert "config.toml" in error.hint
    assert str(error).isprintable()


BUNDLE = {"kind": "bundle", "url": "https://example.org/x", "sha256": "a" * 64, "size_bytes": 9}


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ({**BUNDLE, "url": "http://example.org/x"}, "url"),
        ({**BUNDLE, "url": "file:///etc/passwd"}, "url"),
        ({**BUNDLE, "url": "https://user:word@example.org/x"}, "url"),
        ({**BUNDLE, "sha256": "A" * 64}, "sha256"),
        ({**BUNDLE, "sha256": "a" * 63}, "sha256"),
        ({**BUNDLE, "size_bytes": -1}, "size_bytes"),
        ({**BUNDLE, "size_bytes": 1e3}, "size_bytes"),
        ({**BUNDLE, "size_bytes": 1 << 70}, "size_bytes"),
        ({"kind": "bundle", "url": BUNDLE["url"], "size_bytes": 9}, "sha256"),
        ({"kind": "artifact", "reference": "example.org/x:1"}, "reference"),
        ({"kind": "oci", "reference": "example.org/../x"}, "reference"),
        ({"kind": "oci", "reference": "--option"}, "reference"),
        ({"kind": "oci", "reference": f"example.org/x@{PIN}", "tag": "1"}, "tag"),
    ],
)
async def test_sources_that_are_wrong_are_named(
    tmp_path: Path, source: dict[str, Any], field: str
) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(catalog(images=[image("a", source=source)]))
    (error,) = (await loaded(path)).unread
    assert f"images[0].source.{field} is wrong" in str(error)


async def test_sources_that_are_right(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    own = image("a", source=BUNDLE)
    del own["kernel"]
    loopback = image("b", source={**BUNDLE, "url": "http://127.0.0.1:5/x"})
    pinned = image("c", source={"kind": "artifact", "reference": f"example.org/x@{PIN}"})
    path.write_bytes(catalog(images=[own, loopback, pinned]))
    found = await loaded(path)
    assert found.unread == ()
    assert found.image("a").source == BundleSource("https://example.org/x", "a" * 64, 9)
    assert (found.image("a").kernel, found.image("a").download_bytes) == ("", 9)
    assert {"b", "c"} <= found.images.keys()


HOOKED = {"kind": "debian", "suite": "bookworm", "packages": [], "hooks": ["echo 'a b' >/x"]}


async def test_hooks_of_a_file_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(catalog(images=[image("a", source=HOOKED)]))
    source = (await loaded(path)).image("a").source
    assert source == DebianSource("bookworm", (), ("echo 'a b' >/x",))


def test_hooks_from_the_web_are_refused() -> None:
    data = catalog(images=[image("a", source=HOOKED)])
    with pytest.raises(InvalidInput, match=r"source\.hooks is wrong") as caught:
        parse_both(data, "https://example.org/catalog.json")
    assert "on this host only" in caught.value.detail


@pytest.mark.parametrize("hooks", ["echo", [1], ["a\nb"], [""], {}])
async def test_hooks_that_are_none(tmp_path: Path, hooks: object) -> None:
    with pytest.raises(InvalidInput, match=r"source\.hooks is wrong"):
        parse_both(catalog(images=[image("a", source={**HOOKED, "hooks": hooks})]), "file")
