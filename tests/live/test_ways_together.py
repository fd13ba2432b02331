"""Ways in and out beside each other: exactly one wins, the others say why, nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import Busy, IllegalMove, InUse, NameTaken, NotFound
from banger_tui.engine.images import promote
from banger_tui.engine.model import Exported, VmSpec
from banger_tui.engine.operations import Operation
from banger_tui.engine.provision.build import BuildSpec
from banger_tui.engine.vms import lifecycle
from tests.engine_fixtures.gates import PATIENCE, Gate
from tests.engine_fixtures.inspection import assert_consistent, names
from tests.engine_fixtures.template import IMAGE
from tests.host.registry.server import RunningRegistry
from tests.live.ways import (
    DiskDriver,
    Halts,
    Says,
    engine_below,
    halts,
    registered,
    rows,
    small_filesystem,
)

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)


async def ends(*operations: Operation[Any]) -> tuple[list[Any], list[BaseException]]:
    """What they gave, and what they failed with."""
    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(*(o.result() for o in operations), return_exceptions=True)
    good = [one for one in found if not isinstance(one, BaseException)]
    return good, [one for one in found if isinstance(one, BaseException)]


async def halted(
    stand: Halts, place: str, begin: Callable[[], Coroutine[Any, Any, Operation[Any]]]
) -> Operation[Any]:
    """Begun, and standing still at the first such place."""
    stand.at(place)
    operation = await begin()
    await stand.reached(operation)
    return operation


async def test_two_exports_to_one_file_have_one_winner(real_home: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    target = away / "x.tar.zst"
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        exports = [await engine.images.export("kept", target) for _ in range(3)]
        good, bad = await ends(*exports)
        assert len(good) == 1
        assert {type(error) for error in bad} == {NameTaken}
        assert names(away) == {"x.tar.zst"}
        assert isinstance(good[0], Exported)
        again = await (await engine.images.pull(str(target), name="again")).result()
        assert again.digest == (await engine.images.get("kept")).digest
        await assert_consistent(engine)


@pytest.mark.parametrize("place", ["begin read", "begin compress"])
async def test_an_image_deleted_while_it_is_exported(
    real_home: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        with halts(monkeypatch) as stand:
            export = await halted(
                stand, place, lambda: engine.images.export("kept", away / "x.tar.zst")
            )
            await engine.images.delete("kept")
            stand.go_on()
            with pytest.raises(NotFound, match="deleted meanwhile"):
                await export.result()
        assert names(away) == set()
        await assert_consistent(engine)


async def test_an_image_deleted_while_it_is_pushed(
    real_home: Path, tmp_path: Path, registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{registry.address}/images/small:1"
    async with engine_below(real_home) as engine:
        digests = []
        for place in ("begin compress", "begin push"):
            image = await registered(engine, tmp_path / f"{place}.ext4", "kept")
            digests.append(image.digest)
            with halts(monkeypatch) as stand:
                push = await halted(stand, place, lambda: engine.images.push("kept", reference))
                await engine.images.delete("kept")
                stand.go_on()
                if place == "begin compress":
                    with pytest.raises(NotFound, match="deleted meanwhile"):
                        await push.result()
                else:
                    await push.result()  # what goes out is a copy
            await assert_consistent(engine)
        again = await (await engine.images.pull(reference, name="again")).result()
        assert again.digest == digests[-1]


async def test_promote_and_start_keep_out_of_each_others_way(
    real_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "_LOCK_SECONDS", 0.1)
    monkeypatch.setattr(lifecycle, "_LOCK_SECONDS", 0.1)
    driver = DiskDriver()
    async with engine_below(real_home, driver) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        await (await engine.vms.create(VmSpec(name="web", image="kept"))).result()
        with pytest.raises(IllegalMove, match="Can't make an image of web"):
            await (await engine.images.promote("web", "golden")).result()
        await (await engine.vms.stop("web")).result()
        gate = Gate()
        driver.hooks["wait_ready"] = gate
        start = await engine.vms.start("web")
        await gate.reached()
        with pytest.raises(Busy):
            await (await engine.images.promote("web", "golden")).result()
        driver.hooks.clear()
        gate.open()
        assert (await start.result()).running
        await (await engine.vms.stop("web")).result()
        with halts(monkeypatch) as stand:
            golden = await halted(
                stand, "end flatten", lambda: engine.images.promote("web", "golden")
            )
            with pytest.raises(Busy):
                await (await engine.vms.start("web")).result()
            stand.go_on()
            assert (await golden.result()).name == "golden"
            # Once its disk has been read the VM is free again.
            other = await halted(
                stand, "begin remove identity", lambda: engine.images.promote("web", "other")
            )
            start = await engine.vms.start("web")
            assert (await start.result()).running
            with pytest.raises(InUse):
                await engine.images.delete("kept")
            stand.go_on()
            assert (await other.result()).name == "other"
        await assert_consistent(engine)


async def test_two_builds_of_one_name_have_one_winner(real_home: Path, tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("echo done\n")
    both = asyncio.Barrier(2)
    driver = DiskDriver(says=Says())

    async def meet() -> None:
        await both.wait()

    driver.says = Says(at_end=meet)
    async with engine_below(real_home, driver) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        builds = [await engine.build_image(BuildSpec("new", "kept", script)) for _ in range(2)]
        good, bad = await ends(*builds)
        assert [image.name for image in good] == ["new"]
        assert [type(error) for error in bad] == [NameTaken]
        assert await engine.vms.list() == []
        await assert_consistent(engine)


async def test_builds_of_two_names_overlap(real_home: Path, tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("echo done\n")
    both = asyncio.Barrier(2)

    async def meet() -> None:
        async with asyncio.timeout(PATIENCE):
            await both.wait()

    async with engine_below(real_home, DiskDriver(says=Says(at_end=meet))) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        builds = [await engine.build_image(BuildSpec(n, "kept", script)) for n in ("a", "b")]
        good, bad = await ends(*builds)
        assert (len(good), bad) == (2, [])
        assert await engine.vms.list() == []
        await assert_consistent(engine)


@pytest.mark.parametrize("first", ["pull", "register"])
async def test_register_and_pull_of_one_name_have_one_winner(
    real_home: Path, tmp_path: Path, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever publishes first; the other has done all but that."""
    bundle, file = tmp_path / "x.tar.zst", small_filesystem(tmp_path / "other.ext4")
    async with engine_below(real_home) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        await (await engine.images.export("kept", bundle)).result()
        before = await rows(engine)

        async def pull(engine: Engine) -> Operation[Any]:
            return await engine.images.pull(str(bundle), name="new")

        async def register(engine: Engine) -> Operation[Any]:
            return await engine.images.register(file, "new")

        winner, loser = (pull, register) if first == "pull" else (register, pull)
        with halts(monkeypatch) as stand:
            slow = await halted(stand, "begin publish", lambda: loser(engine))
            made = await (await winner(engine)).result()
            stand.go_on()
            with pytest.raises(NameTaken, match="already there"):
                await slow.result()
        assert await rows(engine) == sorted([*before, "image new"])
        assert (await engine.images.get("new")).digest == made.digest
        assert IMAGE in [image.name for image in await engine.images.list()]
        await assert_consistent(engine)
