"""Odd addresses, odd servers, and files that nobody knows the digest of."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from banger_tui.engine.errors import (
    BadContent,
    InvalidInput,
    LimitExceeded,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.download import fetch
from banger_tui.engine.oci.retries import Patience
from banger_tui.engine.oci.web import fetch_small
from tests.host.registry.http import Connection, HttpServer, Request, head
from tests.host.registry.proxy import FaultProxy, Hold, Redirect, Reply, Reset, Stall
from tests.host.registry.stage import RecordedStage
from tests.unit.oci.site import CONTENT, HALF, IMPATIENT, LIMITS, QUICK, SHA256, SIZE, Site


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "https://", "nothing", "https://[/a", "http://a\n/b"]
)
async def test_what_is_no_url(site: Site, url: str) -> None:
    with pytest.raises(InvalidInput):
        await fetch(
            url, sha256="", size=None, blobs=site.blobs, stage=site.stage, limits=Limits()
        )  # fmt: skip


async def test_plain_http_is_for_loopback(site: Site) -> None:
    for url in ("http://example.org/x", "http://127.0.0.1.example.org/x"):
        with pytest.raises(RegistryUnreachable, match="plain http"):
            await fetch(
                url, sha256="", size=None, blobs=site.blobs, stage=site.stage, limits=Limits()
            )  # fmt: skip


async def test_nobody_there_is_said_soon(site: Site) -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    with pytest.raises(RegistryUnreachable) as caught:
        await fetch(
            f"http://127.0.0.1:{port}/x", sha256=SHA256, size=None, blobs=site.blobs,
            stage=site.stage, limits=Limits(), patience=QUICK,
        )  # fmt: skip

    assert "2 times" in caught.value.detail
    assert "connection refused" in caught.value.detail


async def test_an_address_with_a_password_shows_none(site: Site) -> None:
    del site.files.files["/file.tar.zst"]
    url = site.url.replace("http://", "http://me:open-sesame@") + "?signature=open-sesame"

    with pytest.raises(RegistryNotFound) as caught:
        await fetch(
            url, sha256="", size=None, blobs=site.blobs, stage=site.stage, limits=Limits()
        )  # fmt: skip

    assert "open-sesame" not in f"{caught.value!r}{caught.value}{caught.value.hint}"
    assert "authorization" not in site.proxy.passed[0].headers


async def test_without_a_digest_it_has_its_own(site: Site) -> None:
    path = await site.get(sha256="", size=None)

    assert path == site.blobs.path(f"sha256:{SHA256}")
    assert site.left() == []


async def test_the_rest_of_the_same_version_is_joined(site: Site) -> None:
    site.proxy.on("file", Reset(HALF))

    path = await site.get(sha256="", size=None)

    assert path.read_bytes() == CONTENT
    assert site.proxy.moved("file") == SIZE


async def test_the_rest_of_another_version_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.urandom(SIZE)
    site.proxy.on("file", Reset(HALF))

    def note(_: str) -> None:  # told of the reset
        site.files.files["/file.tar.zst"] = other

    monkeypatch.setattr(site.stage, "note", note)
    path = await site.get(sha256="", size=None)

    assert path.read_bytes() == other
    assert site.proxy.moved("file") == HALF + SIZE


async def test_a_cancel_leaves_nothing_that_has_no_name(site: Site) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    site.proxy.on("file", Hold(gate, reached, HALF))
    download = asyncio.create_task(site.get(sha256="", size=None))
    await reached.wait()
    download.cancel()
    with pytest.raises(asyncio.CancelledError):
        await download

    assert site.left() == []


async def test_a_lease_holds_what_got_its_name_late(site: Site) -> None:
    async with site.blobs.lease([]) as lease:
        path = await site.get(sha256="", size=None, lease=lease)
        assert await site.blobs.prune(set()) == (0, 0)
        assert path.exists()

    assert await site.blobs.prune(set()) == (1, SIZE)


async def test_redirects_are_followed(site: Site) -> None:
    async with FaultProxy(site.files.host, site.files.port) as other:
        site.proxy.on("file", Redirect(other.url))
        path = await site.get()

        assert path.read_bytes() == CONTENT
        assert other.moved("file") == SIZE


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/c%20d?X-Amz-Signature=a%2Bb%2fc%3D&Expires=1;2&f=~'(x)*!,:@$&g=%C3%A9&h=+&i",
        "/relative?~sig=x==&y=/?",
    ],
)
async def test_a_signed_address_arrives_as_it_is(site: Site, target: str) -> None:
    site.files.files[target] = CONTENT
    site.proxy.on("file", Reply(307, {"Location": target}))

    await site.get()

    assert [request.target for request in site.files.seen] == [target]


async def test_redirects_end(site: Site) -> None:
    site.proxy.on("file", Redirect(site.proxy.url), times=100)

    with pytest.raises(RegistryUnreachable, match="circles"):
        await site.get()

    assert len(site.proxy.passed) == 6


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://a/b", "https://[/", "https://"])
async def test_redirects_to_nowhere(site: Site, place: str) -> None:
    site.proxy.on("file", Reply(302, {"Location": place}))

    with pytest.raises(RegistryUnreachable, match="nowhere"):
        await site.get()


async def test_redirects_do_not_lead_to_plain_http(site: Site) -> None:
    site.proxy.on("file", Reply(302, {"Location": "http://example.org/file"}))

    with pytest.raises(RegistryUnreachable, match="plain http"):
        await site.get()


class Scripted(HttpServer):
    """Answers as the test says."""

    def __init__(self, answer: Callable[[Connection], Awaitable[None]]) -> None:
        super().__init__()
        self._answer = answer

    async def answer(self, request: Request, connection: Connection) -> bool:
        await self._answer(connection)
        return False


async def scripted(
    answer: Callable[[Connection], Awaitable[None]],
    tmp_path: Path,
    *,
    size: int | None = SIZE,
    patience: Patience = QUICK,
    limits: Limits = LIMITS,
) -> tuple[Path, int]:
    """Fetch from a server like that; the file, and how often the server was asked."""
    async with Scripted(answer) as server:
        path = await fetch(
            f"{server.url}/x", sha256=SHA256, size=size, blobs=Blobs(tmp_path), limits=limits,
            stage=RecordedStage(), patience=patience,
        )  # fmt: skip
        return path, len(server.seen)


async def test_an_endless_body_has_an_end(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head(200, {"Connection": "close"}))
        while True:
            await connection.send(bytes(1 << 16))

    with pytest.raises(LimitExceeded):
        await scripted(answer, tmp_path, size=None, limits=Limits(max_blob_bytes=4 << 20))
    with pytest.raises(BadContent):
        await scripted(answer, tmp_path)
    assert os.listdir(tmp_path / "sha256") == []


async def test_a_trickle_is_a_stall(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(head(200, {"Content-Length": str(SIZE)}))
        while True:
            await connection.send(b"x")
            await asyncio.sleep(0.05)

    with pytest.raises(RegistryUnreachable) as caught:
        await scripted(answer, tmp_path, patience=IMPATIENT)

    assert "bytes in" in caught.value.detail


async def test_a_trickling_head_is_no_answer(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await connection.send(b"A: b\r\n")
            await asyncio.sleep(0.05)

    impatient = Patience(connect=0.2, stall=0.3, tries=2, pause=0.0)
    with pytest.raises(RegistryUnreachable) as caught:
        await scripted(answer, tmp_path, patience=impatient)

    assert "no answer within" in caught.value.detail


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"\0" * 1000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_given_up(tmp_path: Path, raw: bytes) -> None:
    async def answer(connection: Connection) -> None:
        await connection.send(raw)

    with pytest.raises(RegistryUnreachable):
        await scripted(answer, tmp_path)


async def test_encodings_are_refused(tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        await connection.reply(200, {"Content-Encoding": "gzip"}, CONTENT)

    with pytest.raises(BadContent) as caught:
        await scripted(answer, tmp_path)

    assert "compressed" in caught.value.detail


async def test_crumbs_are_no_progress(tmp_path: Path) -> None:
    sent = 0

    async def answer(connection: Connection) -> None:
        nonlocal sent
        if not sent:
            await connection.send(head(200, {"Content-Length": str(SIZE)}) + CONTENT[:1])
        else:
            place = f"bytes {sent}-{sent}/{SIZE}"
            await connection.reply(206, {"Content-Range": place}, CONTENT[sent : sent + 1])
        sent += 1

    with pytest.raises(RegistryUnreachable) as caught:
        await scripted(answer, tmp_path)

    assert "1 bytes at a time" in caught.value.detail


async def test_ranges_may_be_shorter_than_asked_for(tmp_path: Path) -> None:
    asked = 0

    async def answer(connection: Connection) -> None:
        nonlocal asked
        start = asked * HALF
        end = min(start + HALF, SIZE)
        if not asked:
            await connection.send(head(200, {"Content-Length": str(SIZE)}) + CONTENT[:end])
        else:
            place = f"bytes {start}-{end - 1}/{SIZE}"
            await connection.reply(206, {"Content-Range": place}, CONTENT[start:end])
        asked += 1

    path, requests = await scripted(answer, tmp_path)

    assert path.read_bytes() == CONTENT
    assert requests == 4


async def test_small_files(site: Site) -> None:
    site.proxy.on("file", Reply(503, {"Retry-After": "0"}))

    assert await fetch_small(site.url) == CONTENT
    with pytest.raises(LimitExceeded):
        await fetch_small(site.url, most_bytes=SIZE - 1)
    with pytest.raises(RegistryNotFound):
        await fetch_small(f"{site.proxy.url}/nothing")


async def test_small_files_have_a_deadline(site: Site) -> None:
    site.proxy.on("file", Stall(10))

    with pytest.raises(RegistryUnreachable, match="does not answer"):
        await fetch_small(site.url, deadline=0.3)
