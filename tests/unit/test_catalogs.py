"""A person's own catalogs, from files and from a web server: read, kept, and told when they can't
be."""
# ruff: noqa: ASYNC240 - files between steps hold up nobody in a test

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from banger_tui.engine.catalog.catalogs import Catalogs
from banger_tui.engine.catalog.entries import OciSource
from banger_tui.engine.catalog.load import Catalog, embedded
from banger_tui.engine.errors import (
    BangerError,
    DigestMismatch,
    HostLacks,
    LimitExceeded,
    NotInCatalog,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.oci.web import fetch_small
from banger_tui.engine.settings import UserCatalog
from tests.unit.test_catalog_content import catalog

DAY = 86400.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Site:
    """A web server with one file."""

    content: bytes = b""
    status: int = 200
    requests: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    answer = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer.requests.append(self.path)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    answer.url = f"http://127.0.0.1:{server.server_port}/images.json"
    yield answer
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Clock:
    """``now``: seconds since the epoch; ``patience``: seconds the web has for an answer."""

    now: float = 1_700_000_000.0
    patience: float = 30.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    return tmp_path / "cache/catalogs"


def known(copies: Path, clock: Clock, *user: UserCatalog) -> Catalogs:
    async def fetch(url: str) -> bytes:
        return await fetch_small(url, deadline=clock.patience)

    return Catalogs(user, copies, fetch, now=clock)


def unread(found: Catalog) -> BangerError:
    (error,) = found.unread
    assert found.problems == (str(error),)
    assert found.images.keys() == embedded().images.keys(), "the others are there none the less"
    return error


# -------------------------------------------------------------------------------------- read


async def test_a_file_adds_to_what_is_shipped(tmp_path: Path, copies: Path, clock: Clock) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(catalog("own"))
    found = await known(copies, clock, UserCatalog(str(path))).load()
    assert found.image("own").source == OciSource("example.org/own:1")
    assert found.image("own").catalog == str(path)
    assert found.image("debian-bookworm").catalog == ""
    assert (found.kernel("k").suite, found.kernel("k").catalog) == ("trixie", str(path))
    assert found.kernel("debian-bookworm-cloud").catalog == ""
    assert found.unread == found.problems == ()
    assert not copies.exists(), "a file is its own copy"


async def test_the_first_of_several_counts_most(tmp_path: Path, copies: Path, clock: Clock) -> None:
    both = [tmp_path / "one.json", tmp_path / "two.json"]
    both[0].write_bytes(catalog("own", "busybox"))
    both[1].write_bytes(catalog("own", "other"))
    found = await known(copies, clock, *(UserCatalog(str(path)) for path in both)).load()
    assert found.image("own").catalog == str(both[0])
    assert found.image("busybox").catalog == str(both[0]), "also before what is shipped"
    assert found.image("other").catalog == str(both[1])


@pytest.mark.parametrize("missing", ["images", "kernels"])
async def test_either_half_may_be_missing(
    tmp_path: Path, copies: Path, clock: Clock, missing: str
) -> None:
    content = json.loads(catalog("own"))
    del content[missing]
    (tmp_path / "c").write_text(json.dumps(content))
    found = await known(copies, clock, UserCatalog(str(tmp_path / "c"))).load()
    assert found.unread == ()
    assert ("own" in found.images, "k" in found.kernels) == (
        missing != "images", missing != "kernels"
    )  # fmt: skip


async def test_a_file_is_read_anew_each_time(tmp_path: Path, copies: Path, clock: Clock) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(catalog("old"))
    catalogs = known(copies, clock, UserCatalog(str(path)))
    assert "old" in (await catalogs.load()).images
    path.write_bytes(catalog("new"))
    assert "new" in (await catalogs.load()).images


# --------------------------------------------------------------------------------- from the web


async def test_the_web_is_asked_once_a_day(site: Site, copies: Path, clock: Clock) -> None:
    site.content = catalog("own")
    catalogs = known(copies, clock, UserCatalog(site.url))
    assert (await catalogs.load()).image("own").catalog == site.url
    await catalogs.load()
    clock.now += DAY - 1
    later = known(copies, clock, UserCatalog(site.url))
    assert "own" in (await later.load()).images, "another process finds the copy"
    assert len(site.requests) == 1
    site.content = catalog("new")
    clock.now += 2
    assert "new" in (await later.load()).images
    assert len(site.requests) == 2
    assert [path.suffix for path in copies.iterdir()] == [".json"]


async def test_refresh_asks_however_fresh_the_copy_is(
    site: Site, copies: Path, clock: Clock
) -> None:
    site.content = catalog("old")
    catalogs = known(copies, clock, UserCatalog(site.url))
    await catalogs.load()
    site.content = catalog("new")
    assert "old" in (await catalogs.load()).images
    assert "new" in (await catalogs.load(refresh=True)).images


async def test_a_copy_from_the_future_is_not_trusted_for_ever(
    site: Site, copies: Path, clock: Clock
) -> None:
    site.content = catalog("old")
    catalogs = known(copies, clock, UserCatalog(site.url))
    await catalogs.load()
    site.content = catalog("new")
    clock.now -= 10 * DAY
    assert "new" in (await catalogs.load()).images


@pytest.mark.parametrize("trouble", ["broken", "gone", "down"])
async def test_the_old_copy_serves_while_the_web_does_not(
    site: Site, copies: Path, clock: Clock, trouble: str
) -> None:
    site.content = catalog("own")
    catalogs = known(copies, clock, UserCatalog(site.url))
    await catalogs.load()
    clock.now += 2 * DAY
    clock.patience = 0.5 if trouble == "down" else 30.0
    site.content = b"<html>"
    site.status = {"broken": 200, "gone": 404, "down": 503}[trouble]
    found = await catalogs.load()
    assert "own" in found.images
    assert found.unread == ()
    (problem,) = found.problems
    assert site.url in problem
    assert "the copy of 2023-11-1" in problem
    site.status, site.content = 200, catalog("new")
    clock.now, clock.patience = clock.now + 61, 30.0
    assert "new" in (await catalogs.load()).images, "and it is asked again"


async def test_a_server_that_failed_has_a_minutes_respite(
    site: Site, copies: Path, clock: Clock
) -> None:
    site.status = 404
    catalogs = known(copies, clock, UserCatalog(site.url))
    first = unread(await catalogs.load())
    clock.now += 59
    assert unread(await catalogs.load()) is first
    assert len(site.requests) == 1
    site.status, site.content = 200, catalog("own")
    clock.now += 2
    assert "own" in (await catalogs.load()).images


async def test_a_person_who_asks_again_does_not_wait_for_the_respite(
    site: Site, copies: Path, clock: Clock
) -> None:
    site.status = 404
    catalogs = known(copies, clock, UserCatalog(site.url))
    unread(await catalogs.load())
    site.status, site.content = 200, catalog("own")
    assert "own" in (await catalogs.load(refresh=True)).images


async def test_a_damaged_copy_is_fetched_anew(site: Site, copies: Path, clock: Clock) -> None:
    site.content = catalog("own")
    catalogs = known(copies, clock, UserCatalog(site.url))
    await catalogs.load()
    (copy,) = copies.iterdir()
    copy.write_bytes(b'{"images"')
    os.utime(copy, (clock.now, clock.now))
    assert "own" in (await catalogs.load()).images
    assert len(site.requests) == 2
    assert copy.read_bytes() == site.content


async def test_without_room_for_a_copy_there_is_none(
    site: Site, copies: Path, clock: Clock
) -> None:
    copies.parent.mkdir()
    copies.write_bytes(b"in the way")
    site.content = catalog("own")
    assert "own" in (await known(copies, clock, UserCatalog(site.url)).load()).images


# ----------------------------------------------------------------------------------- by digest


async def test_a_pinned_catalog_is_asked_for_once(site: Site, copies: Path, clock: Clock) -> None:
    site.content = catalog("own")
    pinned = UserCatalog(site.url, digest(site.content))
    await known(copies, clock, pinned).load()
    clock.now += 100 * DAY
    assert "own" in (await known(copies, clock, pinned).load()).images
    assert len(site.requests) == 1


async def test_a_new_pin_refuses_the_old_copy(site: Site, copies: Path, clock: Clock) -> None:
    site.content = catalog("old")
    await known(copies, clock, UserCatalog(site.url)).load()
    site.content = catalog("new")
    pinned = UserCatalog(site.url, digest(site.content))
    assert "new" in (await known(copies, clock, pinned).load()).images


@pytest.mark.parametrize("where", ["file", "web"])
async def test_another_digest_is_refused(
    site: Site, tmp_path: Path, copies: Path, clock: Clock, where: str
) -> None:
    path = tmp_path / "mine.json"
    site.content = catalog("own")
    path.write_bytes(site.content)
    location = str(path) if where == "file" else site.url
    error = unread(await known(copies, clock, UserCatalog(location, "0" * 64)).load())
    assert isinstance(error, DigestMismatch)
    assert location in error.title
    assert digest(site.content) in error.detail
    assert not copies.exists(), "what is refused is not kept"


# ------------------------------------------------------------------------------ what can't be read


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe", "device", "locked"])
async def test_files_that_can_not_be_read(
    tmp_path: Path, copies: Path, clock: Clock, kind: str
) -> None:
    """A named pipe would be waited for, a device read for long."""
    path = tmp_path / kind
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "locked":
        path = path / ("x" * 300)  # a name too long: what root can't read either
    error = unread(await known(copies, clock, UserCatalog(str(path))).load())
    assert isinstance(error, HostLacks)
    assert error.title == f"Can't read the catalog {path}"
    assert error.detail
    assert "config.toml" in error.hint


@pytest.mark.parametrize("where", ["file", "web"])
async def test_a_catalog_without_end(
    site: Site, tmp_path: Path, copies: Path, clock: Clock, where: str
) -> None:
    path = tmp_path / "huge.json"
    site.content = b" " * (17 << 20)
    path.write_bytes(site.content)
    location = str(path) if where == "file" else site.url
    error = unread(await known(copies, clock, UserCatalog(location)).load())
    assert isinstance(error, LimitExceeded)


async def test_servers_that_can_not_give_it(site: Site, copies: Path, clock: Clock) -> None:
    site.status = 404
    error = unread(await known(copies, clock, UserCatalog(site.url)).load())
    assert isinstance(error, RegistryNotFound)
    site.status, clock.patience = 503, 0.5
    error = unread(await known(copies, clock, UserCatalog(site.url)).load())
    assert isinstance(error, RegistryUnreachable)
    # Nobody listens on a port that was bound and let go.
    nobody = f"http://127.0.0.1:{free_port()}/images.json"
    error = unread(await known(copies, clock, UserCatalog(nobody)).load())
    assert isinstance(error, RegistryUnreachable)
    assert not copies.exists()


# ---------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("kind", ["image", "kernel"])
async def test_what_may_be_in_an_unread_catalog_is_not_called_unknown(
    site: Site, copies: Path, clock: Clock, kind: str
) -> None:
    site.status, clock.patience = 503, 0.5
    found = await known(copies, clock, UserCatalog(site.url)).load()
    look = getattr(found, kind)
    sure = {"image": "debian-bookworm", "kernel": "debian-bookworm-cloud"}[kind]
    assert look(sure).name == sure
    with pytest.raises(RegistryUnreachable) as caught:
        look("own")
    assert (caught.value.title, caught.value.detail) == (
        found.unread[0].title, found.unread[0].detail
    )  # fmt: skip
    assert f"The {kind} own is in no other catalog" in caught.value.hint
    with pytest.raises(NotInCatalog):
        look("example.org/own:1")  # no catalog can have such a name


async def test_near_names_come_from_all_catalogs(
    tmp_path: Path, copies: Path, clock: Clock
) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(catalog("workbench"))
    found = await known(copies, clock, UserCatalog(str(path))).load()
    for wrong, near in (("workbnech", "workbench"), ("debian-bokworm", "debian-bookworm")):
        with pytest.raises(NotInCatalog, match="not in any catalog") as caught:
            found.image(wrong)
        assert caught.value.near[0] == near
        assert near in caught.value.hint
    with pytest.raises(NotInCatalog, match="not in any catalog") as caught:
        found.image("zzzzzz")
    assert caught.value.near == ()
    assert "workbench" in caught.value.hint, "then all there are"
