"""The cache: what is in use stays, in any process; what nobody needs goes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from banger_tui.engine.errors import StorageFailure
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.digests import digest_of
from tests.engine_fixtures.gates import PATIENCE
from tests.host.registry.stage import RecordedStage, until

DAY = 86400

_HOLDER = """
import asyncio, sys
from pathlib import Path
from banger_tui.engine.oci.blobs import Blobs

async def main():
    async with Blobs(Path(sys.argv[1])).lease(sys.argv[2:]):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture
async def blobs(tmp_path: Path) -> Blobs:
    blobs = Blobs(tmp_path / "blobs")
    await blobs.prepare()
    return blobs


def put(blobs: Blobs, data: bytes) -> str:
    digest = digest_of(data)
    blobs.path(digest).write_bytes(data)
    return digest


def put_part(blobs: Blobs, name: bytes, age: float) -> Path:
    path = blobs.part(digest_of(name))
    path.write_bytes(name)
    os.utime(path, (time.time() - age,) * 2)
    return path


async def test_what_is_not_kept_goes(blobs: Blobs) -> None:
    kept, gone = put(blobs, b"kept"), put(blobs, b"gone and longer")

    assert await blobs.prune({kept}, dry_run=True) == (1, 15)
    assert await blobs.has(gone, 15)
    assert await blobs.prune({kept}) == (1, 15)
    assert not await blobs.has(gone)
    assert await blobs.has(kept, 4)
    assert await blobs.prune({kept}) == (0, 0)


async def test_what_is_leased_stays(blobs: Blobs) -> None:
    one, two, late = put(blobs, b"1"), put(blobs, b"2"), put(blobs, b"3")

    async with blobs.lease([one, late]), Blobs(blobs.directory).lease([two]):
        assert await blobs.prune(set()) == (0, 0)
    async with blobs.lease([one]) as lease:
        await lease.add(two)
        assert await Blobs(blobs.directory).prune(set()) == (1, 1)
        assert await blobs.has(one)
        assert await blobs.has(two)
    assert await blobs.prune(set()) == (2, 2)
    assert os.listdir(blobs.directory / "leases") == []


async def test_a_lease_counts_in_every_process_until_its_holder_dies(blobs: Blobs) -> None:
    digest = put(blobs, b"x")
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HOLDER, str(blobs.directory), digest,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert await holder.stdout.readline() == b"held\n"
        assert await blobs.prune(set()) == (0, 0)
    finally:
        holder.send_signal(signal.SIGKILL)
        await holder.wait()

    assert await blobs.prune(set()) == (1, 1)
    assert os.listdir(blobs.directory / "leases") == []


async def test_unfinished_downloads_go_after_a_day(blobs: Blobs) -> None:
    young, old, leased = (
        put_part(blobs, b"young", DAY - 600), put_part(blobs, b"old", DAY + 600),
        put_part(blobs, b"leased", DAY + 600),
    )  # fmt: skip
    forgotten = blobs.unnamed()
    forgotten.write_bytes(b"12345")
    os.utime(forgotten, (time.time() - DAY - 600,) * 2)
    fresh = blobs.unnamed()
    fresh.write_bytes(b"x")

    async with blobs.lease([digest_of(b"leased")]):
        assert await blobs.prune(set()) == (2, 8)

    assert (young.exists(), old.exists(), leased.exists()) == (True, False, True)
    assert (fresh.exists(), forgotten.exists()) == (True, False)


async def test_what_is_not_ours_stays(blobs: Blobs) -> None:
    for name in ("notes.txt", "a" * 63, "A" * 64, f"{'a' * 64}.bak", ".part"):
        (blobs.directory / "sha256" / name).write_bytes(b"x")
        os.utime(blobs.directory / "sha256" / name, (0, 0))

    assert await blobs.prune(set()) == (0, 0)


async def test_a_blob_that_went_bad_is_found_out(blobs: Blobs) -> None:
    good, bad = put(blobs, b"good"), put(blobs, b"bad")
    blobs.path(bad).write_bytes(b"sad")

    assert await blobs.verify(good)
    assert not await blobs.verify(bad)
    assert await blobs.has(good, 4)
    assert not await blobs.has(bad)
    assert not await blobs.verify(bad)


async def test_another_size_is_not_the_blob(blobs: Blobs) -> None:
    digest = put(blobs, b"1234")

    assert await blobs.has(digest, 4)
    assert not await blobs.has(digest, 5)


async def test_a_claim_is_for_one(blobs: Blobs) -> None:
    digest, stage = digest_of(b"x"), RecordedStage()
    claimed, got_it = asyncio.Event(), asyncio.Event()

    async def second() -> None:
        await claimed.wait()
        async with Blobs(blobs.directory).claim(digest, 100, stage):
            got_it.set()

    task = asyncio.create_task(second())
    async with blobs.claim(digest, 100, RecordedStage()):
        blobs.part(digest).write_bytes(bytes(42))
        claimed.set()
        await until(lambda: stage.done == 42)
        assert not got_it.is_set()
    await task

    assert stage.notes[0] == "another pull downloads it"
    assert os.listdir(blobs.directory / "locks") == []


async def test_claims_of_different_blobs_overlap(blobs: Blobs) -> None:
    async def one(number: int, meeting: asyncio.Barrier) -> None:
        async with blobs.claim(digest_of(bytes([number])), 1, RecordedStage()):
            await meeting.wait()

    async with asyncio.timeout(PATIENCE):
        meeting = asyncio.Barrier(5)
        await asyncio.gather(*(one(number, meeting) for number in range(5)))


async def test_a_cache_that_cant_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(StorageFailure):
        await Blobs(tmp_path / "file").prepare()
