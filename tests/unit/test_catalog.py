"""Catalogs: what is shipped is right, and what is wrong is named."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.catalog.entries import DebianSource, KitSource, OciSource
from banger_tui.engine.catalog.load import embedded, near
from banger_tui.engine.catalog.parse import parse_images, parse_kernels
from banger_tui.engine.errors import InvalidInput, NotInCatalog
from banger_tui.engine.oci.reference import parse

ROOT = Path(__file__).parents[2]

GOOD: dict[str, Any] = {
    "images": [
        {
            "name": "one",
            "description": "the first",
            "source": {"kind": "debian", "suite": "bookworm", "packages": ["git", "g++"]},
            "kernel": "k",
            "init": "/sbin/init",
            "disk_mib": 8192,
        }
    ]
}


def test_the_shipped_catalog_hangs_together() -> None:
    catalog = embedded()
    assert isinstance(catalog.image("debian-bookworm").source, DebianSource)
    assert isinstance(catalog.image("busybox").source, KitSource)
    for image in catalog.images.values():
        kernel = catalog.kernel(image.kernel)
        assert "{" not in kernel.package
        if isinstance(image.source, DebianSource | KitSource):
            assert kernel.suite == image.source.suite


def test_what_people_look_for_is_shipped() -> None:
    catalog = embedded()
    golden = catalog.image("debian-bookworm").source
    assert isinstance(golden, DebianSource)
    wanted = "systemd sudo git curl ca-certificates iproute2 tmux vim-tiny".split()
    assert set(wanted) <= set(golden.packages)
    assert isinstance(catalog.image("debian-bookworm-slim").source, DebianSource)
    for name in ("alpine", "ubuntu", "debian", "fedora", "archlinux"):
        source = catalog.image(name).source
        assert isinstance(source, OciSource)
        assert parse(source.reference).canonical == source.reference, "written in full"


def test_the_wheel_brings_the_catalogs(tmp_path: Path) -> None:
    """Built, unpacked, and loaded from there with nothing of the checkout in reach."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    inside = tmp_path / "inside"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(inside)
    load = "from banger_tui.engine.catalog import load; c = load.embedded(); "
    load += "print(load.__file__, *c.images, *c.kernels)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", load], cwd=tmp_path, check=True, capture_output=True,
        text=True, timeout=100, env={**os.environ, "PYTHONPATH": str(inside)},
    )  # fmt: skip
    where, *names = done.stdout.split()
    assert Path(where).is_relative_to(inside)
    assert names == [*embedded().images, *embedded().kernels]


def test_an_unknown_name_gets_near_ones() -> None:
    with pytest.raises(NotInCatalog) as caught:
        embedded().image("debian-bokworm")
    assert caught.value.near[0] == "debian-bookworm"
    assert "debian-bookworm" in caught.value.hint
    assert near("", {}) == ()


def test_good_entries_are_read() -> None:
    entry = parse_images(json.dumps(GOOD).encode(), "x.json")["one"]
    assert entry.source == DebianSource("bookworm", ("git", "g++"))
    assert entry.disk_bytes == 8 << 30


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (["name"], "Bad Name", "images[0].name"),
        (["name"], None, "images[0].name"),
        (["description"], "", "images[0].description"),
        (["init"], "sbin/init", "images[0].init"),
        (["disk_mib"], "8G", "images[0].disk_mib"),
        (["disk_mib"], True, "images[0].disk_mib"),
        (["disk_mib"], 1, "images[0].disk_mib"),
        (["source"], [], "images[0].source"),
        (["source", "kind"], "tar", "images[0].source.kind"),
        (["source", "packages"], "git", "images[0].source.packages"),
        (["source", "packages"], ["--option"], "images[0].source.packages"),
        (["source", "suite"], "../x", "images[0].source.suite"),
        (["source", "mirror"], "x", "images[0].source.mirror"),
        (["colour"], "red", "images[0].colour"),
    ],
)
def test_complaints_name_file_and_field(path: list[str], value: object, complaint: str) -> None:
    content = copy.deepcopy(GOOD)
    place = content["images"][0]
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    with pytest.raises(InvalidInput) as caught:
        parse_images(json.dumps(content).encode(), "mine.json")
    assert caught.value.title.startswith(f"mine.json: {complaint} ")


def test_a_name_may_stand_once() -> None:
    content = {"images": GOOD["images"] * 2}
    with pytest.raises(InvalidInput, match="twice"):
        parse_images(json.dumps(content).encode(), "x.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"kernels": {}}', b"\xff"])
def test_no_catalog_at_all(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"x\.json"):
        parse_kernels(data, "x.json")
