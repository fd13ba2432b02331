"""Cancel at the begin and at the end of every stage of every way in and out: all is as before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmSpec
from banger_tui.engine.operations import Operation
from banger_tui.engine.paths import Paths
from banger_tui.engine.provision.build import PLAN, BuildSpec
from tests.engine_fixtures.template import IMAGE, KERNEL
from tests.host.registry.images import push_image, tar_layer
from tests.host.registry.server import RunningRegistry
from tests.live.ways import (
    Way,
    cancelled_everywhere,
    engine_below,
    registered,
    small_filesystem,
)

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)

Begin = Callable[[Engine], Awaitable[Operation[Any]]]


def image_way(begin: Begin, *watched: Path, kernel: str = "") -> Way:
    """A way that ends in the image "new", and maybe in a kernel."""
    return Way(begin, image_way_back(kernel), watched)


def image_way_back(kernel: str = "") -> Callable[[Engine], Awaitable[None]]:
    async def take_back(engine: Engine) -> None:
        await engine.images.delete("new")
        if kernel:
            await engine.kernels.delete(kernel)

    return take_back


async def test_register_a_copy_with_a_kernel_file(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small_filesystem(tmp_path / "mine.ext4")
    vmlinuz = Paths.below(real_home).kernel(KERNEL) / "vmlinuz"
    async with engine_below(real_home) as engine:
        way = Way(
            lambda engine: engine.images.register(file, "new", kernel=str(vmlinuz)),
            image_way_back("new-kernel"), (file,), only=("publish", "kernel"),
        )  # fmt: skip
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    assert places.count("end publish") == 2, "the kernel's stages were not seen"


async def test_register_a_copy(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small_filesystem(tmp_path / "mine.ext4")
    async with engine_below(real_home) as engine:
        way = image_way(lambda engine: engine.images.register(file, "new"), file)
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    assert {"end inspect", "end guest kit", "end build ext4", "end publish"} <= {*places}


async def test_register_a_copy_of_what_has_the_kit(
    real_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_below(real_home) as engine:
        file = engine.images.rootfs(await engine.images.get(IMAGE))
        way = image_way(lambda engine: engine.images.register(file, "new"), file)
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    assert "end copy" in places


async def test_register_in_place(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        file = engine.images.rootfs(await engine.images.get("kept"))
        way = image_way(lambda engine: engine.images.register(file, "new", in_place=True), file)
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    assert {"begin inspect", "end publish"} <= {*places}


async def test_promote(real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        await (await engine.vms.create(VmSpec(name="web", image="kept"))).result()
        await (await engine.vms.stop("web")).result()
        way = image_way(lambda engine: engine.images.promote("web", "new"))
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    assert {"end flatten", "end remove identity", "end build ext4"} <= {*places}


async def test_build(real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("echo done\n")
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        way = Way(
            lambda engine: engine.build_image(BuildSpec("new", "kept", script)),
            image_way_back(), (script,), only=(*PLAN, "ready"),
        )  # fmt: skip
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    wanted = ("create VM", "ready", "run script", "power off", "flatten", "delete VM", "publish")
    assert {f"end {name}" for name in wanted} <= {*places}


async def test_pull_a_container_image(
    real_home: Path, registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [tar_layer({"a": b"a" * 5000}), tar_layer({"b": b"b" * 5000})]
    image = await asyncio.to_thread(push_image, registry, layers)
    async with engine_below(real_home) as engine:
        way = image_way(lambda engine: engine.images.pull(image.reference, name="new"))
        places = await cancelled_everywhere(engine, real_home, way, monkeypatch)
    wanted = ("read manifest", "download", "verify", "flatten", "guest kit", "build ext4", "check")
    assert {f"end {name}" for name in wanted} <= {*places}


async def test_export_push_and_pull_of_bundle_and_artifact(
    real_home: Path, tmp_path: Path, registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    bundle, reference = away / "new.tar.zst", f"{registry.address}/images/small:1"
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")

        async def remove(_: Engine) -> None:
            await asyncio.to_thread(bundle.unlink)

        async def nothing(_: Engine) -> None:
            """What is in the registry stays there."""

        export = Way(lambda engine: engine.images.export("kept", bundle), remove, (away,))
        assert "end compress" in await cancelled_everywhere(engine, real_home, export, monkeypatch)
        push = Way(lambda engine: engine.images.push("kept", reference), nothing)
        assert "end push" in await cancelled_everywhere(engine, real_home, push, monkeypatch)
        # In another home the bundle brings its kernel along.
        await engine.images.delete("kept")
        await engine.images.delete(IMAGE)
        await engine.kernels.delete(KERNEL)
        pull = image_way(lambda engine: engine.images.pull(str(bundle), name="new"), kernel=KERNEL)
        places = await cancelled_everywhere(engine, real_home, pull, monkeypatch)
        assert {"end unpack", "end check", "end publish kernel", "end publish"} <= {*places}
        await pull.take_back(engine)
        artifact = image_way(
            lambda engine: engine.images.pull(reference, name="new"), kernel=KERNEL
        )
        places = await cancelled_everywhere(engine, real_home, artifact, monkeypatch)
        assert {"end download", "end unpack", "end publish kernel"} <= {*places}
