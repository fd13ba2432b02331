"""Files from the web: what comes whole, what goes on where it stopped, and what is refused."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os

import pytest

from banger_tui.engine.errors import (
    BadContent,
    DigestMismatch,
    LimitExceeded,
    NotEnoughDisk,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.download import fetch
from tests.host.registry.proxy import (
    Corrupt,
    Fault,
    Hold,
    IgnoreRange,
    LieAboutRange,
    Reply,
    Reset,
    Stall,
    Truncate,
)
from tests.host.registry.stage import RecordedStage, until
from tests.unit.oci.site import CONTENT, HALF, IMPATIENT, QUICK, SHA256, SIZE, Site


async def test_a_file_is_moved_once(site: Site) -> None:
    path = await site.get()
    again = await site.get()

    assert path == again == site.blobs.path(f"sha256:{SHA256}")
    assert path.read_bytes() == CONTENT
    assert site.stage.notes == ["already here"]
    assert (site.stage.done, site.stage.total) == (SIZE, SIZE)
    assert site.proxy.moved("file") == SIZE
    assert site.left() == []


@pytest.mark.parametrize(
    ("fault", "note"),
    [
        (Reset(HALF), "retried: connection reset at 1.0 MiB"),
        (Truncate(HALF), "retried: the connection ended early at 1.0 MiB"),
    ],
)
async def test_it_goes_on_where_it_broke_off(site: Site, fault: Fault, note: str) -> None:
    site.proxy.on("file", fault)

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert site.ranges() == ["", f"bytes={HALF}-"]
    assert site.proxy.moved("file") == SIZE
    assert note in site.stage.notes


async def test_a_stall_ends(site: Site) -> None:
    site.proxy.on("file", Stall(HALF))

    path = await site.get(patience=IMPATIENT)

    assert path.read_bytes() == CONTENT
    assert site.stage.said("stalled for 0.3 s at 1.0 MiB")
    assert site.proxy.moved("file") == SIZE


@pytest.mark.parametrize(
    "fault",
    [
        Reply(500), Reply(502), Reply(503, {"Retry-After": "0"}), Reply(429, {"Retry-After": "0"}),
        Reply(429, {"Retry-After": "Tue, 14 Nov 2023 22:13:50 GMT"}), Reply(408), Reset(0),
        Truncate(0),
    ],
)  # fmt: skip
async def test_what_may_pass_is_tried_again(site: Site, fault: Fault) -> None:
    site.proxy.on("file", fault, times=2)

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert len(site.proxy.passed) == 3


async def test_retry_after_is_waited_for(site: Site) -> None:
    site.proxy.on("file", Reply(429, {"Retry-After": "3600"}))

    # an hour is shortened to what patience allows, which is more than it allows altogether
    with pytest.raises(RegistryUnreachable) as caught:
        await site.get()

    assert "429" in caught.value.detail
    assert len(site.proxy.passed) == 1


async def test_tries_end(site: Site) -> None:
    site.proxy.on("file", Reset(1000), times=100)

    with pytest.raises(RegistryUnreachable) as caught:
        await site.get()

    assert site.proxy.address in caught.value.title
    assert "4 times" in caught.value.detail
    assert "connection reset at" in caught.value.detail
    assert len(site.proxy.passed) == 4
    # what came is kept for the next one
    assert site.left() == [f"{SHA256}.part"]


async def test_the_next_download_moves_what_is_missing(site: Site) -> None:
    site.proxy.on("file", Reset(HALF), times=1)
    site.proxy.on("file", Reset(0), times=4)
    with pytest.raises(RegistryUnreachable):
        await site.get()
    before = site.proxy.moved("file")

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert before == HALF
    assert site.proxy.moved("file") == SIZE
    assert site.stage.said("resumed at 1.0 MiB")


async def test_a_beginning_of_something_else_is_thrown_away(site: Site) -> None:
    await site.blobs.prepare()
    site.blobs.part(f"sha256:{SHA256}").write_bytes(b"x" * HALF)

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert site.ranges() == [f"bytes={HALF}-", ""]


async def test_a_beginning_that_is_too_long_is_thrown_away(site: Site) -> None:
    await site.blobs.prepare()
    site.blobs.part(f"sha256:{SHA256}").write_bytes(CONTENT + b"x")

    assert (await site.get()).read_bytes() == CONTENT
    assert site.ranges() == [""]


async def test_a_whole_beginning_needs_no_request(site: Site) -> None:
    await site.blobs.prepare()
    site.blobs.part(f"sha256:{SHA256}").write_bytes(CONTENT)

    assert (await site.get()).read_bytes() == CONTENT
    assert site.ranges() == []


async def test_a_server_without_ranges(site: Site) -> None:
    site.proxy.on("file", Reset(HALF))
    site.proxy.on("file", IgnoreRange())

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert site.stage.said("the server can't resume")


@pytest.mark.parametrize("shift", [-1, 1, HALF, 0])
async def test_a_lie_about_the_range_is_found_out(site: Site, shift: int) -> None:
    site.proxy.on("file", Reset(HALF))
    site.proxy.on("file", LieAboutRange(shift))

    path = await site.get()

    assert path.read_bytes() == CONTENT
    assert site.ranges() == ["", f"bytes={HALF}-", ""]
    # one in the bytes alone shows only at the end
    found = "sends something else" if shift else "has another digest"
    assert site.stage.said(found)


async def test_lies_end(site: Site) -> None:
    site.proxy.on("file", Reset(HALF))
    site.proxy.on("file", LieAboutRange(1), times=100)

    with pytest.raises(BadContent):
        await site.get()

    assert len(site.proxy.passed) == 3
    assert site.left() == []


async def test_a_damaged_file_is_got_once_more(site: Site) -> None:
    site.proxy.on("file", Corrupt(12345))

    assert (await site.get()).read_bytes() == CONTENT
    assert site.stage.said("has another digest")


async def test_another_file_is_refused_and_leaves_nothing(site: Site) -> None:
    site.proxy.on("file", Corrupt(SIZE - 1), times=100)

    with pytest.raises(DigestMismatch) as caught:
        await site.get()

    assert SHA256 in caught.value.detail
    assert len(site.proxy.passed) == 2
    assert site.left() == []
    assert not site.blobs.path(f"sha256:{SHA256}").exists()


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1, 0, 1])
async def test_another_size_is_refused(site: Site, size: int) -> None:
    with pytest.raises(BadContent):
        await site.get(size=size)

    assert site.left() == []


async def test_an_empty_file(site: Site) -> None:
    site.files.files["/file.tar.zst"] = b""

    path = await site.get(sha256=hashlib.sha256(b"").hexdigest(), size=0)

    assert path.read_bytes() == b""


@pytest.mark.parametrize("size", [None, SIZE])
async def test_the_limit_is_named(site: Site, size: int | None) -> None:
    with pytest.raises(LimitExceeded) as caught:
        await site.get(size=size, limits=Limits(max_blob_bytes=HALF))

    assert "max_blob_bytes" in caught.value.detail + caught.value.hint
    assert site.proxy.moved("file") < SIZE
    assert site.left() == []


async def test_what_is_not_there(site: Site) -> None:
    del site.files.files["/file.tar.zst"]

    with pytest.raises(RegistryNotFound, match="nothing at"):
        await site.get()


async def test_what_is_denied(site: Site) -> None:
    site.proxy.on("file", Reply(403), times=9)

    with pytest.raises(RegistryUnreachable) as caught:
        await site.get()

    assert "403" in caught.value.detail


async def test_two_who_want_the_same_move_it_once(site: Site) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    site.proxy.on("file", Hold(gate, reached, HALF))
    first = asyncio.create_task(site.get())
    await reached.wait()
    waiting = RecordedStage()
    second = asyncio.create_task(
        fetch(
            site.url, sha256=SHA256, size=SIZE, blobs=Blobs(site.blobs.directory), stage=waiting,
            limits=Limits(), patience=QUICK,
        )
    )  # fmt: skip
    await until(lambda: waiting.said("another pull downloads it"))
    gate.set()

    assert await first == await second
    assert site.proxy.moved("file") == SIZE


async def test_when_the_first_leaves_the_second_goes_on(site: Site) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    site.proxy.on("file", Hold(gate, reached, HALF))
    first = asyncio.create_task(site.get())
    await reached.wait()
    await until(lambda: site.stage.done == HALF)
    second = asyncio.create_task(site.get())
    await until(lambda: site.stage.said("another pull downloads it"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    path = await second

    assert path.read_bytes() == CONTENT
    assert site.proxy.moved("file") == SIZE
    assert site.stage.said("resumed at 1.0 MiB")


async def test_too_little_room_is_said_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs

    def small(path: str) -> os.statvfs_result:
        values = list(real(path))
        values[4] = 16  # f_bavail
        return os.statvfs_result(values)

    monkeypatch.setattr(os, "statvfs", small)
    with pytest.raises(NotEnoughDisk) as caught:
        await site.get()

    assert "prune" in caught.value.hint
    assert site.proxy.passed == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_gets_its_room_back(
    site: Site, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    real, full = os.pwrite, False

    def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
        if full and len(data) > 10_000:
            if offset >= HALF:
                raise OSError(code, os.strerror(code))
            data = data[:1000]
        return real(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    full = True
    with pytest.raises(NotEnoughDisk, match="full"):
        await site.get()

    assert site.left() == []
    full = False
    assert (await site.get()).read_bytes() == CONTENT
