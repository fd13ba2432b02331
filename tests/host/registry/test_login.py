"""Logging in to registries, and that what is secret goes nowhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent, RegistryDenied, RegistryUnreachable
from banger_tui.engine.oci.credentials import Credentials
from tests.host.registry.certificate import Certificate
from tests.host.registry.files import FileServer
from tests.host.registry.images import PushedImage, push_image, tar_layer
from tests.host.registry.inspection import MIB, QUICK, contents, logged_in, size, through
from tests.host.registry.proxy import FaultProxy, Redirect, Reply, Reset
from tests.host.registry.pull import pull
from tests.host.registry.server import PROGRAM, RunningRegistry, running_registry
from tests.host.registry.stage import RecordedStage, until
from tests.host.registry.token import IDENTITY, PASSWORD, SERVICE, USER, TokenServer

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="docker-registry is not installed")


async def test_basic(tmp_path: Path, blob_dir: Path) -> None:
    with running_registry(tmp_path / "basic", basic=True) as registry:
        pushed = push_image(registry, [tar_layer({"a": b"x"})])

        _, paths = await pull(
            pushed.reference, blob_dir, credentials=logged_in(tmp_path, registry.address)
        )
        assert contents(paths) == pushed.blobs

        for credentials in (
            Credentials(),
            logged_in(tmp_path, "elsewhere:5000"),
            logged_in(tmp_path, registry.address, f"{USER}:wrong"),
        ):
            with pytest.raises(RegistryDenied) as caught:
                await pull(pushed.reference, blob_dir, credentials=credentials)
            assert f"docker login {registry.address}" in caught.value.hint
            assert PASSWORD not in f"{caught.value!r} {caught.value}"


@asynccontextmanager
async def token_registry(
    directory: Path, certificate: Certificate, *, private: bool = False, expires_in: int = 300
) -> AsyncIterator[tuple[TokenServer, RunningRegistry]]:
    async with TokenServer(certificate, private=private, expires_in=expires_in) as tokens:
        with running_registry(directory, token=(tokens.realm, certificate)) as registry:
            yield tokens, registry


async def test_one_anonymous_token_serves_a_whole_pull(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "token", certificate) as (tokens, registry):
        pushed = push_image(registry, [tar_layer({f"{n}": b"x"}) for n in range(8)])

        _, paths = await pull(pushed.reference, blob_dir)

        assert contents(paths) == pushed.blobs
        assert len(tokens.given) == 1
        assert "scope=repository%3Atest%2Fimage%3Apull" in tokens.seen[0].target
        assert "service=registry" in tokens.seen[0].target


async def test_tokens_for_those_who_log_in(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "t", certificate, private=True) as (tokens, registry):
        pushed = push_image(registry, [tar_layer({"a": b"x"})])

        for auth, token in ((f"{USER}:{PASSWORD}", ""), (f"{USER}:", IDENTITY)):
            credentials = logged_in(tmp_path, registry.address, auth, token)
            await pull(pushed.reference, blob_dir, credentials=credentials)
        assert [request.method for request in tokens.seen] == ["GET", "POST"]
        assert IDENTITY not in tokens.seen[1].target

        for credentials in (
            Credentials(),
            logged_in(tmp_path, registry.address, f"{USER}:wrong"),
            logged_in(tmp_path, registry.address, f"{USER}:", "wrong"),
        ):
            with pytest.raises(RegistryDenied) as caught:
                await pull(pushed.reference, blob_dir, credentials=credentials)
            assert "who are you?" in caught.value.detail


async def test_tokens_that_are_over_at_once(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "t", certificate, expires_in=1) as (tokens, registry):
        pushed = push_image(registry, [tar_layer({f"{n}": b"x"}) for n in range(3)])

        _, paths = await pull(pushed.reference, blob_dir)

        assert contents(paths) == pushed.blobs
        assert len(tokens.given) > 1


async def test_a_token_that_expires_within_a_layer(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "token", certificate) as (tokens, registry):
        pushed = push_image(registry, [os.urandom(4 * MIB)], compression="none")
        async with FaultProxy(registry.host, registry.port) as proxy:
            challenge = f'Bearer realm="{tokens.realm}",service="{SERVICE}"'
            layer = f"/blobs/{pushed.layers[0]['digest']}"
            proxy.on(layer, Reset(MIB))
            proxy.on(layer, Reply(401, {"WWW-Authenticate": challenge}))

            _, paths = await pull(through(proxy, pushed), blob_dir, patience=QUICK)

            first, refused, last = proxy.matching(layer)
            assert contents(paths) == pushed.blobs
            assert first.headers["authorization"] == refused.headers["authorization"]
            assert last.headers["authorization"] == f"Bearer {tokens.given[1]}"
            assert last.headers["range"] == f"bytes={MIB}-"
            assert proxy.moved(layer) == 4 * MIB


async def test_one_of_all_who_are_refused_gets_the_next_token(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "token", certificate) as (tokens, registry):
        pushed = push_image(registry, [tar_layer({f"{n}": b"x"}) for n in range(5)])
        async with FaultProxy(registry.host, registry.port) as proxy:
            challenge = f'Bearer realm="{tokens.realm}",service="{SERVICE}"'
            layers = "|".join(layer["digest"] for layer in pushed.layers)
            proxy.on(layers, Reply(401, {"WWW-Authenticate": challenge}), times=5)
            stage = RecordedStage()

            download = asyncio.create_task(pull(through(proxy, pushed), blob_dir, stage))
            await until(lambda: len(tokens.given) == 1)
            tokens.gate.clear()
            await until(lambda: len(proxy.matching(layers)) == 5)
            tokens.gate.set()

            assert contents((await download)[1]) == pushed.blobs
            assert len(tokens.given) == 2


async def test_a_registry_that_takes_no_token(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    async with token_registry(tmp_path / "token", certificate) as (tokens, registry):
        pushed = push_image(registry, [tar_layer({"a": b"x"})])
        async with FaultProxy(registry.host, registry.port) as proxy:
            challenge = f'Bearer realm="{tokens.realm}",service="{SERVICE}"'
            refusal = Reply(401, {"WWW-Authenticate": challenge})
            proxy.on("/manifests/", refusal, times=100)

            with pytest.raises(RegistryDenied):
                await pull(through(proxy, pushed), blob_dir)

            assert len(tokens.given) == 2


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}', b'{"token": 7}']
)
async def test_a_token_server_that_talks_nonsense(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path, body: bytes
) -> None:
    challenge = f'Bearer realm="{proxy.url}/token"'
    proxy.on("/manifests/", Reply(401, {"WWW-Authenticate": challenge}), times=100)
    proxy.on("/token", Reply(200, {}, body), times=100)

    with pytest.raises(BadContent):
        await pull(through(proxy, image), blob_dir)


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        ("nowhere", BadContent), ("ftp://a/b", BadContent), ("https://[/", BadContent),
        ("http://example.org/token", RegistryUnreachable),
    ],
)  # fmt: skip
async def test_credentials_go_to_no_odd_place(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path, tmp_path: Path, realm: str,
    error: type[Exception],
) -> None:  # fmt: skip
    proxy.on("/manifests/", Reply(401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}), times=100)

    with pytest.raises(error):
        await pull(
            through(proxy, image), blob_dir, credentials=logged_in(tmp_path, proxy.address)
        )  # fmt: skip


async def test_a_token_server_does_not_pass_credentials_on(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path, tmp_path: Path
) -> None:
    async with FileServer() as other:
        challenge = f'Bearer realm="{proxy.url}/token"'
        proxy.on("/manifests/", Reply(401, {"WWW-Authenticate": challenge}), times=100)
        proxy.on("/token", Redirect(other.url), times=100)

        with pytest.raises(RegistryUnreachable):
            await pull(
                through(proxy, image), blob_dir, credentials=logged_in(tmp_path, proxy.address)
            )  # fmt: skip

        assert other.seen == []


async def test_blobs_elsewhere_get_no_token(
    tmp_path: Path, blob_dir: Path, certificate: Certificate
) -> None:
    """The registry itself redirects to another server, as those with object storage do."""
    storage = tmp_path / "storage"
    async with TokenServer(certificate, private=True) as tokens, FileServer() as elsewhere:
        with running_registry(
            tmp_path / "registry", storage=storage, token=(tokens.realm, certificate),
            redirect_to=elsewhere.url,
        ) as registry:  # fmt: skip
            pushed = push_image(registry, [tar_layer({"a": os.urandom(MIB)})])
            for file in storage.rglob("data"):
                elsewhere.files[f"/{file.relative_to(storage)}"] = file.read_bytes()

            _, paths = await pull(
                pushed.reference, blob_dir, credentials=logged_in(tmp_path, registry.address)
            )

        assert contents(paths) == pushed.blobs
        assert len(elsewhere.seen) == 2  # config and layer
        assert not any("authorization" in request.headers for request in elsewhere.seen)
        assert not any("cookie" in request.headers for request in elsewhere.seen)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_way_of_redirecting_takes_a_password_along(
    tmp_path: Path, blob_dir: Path, status: int
) -> None:
    with running_registry(tmp_path / "basic", basic=True) as registry:
        pushed = push_image(registry, [os.urandom(2 * MIB)], compression="none")
        async with (
            FaultProxy(registry.host, registry.port) as proxy,
            FileServer() as elsewhere,
        ):
            path = f"/v2/test/image/blobs/{pushed.layers[0]['digest']}"
            elsewhere.files[path] = pushed.blobs[0]
            headers = {"Location": elsewhere.url + path, "Set-Cookie": "secret=1; Path=/"}
            proxy.on("GET .*/blobs/.*" + pushed.layers[0]["digest"], Reply(status, headers))

            _, paths = await pull(
                through(proxy, pushed), blob_dir, credentials=logged_in(tmp_path, proxy.address)
            )

            assert contents(paths) == pushed.blobs
            assert "authorization" in proxy.passed[-1].headers
            assert [
                sorted({"authorization", "cookie"} & set(r.headers)) for r in elsewhere.seen
            ] == [[]]


async def test_an_address_that_is_over_is_asked_for_again(
    image: PushedImage, proxy: FaultProxy, blob_dir: Path
) -> None:
    async with FaultProxy(*proxy._upstream) as elsewhere:
        layer = f"/blobs/{image.layers[0]['digest']}"
        proxy.on(layer, Redirect(elsewhere.url), times=2)
        elsewhere.on(layer, Reset(MIB))
        elsewhere.on(layer, Reply(403))  # the signature has expired

        _, paths = await pull(through(proxy, image), blob_dir, patience=QUICK)

        assert contents(paths) == image.blobs
        assert len(proxy.matching(layer)) == 3
        assert proxy.moved("/blobs/") + elsewhere.moved(layer) - size(image) < 1000
