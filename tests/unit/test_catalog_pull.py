"""What a create does about an image or a kernel: what is here first, then the catalogs, one pull
for all who wait; and what can't be read is told as what it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import (
    BadContent,
    BangerError,
    DigestMismatch,
    HostLacks,
    InvalidInput,
    NotInCatalog,
    OperationCancelled,
    StorageFailure,
    ToolFailed,
)
from banger_tui.engine.model import StageView, VmRecord, VmSpec
from banger_tui.engine.operations import Operation
from banger_tui.engine.settings import UserCatalog
from tests.engine_fixtures.engines import IMAGE, KERNEL, WatchedBuilders, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms

MANY = 20


def own_catalog(path: Path, kernel: str = "own-kernel", *, with_kernel: bool = True) -> UserCatalog:
    """A file with the image ``own`` that needs ``kernel``."""
    source = {"kind": "oci", "reference": "example.org/own:1"}
    debian = {"kind": "debian", "suite": "bookworm", "package": "linux-image-{architecture}"}
    content = {
        "images": [{"name": "own", "description": "mine", "source": source, "kernel": kernel}],
        "kernels": [{"name": "own-kernel", "description": "mine", "source": debian}],
    }
    if not with_kernel:
        del content["kernels"]
    path.write_text(json.dumps(content))
    return UserCatalog(str(path))


def missing(path: Path) -> UserCatalog:
    return UserCatalog(str(path))


def broken(path: Path) -> UserCatalog:
    path.write_text('{"images": [')
    return UserCatalog(str(path))


def other(path: Path) -> UserCatalog:
    return UserCatalog(own_catalog(path).location, "0" * 64)


UNREADABLE = [(missing, HostLacks), (broken, BadContent), (other, DigestMismatch)]


async def begin(engine: Engine, image: str = IMAGE) -> Operation[VmRecord]:
    return await engine.vms.create(VmSpec(image=image))


def named(stages: tuple[StageView, ...], name: str) -> StageView:
    (found,) = (stage for stage in stages if stage.name == name)
    return found


# -------------------------------------------------------------------------------- one after another


async def test_what_is_here_needs_no_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await begin(engine)).result()

        async def unwanted(**_: object) -> None:
            raise AssertionError("the catalogs were read")

        monkeypatch.setattr(engine._ctx.catalogs, "load", unwanted)
        operation = await begin(engine)
        await operation.result()
        assert (builders.images_built, builders.kernels_built) == (1, 1)
        for kind in ("image", "kernel"):
            assert named(operation.view.stages, f"pull {kind}").detail == "already here"


async def test_a_miss_is_pulled_and_seen(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        operation = await begin(engine, "debian-bookworm")
        vm = await operation.result()
        assert (vm.image, vm.kernel) == ("debian-bookworm", KERNEL)
        assert (builders.images_built, builders.kernels_built) == (1, 1)
        pulled = named(operation.view.stages, "pull image")
        assert {"install packages", "build ext4", "publish"} <= {s.name for s in pulled.children}
        pulled = named(operation.view.stages, "pull kernel")
        assert [stage.name for stage in pulled.children] == [
            "resolve reference",
            "build",
            "publish",
        ]
        await assert_consistent(engine)


async def test_a_catalog_of_ones_own_serves_both(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    own = own_catalog(tmp_path / "own.json")
    async with fake_engine(tmp_path / "home", builders=builders, catalogs=(own,)) as engine:
        vm = await (await begin(engine, "own")).result()
        assert (vm.image, vm.kernel) == ("own", "own-kernel")
        assert [kernel.name for kernel in await engine.kernels.list()] == ["own-kernel"]


async def test_only_the_kernel_is_missing(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await engine.images.pull(IMAGE)).result()
        assert builders.kernels_built == 0
        await (await begin(engine)).result()
        assert (builders.images_built, builders.kernels_built) == (1, 1)


async def test_only_the_image_is_missing(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await engine.kernels.pull(KERNEL)).result()
        await (await begin(engine)).result()
        assert (builders.images_built, builders.kernels_built) == (1, 1)


@pytest.mark.parametrize("wrong", ["busibox", "zzzzzz"])
async def test_an_unknown_image(tmp_path: Path, wrong: str) -> None:
    async with fake_engine(tmp_path) as engine:
        operation = await begin(engine, wrong)
        with pytest.raises(NotInCatalog, match=f"No image {wrong}: .*not in any catalog") as caught:
            await operation.result()
        assert caught.value.near == ((IMAGE,) if wrong == "busibox" else ())
        assert IMAGE in caught.value.hint
        await assert_no_vms(engine)


async def test_an_unknown_kernel(tmp_path: Path) -> None:
    own = own_catalog(tmp_path / "own.json", "debian-bokworm-cloud")
    builders = WatchedBuilders()
    async with fake_engine(tmp_path / "home", builders=builders, catalogs=(own,)) as engine:
        operation = await begin(engine, "own")
        with pytest.raises(
            NotInCatalog, match=r"No kernel debian-bokworm-cloud: .*any catalog"
        ) as c:
            await operation.result()
        assert c.value.near[0] == KERNEL
        assert builders.kernels_built == 0
        await assert_no_vms(engine)


async def test_a_kernel_is_asked_for_by_name_with_near_names(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        with pytest.raises(NotInCatalog, match="not in any catalog") as caught:
            await engine.kernels.pull("debian-bookworm-clod")
        assert caught.value.near == (KERNEL,)
        assert await engine.operations.list() == []


# ------------------------------------------------------------------------------- what can't be read


@pytest.mark.parametrize(("catalog", "error"), UNREADABLE)
async def test_an_image_that_may_be_in_an_unread_catalog(
    tmp_path: Path, catalog: Callable[[Path], UserCatalog], error: type[BangerError]
) -> None:
    own = catalog(tmp_path / "own.json")
    async with fake_engine(tmp_path / "home", catalogs=(own,)) as engine:
        operation = await begin(engine, "own")
        with pytest.raises(error) as caught:
            await operation.result()
        assert own.location in str(caught.value)
        assert "own is in no other catalog" in caught.value.hint
        assert operation.view.failure is not None
        assert operation.view.failure.kind == error.__name__
        await assert_no_vms(engine)


@pytest.mark.parametrize(("catalog", "error"), UNREADABLE)
async def test_a_kernel_that_may_be_in_an_unread_catalog(
    tmp_path: Path, catalog: Callable[[Path], UserCatalog], error: type[BangerError]
) -> None:
    catalogs = (
        catalog(tmp_path / "unread.json"),
        own_catalog(tmp_path / "own.json", with_kernel=False),
    )
    async with fake_engine(tmp_path / "home", catalogs=catalogs) as engine:
        operation = await begin(engine, "own")
        with pytest.raises(error) as caught:
            await operation.result()
        assert "unread.json" in str(caught.value)
        assert "The kernel own-kernel is in no other catalog" in caught.value.hint
        with pytest.raises(error):
            await engine.kernels.pull("own-kernel")
        await assert_no_vms(engine)


@pytest.mark.parametrize("image", [IMAGE, "alpine:3.20", "localhost:5000/x"])
async def test_an_unread_catalog_holds_up_nothing_else(tmp_path: Path, image: str) -> None:
    catalogs = (missing(tmp_path / "unread.json"),)
    async with fake_engine(tmp_path / "home", catalogs=catalogs) as engine:
        assert (await (await begin(engine, image)).result()).running


async def test_a_damaged_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is here goes on; for the rest it is called what it is."""

    def damaged() -> object:
        raise InvalidInput("catalog/kernels.json is no valid JSON", "line 1")

    async with fake_engine(tmp_path) as engine:
        await (await engine.images.pull(IMAGE)).result()
        monkeypatch.setattr("banger_tui.engine.catalog.catalogs.embedded", damaged)
        operation = await begin(engine)
        with pytest.raises(InvalidInput, match="no valid JSON"):
            await operation.result()
        assert named(operation.view.stages, "pull image").detail == "already here"
        await assert_no_vms(engine)


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_a_store_that_can_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    builders = WatchedBuilders()
    async with fake_engine(tmp_path, builders=builders) as engine:
        await (await begin(engine)).result()

        async def fails(name: str) -> None:
            raise StorageFailure("The database can't be used just now", "disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(engine._ctx.store, f"{kind}_or_none", fails)
            operation = await begin(engine)
            with pytest.raises(StorageFailure, match="just now"):
                await operation.result()
        assert (builders.images_built, builders.kernels_built) == (1, 1), "nothing is pulled anew"


# -------------------------------------------------------------------------------------- one for all


@dataclass
class Held:
    """Lets a builder's stage go on once everybody waits for it."""

    gate: Gate
    stage: str

    async def join(self, engine: Engine, images: list[str]) -> list[Operation[VmRecord]]:
        creates = [await begin(engine, image) for image in images]
        await self.gate.reached()
        async with asyncio.timeout(PATIENCE):
            while not all(named(c.view.stages, self.stage).started for c in creates):
                await asyncio.sleep(0.01)
        return creates


def holding(builders: WatchedBuilders, kind: str) -> Held:
    gate = Gate()
    hook: Callable[[str], Awaitable[None]] = gate
    builders.hooks["download" if kind == "kernel" else "flatten"] = hook
    return Held(gate, f"pull {kind}")


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_many_creates_cause_one_pull(tmp_path: Path, kind: str) -> None:
    builders = WatchedBuilders()
    held = holding(builders, kind)
    async with fake_engine(tmp_path, builders=builders) as engine:
        creates = await held.join(engine, [IMAGE] * MANY)
        held.gate.open()
        vms = [await create.result() for create in creates]
        assert len({vm.name for vm in vms}) == MANY
        assert (builders.images_built, builders.kernels_built) == (1, 1)
        kinds = [view.kind for view in await engine.operations.list()]
        assert (kinds.count("pull image"), kinds.count("pull kernel")) == (1, 1)
        await assert_consistent(engine)


async def test_images_that_need_one_kernel_share_its_pull(tmp_path: Path) -> None:
    builders = WatchedBuilders()
    held = holding(builders, "kernel")
    async with fake_engine(tmp_path, builders=builders) as engine:
        for image in (IMAGE, "debian-bookworm"):
            await (await engine.images.pull(image)).result()
        creates = await held.join(engine, [IMAGE, "debian-bookworm"] * 3)
        held.gate.open()
        for create in creates:
            await create.result()
        assert (builders.images_built, builders.kernels_built) == (2, 1)


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_a_pull_that_fails_is_told_to_all_and_leaves_nothing(
    tmp_path: Path, kind: str
) -> None:
    builders = WatchedBuilders()
    held = holding(builders, kind)
    async with fake_engine(tmp_path, builders=builders) as engine:
        creates = await held.join(engine, [IMAGE] * 5)
        place = "download" if kind == "kernel" else "flatten"
        builders.failures[place] = ToolFailed("mmdebstrap failed", "exit 1")
        held.gate.open()
        for create in creates:
            with pytest.raises(ToolFailed, match="exit 1"):
                await create.result()
        await assert_no_vms(engine)
        builders.failures.clear()
        assert (await (await begin(engine)).result()).running, "the next one pulls anew"


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_who_leaves_takes_nothing_from_the_others(tmp_path: Path, kind: str) -> None:
    builders = WatchedBuilders()
    held = holding(builders, kind)
    async with fake_engine(tmp_path, builders=builders) as engine:
        creates = await held.join(engine, [IMAGE] * 4)
        for create in creates[:3]:
            create.cancel()
            with pytest.raises(OperationCancelled):
                await create.result()
        held.gate.open()
        assert (await creates[3].result()).running
        assert (builders.images_built, builders.kernels_built) == (1, 1)
        await assert_consistent(engine)


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_the_pull_ends_with_the_last_who_waits(tmp_path: Path, kind: str) -> None:
    builders = WatchedBuilders()
    held = holding(builders, kind)
    async with fake_engine(tmp_path, builders=builders) as engine:
        creates = await held.join(engine, [IMAGE] * 3)
        for create in creates:
            create.cancel()
        for create in creates:
            with pytest.raises(OperationCancelled):
                await create.result()
        names = {"image": await engine.images.list(), "kernel": await engine.kernels.list()}
        assert names[kind] == []
        await assert_no_vms(engine)


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_two_processes_share_one_pull(tmp_path: Path, kind: str) -> None:
    """Each engine has its own flights, as another process has; only the lock is shared."""
    first, second = WatchedBuilders(), WatchedBuilders()
    held = holding(first, kind)
    async with (
        fake_engine(tmp_path, builders=first) as one,
        fake_engine(tmp_path, builders=second) as two,
    ):
        (ahead,) = await held.join(one, [IMAGE])
        behind = await begin(two)
        async with asyncio.timeout(PATIENCE):
            while not named(behind.view.stages, held.stage).children:
                await asyncio.sleep(0.01)
        held.gate.open()
        assert (await ahead.result()).image == (await behind.result()).image == IMAGE
        built = {"image": first.images_built + second.images_built,
                 "kernel": first.kernels_built + second.kernels_built}  # fmt: skip
        assert built[kind] == 1
