"""Pulls beside each other, on the fake builders: what overlaps, who wins, what is shared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.errors import NameTaken
from banger_tui.engine.locks import held
from banger_tui.engine.model import VmSpec
from tests.engine_fixtures.engines import IMAGE, WatchedBuilders, fake_engine
from tests.engine_fixtures.gates import PATIENCE
from tests.engine_fixtures.inspection import assert_consistent


@dataclass
class Met(WatchedBuilders):
    """Builders that wait in the middle of an image until ``together`` of them are there."""

    together: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))
    locks_seen: list[tuple[str, ...]] = field(default_factory=list)

    async def image(self, *args: Any, **keywords: Any) -> Any:
        self.locks_seen.append(held())
        async with asyncio.timeout(PATIENCE):
            await self.together.wait()
        return await super().image(*args, **keywords)


async def test_pulls_of_different_names_overlap(tmp_path: Path) -> None:
    builders = Met(together=asyncio.Barrier(3))
    async with fake_engine(tmp_path, builders=builders) as engine:
        pulls = [
            await engine.images.pull(reference, name=name)
            for reference, name in (
                ("busybox", "one"), ("debian-bookworm", "two"), ("alpine:3.20", ""),
            )
        ]  # fmt: skip
        names = [(await pull.result()).name for pull in pulls]
        assert names == ["one", "two", "alpine:3.20"]
        assert builders.locks_seen == [(), (), ()], "no lock is held while images are made"
        await assert_consistent(engine)


async def test_a_clash_at_publish_has_one_winner(tmp_path: Path) -> None:
    builders = Met(together=asyncio.Barrier(5))
    async with fake_engine(tmp_path, builders=builders) as engine:
        pulls = [await engine.images.pull("alpine:3.20", name="mine") for _ in range(5)]
        outcomes = await asyncio.gather(*(p.result() for p in pulls), return_exceptions=True)
        losers = [outcome for outcome in outcomes if isinstance(outcome, NameTaken)]
        assert len(losers) == 4
        assert [image.name for image in await engine.images.list()] == ["mine"]
        await assert_consistent(engine)


async def test_twenty_creates_of_one_missing_image_cause_one_pull(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        creates = [await engine.vms.create(VmSpec(image="alpine:3.20")) for _ in range(20)]
        async with asyncio.timeout(PATIENCE):
            while not all(
                any(stage.name == "pull image" and stage.started for stage in c.view.stages)
                for c in creates
            ):
                await asyncio.sleep(0.01)
        assert builders.gate is not None
        builders.gate.set()
        vms = [await operation.result() for operation in creates]
        assert len({vm.name for vm in vms}) == 20
        assert builders.images_built == 1
        kinds = [view.kind for view in await engine.operations.list()]
        assert kinds.count("pull image") == 1


async def test_a_container_image_is_found_by_its_short_form(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await engine.images.pull("docker.io/library/alpine:3.20")).result()
        vm = await (await engine.vms.create(VmSpec(image="alpine:3.20"))).result()
        assert (vm.image, builders.images_built) == ("alpine:3.20", 1)


async def test_a_pull_is_begun_again_after_the_app_was_left(tmp_path: Path) -> None:
    builders = WatchedBuilders(gate=asyncio.Event())
    async with fake_engine(tmp_path, builders=builders) as engine:
        operation = await engine.images.pull(IMAGE, name="later", size_bytes=1 << 30)
        assert await engine.images.remember(operation)
    async with fake_engine(tmp_path) as engine:
        assert await engine.images.list() == []
        (again,) = await engine.images.resume_remembered()
        assert (await again.result()).name == "later"
        assert await engine.images.resume_remembered() == ()


async def test_pulling_what_is_here_is_refused_before_anything_is_moved(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await engine.images.pull(IMAGE)).result()
        with pytest.raises(NameTaken, match="already here"):
            await (await engine.images.pull(IMAGE)).result()
        assert builders.images_built == 1
