"""Image configs: what is kept of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from banger_tui.engine.errors import BadContent, InvalidInput
from banger_tui.engine.oci import image_config
from banger_tui.engine.oci.image_config import ImageConfig
from banger_tui.engine.oci.platforms import Platform, parse_platform

DIFF = "sha256:" + "d" * 64


def config(**changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["A=b"], "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [DIFF]},
    }
    document |= changed
    return {name: value for name, value in document.items() if value is not ...}


def parse(document: Any, layers: int = 1) -> ImageConfig:
    return image_config.parse(json.dumps(document).encode(), "test:1", layers)


def test_what_is_kept() -> None:
    found = parse(
        config(
            variant="v2",
            config={
                "Env": ["PATH=/bin", "EMPTY=", "no equals sign"],
                "Entrypoint": ["/e"],
                "Cmd": ["x", "y z"],
                "WorkingDir": "/w",
                "User": "1000:1000",
                "Labels": {"l": "m"},
                "ExposedPorts": {"80/tcp": {}},
                "Volumes": {"/v": {}},
                "OnBuild": ["RUN x"],
            },
            history=[{"created_by": 7}],
        )
    )

    assert found.platform == Platform("linux", "amd64", "v2")
    assert found.diff_ids == (DIFF,)
    assert found.settings == {
        "Env": ["PATH=/bin", "EMPTY=", "no equals sign"],
        "Entrypoint": ["/e"],
        "Cmd": ["x", "y z"],
        "WorkingDir": "/w",
        "User": "1000:1000",
        "Labels": {"l": "m"},
        "ExposedPorts": {"80/tcp": {}},
    }


@pytest.mark.parametrize(
    "runtime",
    [
        ...,
        None,
        {},
        {"Env": None, "Cmd": None, "Entrypoint": None, "Labels": None, "ExposedPorts": None},
        {"WorkingDir": "", "User": "", "Cmd": []},
    ],
)
def test_what_is_empty_is_left_out(runtime: Any) -> None:
    assert parse(config(config=runtime)).settings == {}


def test_an_image_without_layers() -> None:
    assert parse(config(rootfs={"type": "layers"}), 0).diff_ids == ()


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (config(architecture=...), "architecture"),
        (config(architecture=""), "architecture"),
        (config(os=...), "os"),
        (config(os=7), "os"),
        (config(rootfs=...), "rootfs"),
        (config(rootfs={"type": "layers", "diff_ids": []}), "0 layers"),
        (config(rootfs={"type": "layers", "diff_ids": [DIFF, DIFF]}), "2 layers"),
        (config(rootfs={"type": "layers", "diff_ids": ["sha256:x"]}), "digests"),
        (config(rootfs={"type": "layers", "diff_ids": [7]}), "texts"),
        (config(rootfs={"type": "layers", "diff_ids": DIFF}), "list"),
        (config(rootfs={"type": "layers+base", "diff_ids": [DIFF]}), "layers"),
        (config(rootfs={"diff_ids": [DIFF]}), "type"),
        (config(config=[]), "object"),
        (config(config={"Env": "A=b"}), "Env"),
        (config(config={"Env": ["A=b\0C=d"]}), "Env"),
        (config(config={"Env": ["A=\udc80"]}), "Env"),
        (config(config={"Env": [1]}), "Env"),
        (config(config={"Cmd": "sh"}), "Cmd"),
        (config(config={"Entrypoint": {}}), "Entrypoint"),
        (config(config={"WorkingDir": 1}), "WorkingDir"),
        (config(config={"User": "a\0"}), "User"),
        (config(config={"Labels": ["a"]}), "Labels"),
        (config(config={"Labels": {"a": 1}}), "Labels"),
        (config(config={"ExposedPorts": ["80"]}), "ExposedPorts"),
    ],
)
def test_refused(document: Any, why: str) -> None:
    with pytest.raises(BadContent) as caught:
        parse(document)

    assert why in f"{caught.value.title} {caught.value.detail}"


def test_a_key_that_stands_twice_is_refused() -> None:
    twice = json.dumps(config()).replace('"os": "linux"', '"os": "linux", "os": "plan9"')

    with pytest.raises(BadContent) as caught:
        image_config.parse(twice.encode(), "test:1", 1)

    assert "twice" in caught.value.detail


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/a b", "../x"])
def test_what_is_no_platform(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_platform(text)


def test_platforms_by_their_usual_names() -> None:
    assert str(parse_platform("Linux/AMD64")) == "linux/amd64"
    assert str(parse_platform("linux/arm64/v8")) == "linux/arm64"
    assert str(parse_platform("linux/arm/6")) == "linux/arm/v6"
