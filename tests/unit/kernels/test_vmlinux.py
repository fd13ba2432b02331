"""The uncompressed kernel: made once from whatever the kernel's file is, or not at all."""

from __future__ import annotations

import asyncio
import gzip
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BadContent, NotFound
from banger_tui.engine.kernels import vmlinux as module
from banger_tui.engine.kernels.vmlinux import payload, vmlinux
from banger_tui.engine.model import KernelRecord
from banger_tui.engine.threads import Stop, go_on, pieces
from tests.engine_fixtures.engines import fake_engine
from tests.engine_fixtures.gates import PATIENCE
from tests.unit.kernels import samples

KERNEL = KernelRecord("mine", samples.VERSION, "sha256:1", "test", 1, 0.0)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with fake_engine(tmp_path / "home") as opened:
        opened.paths.kernel("mine").mkdir()
        yield opened


def own(engine: Engine, data: bytes) -> Path:
    path = engine.paths.kernel("mine") / "vmlinuz"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("way", sorted(samples.COMPRESSIONS))
async def test_from_every_compression(engine: Engine, way: str) -> None:
    wanted = samples.vmlinux()
    own(engine, samples.bzimage(samples.in_kernel(way, wanted)))
    path = await vmlinux(engine._ctx, KERNEL)
    assert path == engine.paths.kernel("mine") / "vmlinux"
    assert path.read_bytes() == wanted
    assert {p.name for p in path.parent.iterdir()} == {"vmlinuz", "vmlinux"}


async def test_it_is_made_once(engine: Engine) -> None:
    own(engine, samples.bzimage())
    paths = await asyncio.gather(*(vmlinux(engine._ctx, KERNEL) for _ in range(3)))
    before = paths[0].stat()
    again = await engine.kernels.vmlinux(KERNEL)
    assert again.stat().st_ino == before.st_ino
    assert again.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("data", [samples.vmlinux(), samples.arm_image()])
async def test_what_is_not_compressed_serves_itself(engine: Engine, data: bytes) -> None:
    path = own(engine, data)
    assert await vmlinux(engine._ctx, KERNEL) == path


async def test_a_compressed_arm_image(engine: Engine) -> None:
    own(engine, gzip.compress(samples.arm_image(), mtime=0))
    assert (await vmlinux(engine._ctx, KERNEL)).read_bytes() == samples.arm_image()


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (samples.in_kernel("zstd", b"hello" * 100), "is no kernel"),
        (samples.in_kernel("zstd", samples.vmlinux())[:-90], "damaged"),
        (b"\xcc" * 1000, "is no kernel"),
        (b"\x89LZO\0\r\n\x1a\n" + bytes(99), "LZO"),
    ],
)
async def test_a_payload_that_is_none_leaves_nothing(
    engine: Engine, packed: bytes, reason: str
) -> None:
    path = own(engine, samples.bzimage(packed))
    with pytest.raises(BadContent, match=reason):
        await vmlinux(engine._ctx, KERNEL)
    assert [p.name for p in path.parent.iterdir()] == ["vmlinuz"]


def test_a_payload_outside_the_file_is_refused() -> None:
    for offset, length in ((64, 0), (64, 1 << 31), (0xFFFFFFFF, 0xFFFFFFFF)):
        data = bytearray(samples.bzimage())
        struct.pack_into("<II", data, 0x248, offset, length)
        with pytest.raises(BadContent, match="no kernel"):
            payload(bytes(data))


async def test_a_kernel_deleted_meanwhile(engine: Engine) -> None:
    with pytest.raises(NotFound, match="mine is gone"):
        await vmlinux(engine._ctx, KERNEL)


async def test_cancel_ends_the_thread_and_leaves_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def endless(data: bytes, stop: Stop) -> Iterator[bytes]:
        yield from pieces(data[:16], stop)
        loop.call_soon_threadsafe(begun.set)
        while True:
            go_on(stop)
            yield b""

    monkeypatch.setattr(module, "pieces", endless)
    path = own(engine, samples.bzimage())
    task = asyncio.create_task(vmlinux(engine._ctx, KERNEL))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [p.name for p in path.parent.iterdir()] == ["vmlinuz"]


async def test_a_leftover_of_a_killed_one_is_written_over(engine: Engine) -> None:
    path = own(engine, samples.bzimage())
    (path.parent / ".vmlinux.part").write_bytes(b"x" * 100_000)
    made = await vmlinux(engine._ctx, KERNEL)
    assert made.read_bytes() == samples.vmlinux()
    assert {p.name for p in path.parent.iterdir()} == {"vmlinuz", "vmlinux"}
