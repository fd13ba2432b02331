"""Pulls that are cancelled, on fake builders: nothing is left, and what others made stays."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.artefacts import Built, Workplace
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.images import inflating
from banger_tui.engine.images.inflating import Inflating
from banger_tui.engine.images.kept import images
from banger_tui.engine.images.measured import measured
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.manifest import Descriptor
from banger_tui.engine.paths import Paths
from banger_tui.engine.threads import Stop
from tests.engine_fixtures.engines import IMAGE, WatchedBuilders, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE
from tests.host.registry.stage import RecordedStage
from tests.live.ways import Way, cancelled_everywhere


@pytest.mark.parametrize("reference", [IMAGE, "alpine:3.20", "/srv/x.tar.zst"])
async def test_a_pull_cancelled_in_any_stage_leaves_nothing(
    tmp_path: Path, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders = WatchedBuilders(image_seconds=0.001, layers=(2, 1))
    async with fake_engine(tmp_path / "home", builders=builders) as engine:

        async def begin(engine: Engine) -> Any:
            return await engine.images.pull(reference, name="new")

        async def take_back(engine: Engine) -> None:
            await engine.images.delete("new")

        way = Way(begin, take_back)
        places = await cancelled_everywhere(engine, tmp_path / "home", way, monkeypatch)
    assert {"begin resolve reference", "end check", "end publish"} <= {*places}


async def test_what_another_published_is_not_taken_back(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        await (await engine.images.pull(IMAGE)).result()
        here = await engine.images.get(IMAGE)
        kept = images(engine._ctx)
        await kept.discard(dataclasses.replace(here, created_at=time.time()))
        await kept.discard(dataclasses.replace(here, digest="sha256:" + "f" * 64))
        assert await engine.images.list() == [here]
        await create(engine, "web")
        await kept.discard(here)
        assert await engine.images.list() == [here], "a VM stands on it"
        await (await engine.vms.delete("web")).result()
        await kept.discard(here)
        assert await engine.images.list() == []
        await kept.discard(here)


async def test_a_cancel_ends_the_layers_that_are_inflated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their threads go on for as long as nobody tells them to stop."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless(*_: object, stop: Callable[[], bool], **__: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        until = time.monotonic() + PATIENCE
        while not stop():
            assert time.monotonic() < until, "nobody told it to stop"
            time.sleep(0.01)

    monkeypatch.setattr(inflating, "inflate", endless)
    layers = [Descriptor("application/x", "sha256:" + c * 64, 1) for c in "abc"]
    place = Workplace(tmp_path / "x", tmp_path, Paths.below(tmp_path / "home"), Limits())

    async def inflate_all() -> None:
        async with Inflating(layers, ["x"] * 3, place, lambda _: tmp_path) as works:
            for layer in layers:
                works.arrived(layer.digest)
            await works.all(RecordedStage())

    work = asyncio.create_task(inflate_all())
    await begun.wait()
    work.cancel()
    async with asyncio.timeout(PATIENCE / 2):
        with pytest.raises(asyncio.CancelledError):
            await work


async def test_a_cancel_while_the_digest_is_taken_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that takes it is told, waited for, and then it is over."""
    digesting = asyncio.Event()
    loop = asyncio.get_running_loop()
    ended: list[str] = []

    def content_digest(_: Path, stop: Stop) -> str:
        loop.call_soon_threadsafe(digesting.set)
        until = time.monotonic() + PATIENCE
        while not stop():
            assert time.monotonic() < until
        ended.append("digest")
        return "sha256:" + "0" * 64

    async def check(*_: object) -> None:
        """At once."""

    monkeypatch.setattr(inspect, "content_digest", content_digest)
    monkeypatch.setattr(inspect, "check", check)
    built = Built("", 0, 0, "", "")
    work = asyncio.create_task(measured(built, tmp_path / "x", RecordedStage()))
    await digesting.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended == ["digest"]
