"""Import as an operation: what comes of it, and that nothing is left when nothing does."""
# ruff: noqa: ASYNC240 - files between steps hold up nobody in a test

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import (
    BadContent,
    InUse,
    InvalidName,
    NameTaken,
    NotFound,
    OperationCancelled,
)
from banger_tui.engine.kernels import cpio, importing
from banger_tui.engine.kernels.assemble import Parts, assemble, measured
from banger_tui.engine.kernels.publish import publish_kernel
from banger_tui.engine.kernels.sources import FromFiles, FromPackage, KernelSource
from banger_tui.engine.model import MIB, KernelRecord, StageState, VmSpec
from banger_tui.engine.operations import Operation
from banger_tui.engine.threads import Stop, go_on
from tests.engine_fixtures.engines import IMAGE, KERNEL, WatchedBuilders, create, fake_engine
from tests.engine_fixtures.gates import PATIENCE, Gate, Meeting, Place, gate_stage
from tests.engine_fixtures.inspection import assert_consistent
from tests.unit.kernels import samples


async def imported(engine: Engine, name: str, source: KernelSource) -> KernelRecord:
    return await (await engine.kernels.import_kernel(name, source)).result()


async def test_a_package_becomes_a_kernel(engine: Engine, package: Path) -> None:
    operation = await engine.kernels.import_kernel("mine", FromPackage(package))
    kernel = await operation.result()
    assert (kernel.name, kernel.version) == ("mine", samples.VERSION)
    assert kernel.source == "package: linux-image.deb"
    files = await engine.kernels.files(kernel)
    assert files.vmlinuz.read_bytes() == samples.bzimage()
    assert set(files.modules) == set(samples.MODULES)
    initrd = files.initrd.read_bytes()
    for wanted in (
        b"BOX",
        b"modules/order\0",
        b"modules/virtio_blk.ko\0",
        samples.module("virtio"),
    ):
        assert wanted in initrd
    found = measured(files.directory)
    assert (found.digest, found.size_bytes) == (kernel.digest, kernel.size_bytes)
    manifest = json.loads((files.directory / "manifest.json").read_text())
    assert manifest["digest"] == kernel.digest
    stages = {stage.name: stage for stage in operation.view.stages}
    assert list(stages) == list(importing.PLAN)
    assert stages["read"].total == stages["read"].done > 0
    assert stages["read"].detail == f"Linux {samples.VERSION}"
    assert stages["modules"].detail == f"{len(samples.MODULES)} of its modules are needed"
    assert (await engine.kernels.vmlinux(kernel)).read_bytes() == samples.vmlinux()
    await assert_consistent(engine)


async def test_files_with_an_initrd_of_ones_own(engine: Engine, tmp_path: Path) -> None:
    """It comes first, so that the /init that counts is ours."""
    theirs = gzip.compress(cpio.archive([cpio.file("init", b"#!/theirs", 0o755)]))
    (tmp_path / "initrd").write_bytes(theirs)
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux(config=samples.CONFIG))
    source = FromFiles(tmp_path / "vmlinux", initrd=tmp_path / "initrd")
    files = await engine.kernels.files(await imported(engine, "mine", source))
    initrd = files.initrd.read_bytes()
    assert initrd.startswith(theirs)
    start = initrd.index(b"070701", len(theirs))
    assert start % 512 == 0
    assert not initrd[len(theirs) : start].strip(b"\0")
    assert files.modules == ()


async def test_the_same_again_is_no_error(engine: Engine, package: Path) -> None:
    first = await imported(engine, "mine", FromPackage(package))
    inode = engine.paths.kernel("mine").stat().st_ino
    operation = await engine.kernels.import_kernel("mine", FromPackage(package))
    assert await operation.result() == first
    assert operation.view.stages[-1].detail == "mine is here already"
    assert engine.paths.kernel("mine").stat().st_ino == inode
    await assert_consistent(engine)


@pytest.mark.parametrize("version", ["6.12.0", samples.VERSION])
async def test_another_kernel_of_the_name(
    engine: Engine, package: Path, tmp_path: Path, version: str
) -> None:
    first = await imported(engine, "mine", FromPackage(package))
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux(version, config=samples.CONFIG))
    with pytest.raises(NameTaken, match="mine is already here"):
        await imported(engine, "mine", FromFiles(tmp_path / "vmlinux"))
    assert await engine.kernels.list() == [first]
    await assert_consistent(engine)


async def test_two_at_once_have_one_winner(engine: Engine, package: Path, tmp_path: Path) -> None:
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux(config=samples.CONFIG))
    outcomes = await asyncio.gather(
        imported(engine, "mine", FromPackage(package)),
        imported(engine, "mine", FromPackage(package)),
        imported(engine, "mine", FromFiles(tmp_path / "vmlinux")),
        return_exceptions=True,
    )
    (winner,) = await engine.kernels.list()
    for outcome in outcomes:
        assert isinstance(outcome, NameTaken) or outcome == winner
    assert any(isinstance(outcome, NameTaken) for outcome in outcomes)
    await assert_consistent(engine)


async def test_a_kernel_of_no_use_leaves_nothing(engine: Engine, package: Path) -> None:
    files = {k: v for k, v in samples.package_files().items() if "virtio_net" not in k}
    package.write_bytes(samples.deb(files))
    operation = await engine.kernels.import_kernel("mine", FromPackage(package))
    with pytest.raises(BadContent, match="no module virtio_net"):
        await operation.result()
    states = {stage.name: stage.state for stage in operation.view.stages}
    assert states["read"] is StageState.DONE
    assert states["modules"] is StageState.FAILED
    assert await engine.kernels.list() == []
    await assert_consistent(engine)


async def test_a_kernel_made_without_what_can_be_no_module(engine: Engine, package: Path) -> None:
    files = samples.package_files()
    files[f"./boot/config-{samples.VERSION}"] = b"CONFIG_TMPFS=y\n"
    package.write_bytes(samples.deb(files))
    with pytest.raises(BadContent, match="CONFIG_DEVTMPFS"):
        await imported(engine, "mine", FromPackage(package))


@pytest.mark.parametrize("place", ["begin", "end"])
@pytest.mark.parametrize("stage", importing.PLAN)
async def test_cancel_in_every_stage_leaves_nothing(
    engine: Engine, package: Path, monkeypatch: pytest.MonkeyPatch, stage: str, place: Place
) -> None:
    gate = Gate()
    gate_stage(monkeypatch, "import kernel", stage, place, gate)
    operation = await engine.kernels.import_kernel("mine", FromPackage(package))
    await gate.reached()
    operation.cancel()
    with pytest.raises(OperationCancelled):
        await operation.result()
    assert await engine.kernels.list() == []
    await assert_consistent(engine)


async def test_cancel_reaches_the_thread_that_reads(
    engine: Engine, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def endless(stop: Stop, *_: object) -> None:
        loop.call_soon_threadsafe(begun.set)
        while True:
            go_on(stop)

    monkeypatch.setattr(importing, "read", endless)
    operation = await engine.kernels.import_kernel("mine", FromPackage(package))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
    await assert_consistent(engine)


def test_copies_end_when_told(tmp_path: Path) -> None:
    for name, size in (("kernel", 1), ("initrd", 3 * MIB)):
        (tmp_path / name).write_bytes(bytes(size))
    asked = iter([False, False, True])
    parts = Parts(tmp_path / "kernel", samples.VERSION, {}, tmp_path / "initrd")
    with pytest.raises(OperationCancelled):
        assemble("mine", parts, b"BOX", tmp_path / "into", lambda: next(asked))
    assert (tmp_path / "into/initrd.img").stat().st_size == MIB


@pytest.mark.parametrize("name", ["", "A", "-x", "a/b", "..", ".x", "x" * 64, "a b", "é"])
async def test_names(engine: Engine, package: Path, name: str) -> None:
    with pytest.raises(InvalidName):
        await engine.kernels.import_kernel(name, FromPackage(package))
    assert await engine.operations.list() == []


async def test_a_kernel_that_is_needed_stays(tmp_path: Path) -> None:
    async with fake_engine(tmp_path / "home") as engine:
        vm = await create(engine, "web")
        users = (await engine.kernels.used_by())[vm.kernel]
        assert users == ("web", f"image {vm.image}")
        with pytest.raises(InUse, match="web"):
            await engine.kernels.delete(vm.kernel)
        assert (await engine.kernels.files(await engine.kernels.get(vm.kernel))).vmlinuz.exists()


async def test_a_kernel_that_an_image_needs_stays(engine: Engine, package: Path) -> None:
    await imported(engine, KERNEL, FromPackage(package))
    await (await engine.images.pull(IMAGE)).result()
    assert (await engine.kernels.used_by())[KERNEL] == (f"image {IMAGE}",)
    with pytest.raises(InUse, match=f"image {IMAGE}"):
        await engine.kernels.delete(KERNEL)
    await engine.images.delete(IMAGE)
    await engine.kernels.delete(KERNEL)
    with pytest.raises(NotFound):
        await engine.kernels.delete(KERNEL)
    await assert_consistent(engine)


async def test_a_create_takes_the_imported_kernel(tmp_path: Path, own_shell: None) -> None:
    """It is here by the name its image asks for: nothing is pulled."""
    (tmp_path / "p.deb").write_bytes(samples.deb())
    builders = WatchedBuilders()
    async with fake_engine(tmp_path / "home", builders=builders) as engine:
        await imported(engine, KERNEL, FromPackage(tmp_path / "p.deb"))
        assert (await create(engine, "web")).kernel == KERNEL
        assert (builders.images_built, builders.kernels_built) == (1, 0)


@pytest.mark.parametrize("needed", [True, False])
async def test_an_import_that_is_faster_than_a_pull(
    tmp_path: Path, own_shell: None, package: Path, needed: bool
) -> None:
    """A create takes what is there then; who asked for the pull itself is told."""
    gate = Gate()
    builders = WatchedBuilders(hooks={"download": gate})
    async with fake_engine(tmp_path / "home", builders=builders) as engine:
        if needed:
            pulling: Operation[Any] = await engine.vms.create(VmSpec(image=IMAGE))
        else:
            pulling = await engine.kernels.pull(KERNEL)
        await gate.reached()
        kernel = await imported(engine, KERNEL, FromPackage(package))
        gate.open()
        if needed:
            assert (await pulling.result()).kernel == KERNEL
        else:
            with pytest.raises(NameTaken, match=f"{KERNEL} is already there"):
                await pulling.result()
        assert await engine.kernels.list() == [kernel]
        assert measured(engine.paths.kernel(KERNEL)).digest == kernel.digest
        await assert_consistent(engine)


async def test_only_what_is_needed_comes_into_the_initrd(engine: Engine, package: Path) -> None:
    tree = samples.tree_files(modules={**samples.MODULES, "floppy": (), "nouveau": ("floppy",)})
    more = {f"./lib/modules/{samples.VERSION}/{name}": data for name, data in tree.items()}
    package.write_bytes(samples.deb({**samples.package_files(), **more}))
    files = await engine.kernels.files(await imported(engine, "mine", FromPackage(package)))
    assert set(files.modules) == set(samples.MODULES)
    assert b"nouveau" not in files.initrd.read_bytes()


async def test_two_processes_at_once_have_one_winner(
    tmp_path: Path, own_shell: None, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two engines know of each other what two processes do."""
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux(config=samples.CONFIG))
    both = Meeting(2)

    async def together(*args: Any, **keywords: Any) -> KernelRecord:
        await both()
        return await publish_kernel(*args, **keywords)

    monkeypatch.setattr(importing, "publish_kernel", together)
    async with fake_engine(tmp_path / "home") as one, fake_engine(tmp_path / "home") as two:
        outcomes = await asyncio.gather(
            imported(one, "mine", FromPackage(package)),
            imported(two, "mine", FromFiles(tmp_path / "vmlinux")),
            return_exceptions=True,
        )
        (loser,) = (outcome for outcome in outcomes if isinstance(outcome, NameTaken))
        assert "mine is already here" in str(loser)
        assert await one.kernels.list() == [o for o in outcomes if o is not loser]
        (kernel,) = await one.kernels.list()
        assert measured(one.paths.kernel("mine")).digest == kernel.digest
        await assert_consistent(one)


async def test_delete_takes_all_of_it(engine: Engine, package: Path) -> None:
    kernel = await imported(engine, "mine", FromPackage(package))
    await engine.kernels.vmlinux(kernel)
    await engine.kernels.delete("mine")
    assert not engine.paths.kernel("mine").exists()
    await assert_consistent(engine)
