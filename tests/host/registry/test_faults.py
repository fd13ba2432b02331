"""Pulls over a network that fails in every way it can, and by processes that die."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from banger_tui.engine.errors import DigestMismatch, RegistryUnreachable
from banger_tui.engine.oci.blobs import Blobs
from tests.host.registry.images import PushedImage, push_image, tar_layer
from tests.host.registry.inspection import (
    IMPATIENT,
    MIB,
    QUICK,
    contents,
    files,
    size,
    through,
    unfinished,
)
from tests.host.registry.proxy import (
    Corrupt,
    Fault,
    FaultProxy,
    Hold,
    IgnoreRange,
    LieAboutRange,
    Reply,
    Reset,
    Stall,
    Truncate,
)
from tests.host.registry.pull import pull
from tests.host.registry.server import PROGRAM, RunningRegistry
from tests.host.registry.stage import PATIENCE, RecordedStage, until

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="docker-registry is not installed")


@pytest.mark.parametrize(
    ("faults", "restarts"),
    [
        ([Reset(MIB)], 0),
        ([Truncate(MIB), Reset(0), Truncate(0)], 0),
        ([Stall(MIB)], 0),
        ([Reply(500), Reply(502), Reply(503), Reset(2 * MIB)], 0),
        ([Reply(429, {"Retry-After": "0"}), Reset(MIB), Reply(429, {"Retry-After": "0"})], 0),
        ([Reset(MIB), IgnoreRange()], MIB),
        ([Reset(MIB), LieAboutRange(7)], MIB),
        ([Reset(MIB), LieAboutRange(0)], None),
        ([Corrupt(MIB)], None),
        ([Reset(MIB), Reset(MIB), Reset(MIB // 2)], 0),
    ],
    ids=lambda value: "+".join(type(f).__name__ for f in value) if isinstance(value, list) else "",
)
async def test_faults_in_every_layer(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path, faults: list[Fault], restarts: int | None
) -> None:
    """``restarts``: bytes of each layer that had to be moved again; None: all of them."""
    for layer in image.layers:
        for fault in faults:
            proxy.on(layer["digest"], fault)

    patience = IMPATIENT if any(isinstance(fault, Stall) for fault in faults) else QUICK
    _, paths = await pull(through(proxy, image), blob_dir, patience=patience)

    assert contents(paths) == image.blobs
    for layer in image.layers:
        again = layer["size"] if restarts is None else restarts
        moved = proxy.moved(layer["digest"])
        # a lie may be noticed after some of its body has gone out
        assert layer["size"] <= moved <= layer["size"] + again + 2 * MIB
        if not again:
            assert moved == layer["size"]
    assert unfinished(blob_dir) == []


async def test_a_network_that_never_recovers(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    broken = image.layers[1]["digest"]
    proxy.on(broken, Reset(1000), times=1000)
    stage = RecordedStage()

    with pytest.raises(RegistryUnreachable) as caught:
        await pull(through(proxy, image), blob_dir, stage, patience=QUICK)

    assert (
        caught.value.title
        == f"Can't get {broken[:13]}… of {proxy.address}/test/image from {proxy.address}"
    )
    assert "5 times" in caught.value.detail
    assert "connection reset at" in caught.value.detail
    assert stage.said("retried: connection reset at")


async def test_another_blob_than_named(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    proxy.on(image.layers[2]["digest"], Corrupt(1), times=1000)

    with pytest.raises(DigestMismatch) as caught:
        await pull(through(proxy, image), blob_dir, patience=QUICK)

    assert image.layers[2]["digest"] in caught.value.detail
    names = [path.name for path in (blob_dir / "sha256").iterdir()]
    assert not any(image.layers[2]["digest"][7:] in name for name in names)


async def test_five_layers_at_once(
    registry: RunningRegistry, proxy: FaultProxy, blob_dir: Path
) -> None:
    pushed = push_image(registry, [tar_layer({f"{n}": b"x"}) for n in range(8)])
    gate = asyncio.Event()
    reached = [asyncio.Event() for _ in range(5)]
    layers = "|".join(layer["digest"] for layer in pushed.layers)
    for event in reached:
        proxy.on(layers, Hold(gate, event))

    download = asyncio.create_task(pull(through(proxy, pushed), blob_dir))
    async with asyncio.timeout(PATIENCE):
        for event in reached:
            await event.wait()
    assert len({passed.target for passed in proxy.matching(layers)}) == 5
    assert len(proxy.matching(layers)) == 5
    gate.set()

    assert contents((await download)[1]) == pushed.blobs


async def test_a_cancel_keeps_what_was_moved(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    gate, stage = asyncio.Event(), RecordedStage()
    for layer in image.layers:
        proxy.on(layer["digest"], Hold(gate, asyncio.Event(), MIB + 200_000))
    download = asyncio.create_task(pull(through(proxy, image), blob_dir, stage))
    await until(lambda: [child.done for child in stage.children] == [MIB + 200_000] * 3)
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download

    assert unfinished(blob_dir) == [MIB + 200_000] * 3
    assert len(files(blob_dir)) == 3
    again = RecordedStage()
    _, paths = await pull(through(proxy, image), blob_dir, again)
    assert contents(paths) == image.blobs
    assert sum(proxy.moved(layer["digest"]) for layer in image.layers) == size(image)
    assert [child.notes for child in again.children] == [["resumed at 1.2 MiB"]] * 3


async def test_prune_leaves_a_pull_in_flight_alone(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    gate, reached, stage = asyncio.Event(), asyncio.Event(), RecordedStage()
    held = image.layers[2]["digest"]
    proxy.on(held, Hold(gate, reached, MIB))
    download = asyncio.create_task(pull(through(proxy, image), blob_dir, stage))
    await until(lambda: stage.done >= 2 * image.layers[0]["size"] + MIB)
    os.utime(Blobs(blob_dir).part(held), (0, 0))

    assert await Blobs(blob_dir).prune(set()) == (0, 0)
    gate.set()
    _, paths = await download

    assert contents(paths) == image.blobs
    assert await Blobs(blob_dir).prune(set()) == (3, size(image))


async def another(reference: str, blob_dir: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.host.registry.pull", reference, str(blob_dir),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_a_killed_pull_is_gone_on_with(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    gate = asyncio.Event()
    reached = [asyncio.Event() for _ in image.layers]
    for layer, event, after in zip(image.layers, reached, (MIB, MIB, 100), strict=True):
        proxy.on(layer["digest"], Hold(gate, event, after))
    process = await another(through(proxy, image), blob_dir)
    parts = [Blobs(blob_dir).part(layer["digest"]) for layer in image.layers]
    async with asyncio.timeout(PATIENCE):
        for event in reached:
            await event.wait()
    await until(lambda: parts[0].stat().st_size + parts[1].stat().st_size == 2 * MIB)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    on_disk = [part.stat().st_size for part in parts]
    before = [proxy.moved(layer["digest"]) for layer in image.layers]
    assert on_disk[:2] == before[:2] == [MIB, MIB]

    _, paths = await pull(through(proxy, image), blob_dir)

    assert contents(paths) == image.blobs
    for layer, kept, first in zip(image.layers, on_disk, before, strict=True):
        assert proxy.moved(layer["digest"]) - first == layer["size"] - kept
    assert unfinished(blob_dir) == []


async def test_two_processes_move_one_image_once(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    proxy.on(image.layers[0]["digest"], Hold(gate, reached, MIB))
    first = await another(through(proxy, image), blob_dir)
    async with asyncio.timeout(PATIENCE):
        await reached.wait()
    stage = RecordedStage()
    second = asyncio.create_task(pull(through(proxy, image), blob_dir, stage))
    await until(lambda: stage.said("another pull downloads it"))
    gate.set()

    _, paths = await second
    output, _ = await first.communicate()

    assert first.returncode == 0
    assert output.decode().split() == [str(path) for path in paths]
    assert contents(paths) == image.blobs
    assert sum(proxy.moved(layer["digest"]) for layer in image.layers) == size(image)


async def test_when_the_first_process_dies_the_second_goes_on(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    held = image.layers[0]["digest"]
    proxy.on(held, Hold(gate, reached, MIB))
    first = await another(through(proxy, image), blob_dir)
    await until(lambda: reached.is_set() and Blobs(blob_dir).part(held).stat().st_size == MIB)
    stage = RecordedStage()
    second = asyncio.create_task(pull(through(proxy, image), blob_dir, stage))
    await until(lambda: stage.said("another pull downloads it"))
    first.send_signal(signal.SIGKILL)
    await first.wait()

    _, paths = await second

    assert contents(paths) == image.blobs
    assert proxy.moved(held) == image.layers[0]["size"]
    assert stage.said("resumed at 1.0 MiB")


async def test_a_disk_that_is_full(image: PushedImage, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    small = tmp_path / "small"
    small.mkdir()
    script = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"'
    process = await asyncio.create_subprocess_exec(
        "unshare", "-Urm", "sh", "-c", script, "sh", str(small),
        sys.executable, "-m", "tests.host.registry.pull", image.reference, f"{small}/blobs",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    if b"Operation not permitted" in errors:
        pytest.skip("no user namespaces here")

    assert process.returncode == 1, errors
    assert output.startswith(b"NotEnoughDisk: There is not enough room")
