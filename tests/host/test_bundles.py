"""Bundles of real filesystems: to a file and back, to a real registry and back."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from banger_tui.engine.bundles import sparse
from banger_tui.engine.bundles.artifact import (
    ARTIFACT_TYPE,
    CONFIG_TYPE,
    LAYER_TYPE,
    bundle_layer,
    is_bundle,
)
from banger_tui.engine.bundles.manifest import ROOTFS, Manifest
from banger_tui.engine.bundles.push import push
from banger_tui.engine.bundles.read import read
from banger_tui.engine.bundles.write import write
from banger_tui.engine.errors import (
    BadContent,
    BangerError,
    DigestMismatch,
    InvalidInput,
    NotEnoughDisk,
    RegistryDenied,
    RegistryFailure,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import Exported, Pushed
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.reference import parse
from banger_tui.engine.oci.registry import Registry
from banger_tui.engine.oci.resolve import Resolved
from banger_tui.engine.oci.retries import Patience
from tests.host.registry.certificate import Certificate
from tests.host.registry.http import Connection, HttpServer, Request
from tests.host.registry.images import push_image, tar_layer
from tests.host.registry.proxy import FaultProxy, Hold, Reply
from tests.host.registry.server import PROGRAM, RunningRegistry, running_registry
from tests.host.registry.stage import RecordedStage
from tests.host.registry.token import IDENTITY, PASSWORD, USER, TokenServer

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="docker-registry is not installed")

LIMITS = Limits()
HASTE = Patience(connect=1.0, stall=0.5, pause=0.01, longest_pause=0.02)
SIZE = 256 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """A bundle with the files it was made of."""

    exported: Exported
    manifest: Manifest
    rootfs: Path
    kernel: Path


def run(*argv: str | Path) -> bytes:
    return subprocess.run(argv, check=True, capture_output=True).stdout


def make_rootfs(directory: Path) -> Path:
    """An ext4 file of 256 MiB with 6 MiB in it."""
    noise = random.Random(5).randbytes
    tree, rootfs = directory / "tree", directory / "rootfs"
    (tree / "bin").mkdir(parents=True)
    for number in range(40):
        (tree / f"bin/tool{number}").write_bytes(noise(150_000))
    (tree / "text").write_text("words " * 100_000)
    with rootfs.open("wb") as file:
        file.truncate(SIZE)
    run("mke2fs", "-q", "-t", "ext4", "-F", "-d", tree, rootfs)
    return rootfs


def make_kernel(directory: Path) -> Path:
    kernel = directory / "kernel-source"
    (kernel / "modules").mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img", "modules/virtio_net.ko"):
        (kernel / name).write_bytes(os.urandom(50_000))
    return kernel


@pytest.fixture
async def sample(tmp_path: Path) -> Sample:
    rootfs, kernel = make_rootfs(tmp_path), make_kernel(tmp_path)
    about = Manifest(
        "golden", digest=inspect.content_digest(rootfs), init="/sbin/init", kernel="linux",
        config={"Env": ["A=b"]}, platform="linux/amd64",
    )  # fmt: skip
    exported = await write(
        rootfs, about, tmp_path / "golden.tar.zst", stage=RecordedStage(), limits=LIMITS,
        kernel=kernel,
    )  # fmt: skip
    unpacked = await read(
        Path(exported.path), make_directory(tmp_path / "once"), limits=LIMITS, stage=RecordedStage()
    )
    return Sample(exported, unpacked, rootfs, kernel)


def make_directory(path: Path) -> Path:
    path.mkdir()
    return path


def holes(path: Path) -> list[tuple[int, int]]:
    with path.open("rb") as file:
        return list(sparse._segments(file.fileno(), path.stat().st_size))


def assert_same(into: Path, sample: Sample) -> None:
    """Every byte, and no more room on disk."""
    restored = into / ROOTFS
    assert run("sha256sum", restored)[:64] == run("sha256sum", sample.rootfs)[:64]
    assert set(holes(restored)) <= set(holes(sample.rootfs)) or (
        inspect.disk_usage(restored) <= inspect.disk_usage(sample.rootfs)
    )
    for name in ("vmlinuz", "initrd.img", "modules/virtio_net.ko"):
        assert (into / "kernel" / name).read_bytes() == (sample.kernel / name).read_bytes()


async def pushed_to(
    sample: Sample, reference: str, stage: RecordedStage | None = None, *,
    env: dict[str, str] | None = None, insecure: bool = False, patience: Patience | None = None,
) -> Pushed:  # fmt: skip
    return await push(
        sample.exported, sample.manifest, parse(reference), credentials=Credentials(env),
        stage=stage or RecordedStage(), insecure=insecure, patience=patience,
    )  # fmt: skip


async def pulled(
    reference: str, cache: Path, env: dict[str, str] | None = None
) -> tuple[Resolved, Path]:
    blobs = Blobs(cache)
    async with Registry(Credentials(env)) as registry:
        resolved = await registry.resolve(parse(reference))
        layer = bundle_layer(resolved.manifest)
        async with blobs.lease(resolved.digests):
            return resolved, await registry.download(
                resolved.reference, layer, blobs, RecordedStage()
            )


def docker_config(directory: Path, address: str, **auth: str) -> dict[str, str]:
    """The environment of a person who has logged in."""
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps({"auths": {address: auth}}))
    return {"DOCKER_CONFIG": str(directory)}


def basic(password: str = PASSWORD) -> str:
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


# --------------------------------------------------------------------------- files and back


async def test_a_real_filesystem_there_and_back(sample: Sample, tmp_path: Path) -> None:
    into = make_directory(tmp_path / "into")
    found = await read(
        Path(sample.exported.path), into, limits=LIMITS, stage=RecordedStage(),
        sha256=sample.exported.digest.removeprefix("sha256:"), size=sample.exported.size_bytes,
    )  # fmt: skip
    assert found.digest == inspect.content_digest(into / ROOTFS)
    assert_same(into, sample)
    await inspect.check(into / ROOTFS, RecordedStage())
    assert sample.exported.size_bytes < 9 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 4 MiB."""
    if os.geteuid():
        pytest.skip("only root may mount one")
    place = make_directory(tmp_path / "small")
    run("mount", "-t", "tmpfs", "-o", "size=4m", "none", place)
    try:
        yield place
    finally:
        run("umount", place)


async def test_a_full_disk_is_told_and_nothing_is_left(sample: Sample, small_disk: Path) -> None:
    source = Path(sample.exported.path)
    into = make_directory(small_disk / "into")
    with pytest.raises(NotEnoughDisk):
        await read(source, into, limits=LIMITS, stage=RecordedStage())
    assert entries(into) == []
    about = replace(sample.manifest, files={})
    with pytest.raises(NotEnoughDisk):
        await write(
            sample.rootfs, about, small_disk / "b", stage=RecordedStage(), limits=LIMITS
        )  # fmt: skip
    assert entries(small_disk) == ["into"]


def entries(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# ------------------------------------------------------------------------- registry and back


async def test_pushed_and_pulled_by_digest(
    sample: Sample, registry: RunningRegistry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stage = RecordedStage()
    pushed = await pushed_to(sample, f"{registry.address}/team/golden:v1", stage)
    assert pushed.reference == f"{registry.address}/team/golden@{pushed.digest}"
    assert (stage.done, stage.total) == (sample.exported.size_bytes,) * 2

    resolved, file = await pulled(pushed.reference, tmp_path / "blobs")
    assert is_bundle(resolved.manifest)
    assert resolved.descriptor.digest == pushed.digest
    assert resolved.config_bytes == sample.manifest.encode()
    into = make_directory(tmp_path / "into")
    found = await read(file, into, limits=LIMITS, stage=RecordedStage())
    assert found == sample.manifest
    assert_same(into, sample)
    assert capfd.readouterr() == ("", "")


async def test_what_stands_in_the_registry(sample: Sample, registry: RunningRegistry) -> None:
    pushed = await pushed_to(sample, f"{registry.address}/golden:v1")
    async with httpx.AsyncClient() as client:
        answer = await client.get(
            f"{registry.url}/v2/golden/manifests/v1",
            headers={"accept": "application/vnd.oci.image.manifest.v1+json"},
        )
    assert answer.headers["docker-content-digest"] == pushed.digest
    document = answer.json()
    assert document["artifactType"] == ARTIFACT_TYPE
    assert document["config"]["mediaType"] == CONFIG_TYPE
    (layer,) = document["layers"]
    assert layer == {
        "mediaType": LAYER_TYPE,
        "digest": sample.exported.digest,
        "size": sample.exported.size_bytes,
        "annotations": {"org.opencontainers.image.title": "golden.tar.zst"},
    }


async def test_pushing_again_sends_nothing(sample: Sample, proxy: FaultProxy) -> None:
    first = await pushed_to(sample, f"{proxy.address}/golden:v1")
    sent = len(proxy.matching("PUT .*/blobs/"))
    stage = RecordedStage()
    again = await pushed_to(sample, f"{proxy.address}/golden:v2", stage)
    assert sent == 2
    assert len(proxy.matching("PUT .*/blobs/")) == sent
    assert again.digest == first.digest
    assert stage.done == sample.exported.size_bytes


async def test_a_bit_that_flips_in_the_registry_is_found(
    sample: Sample, registry: RunningRegistry, tmp_path: Path
) -> None:
    pushed = await pushed_to(sample, f"{registry.address}/golden:v1")
    digits = sample.exported.digest.removeprefix("sha256:")
    blob = registry.storage / f"docker/registry/v2/blobs/sha256/{digits[:2]}/{digits}/data"
    flip(blob, sample.exported.size_bytes // 2)
    with pytest.raises(DigestMismatch):
        await pulled(pushed.reference, tmp_path / "blobs")
    into = make_directory(tmp_path / "into")
    with pytest.raises(BadContent):
        await read(blob, into, limits=LIMITS, stage=RecordedStage())
    assert entries(into) == []


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 4]))


async def test_a_container_image_is_no_bundle(registry: RunningRegistry, tmp_path: Path) -> None:
    image = push_image(registry, [tar_layer({"a": b"1"})])
    with pytest.raises(BadContent, match="no bundle"):
        await pulled(image.reference, tmp_path / "blobs")


async def test_a_reference_with_a_digest_is_refused(sample: Sample) -> None:
    with pytest.raises(InvalidInput, match="digest already"):
        await pushed_to(sample, f"localhost:1/golden@{sample.exported.digest}")


# --------------------------------------------------------------------------- who may push


async def test_name_and_password(sample: Sample, tmp_path: Path) -> None:
    with running_registry(tmp_path / "r", basic=True) as registry:
        reference = f"{registry.address}/golden:v1"
        with pytest.raises(RegistryDenied):
            await pushed_to(sample, reference)
        wrong = docker_config(tmp_path / "wrong", registry.address, auth=basic("guess"))
        with pytest.raises(RegistryDenied):
            await pushed_to(sample, reference, env=wrong)
        right = docker_config(tmp_path / "right", registry.address, auth=basic())
        pushed = await pushed_to(sample, reference, env=right)
        await pulled(pushed.reference, tmp_path / "blobs", right)


async def test_tokens_of_a_private_server(
    sample: Sample, tmp_path: Path, certificate: Certificate
) -> None:
    async with TokenServer(certificate, private=True) as server:
        with running_registry(tmp_path / "r", token=(server.realm, certificate)) as registry:
            reference = f"{registry.address}/team/golden:v1"
            with pytest.raises(RegistryDenied, match="denies access"):
                await pushed_to(sample, reference)
            right = docker_config(tmp_path / "right", registry.address, auth=basic())
            pushed = await pushed_to(sample, reference, env=right)
            await pulled(pushed.reference, tmp_path / "blobs", right)
            identity = docker_config(
                tmp_path / "identity", registry.address, identitytoken=IDENTITY
            )
            await pushed_to(sample, f"{registry.address}/other/golden:v1", env=identity)
    assert len({*server.given}) >= 4  # a token for each deed: neither scope fits the other


async def test_a_token_that_ends_while_it_is_used(
    sample: Sample, tmp_path: Path, certificate: Certificate
) -> None:
    async with TokenServer(certificate) as server:
        with running_registry(tmp_path / "r", token=(server.realm, certificate)) as registry:
            async with FaultProxy(registry.host, registry.port) as proxy:
                challenge = (
                    f'Bearer realm="{server.realm}",service="registry of a test",'
                    'scope="repository:golden:pull,push"'
                )
                ended = Reply(401, {"WWW-Authenticate": challenge})
                proxy.on("PUT .*/blobs/", ended)
                proxy.on("PUT .*/manifests/", ended)
                await pushed_to(sample, f"{proxy.address}/golden:v1")


async def test_a_password_goes_to_no_other_host(sample: Sample, tmp_path: Path) -> None:
    """An upload that is sent on to another host, as clouds do, goes there without authorization."""
    with running_registry(tmp_path / "r", basic=True) as registry:
        async with FaultProxy(registry.host, registry.port) as proxy, Elsewhere() as other:
            right = docker_config(tmp_path / "right", proxy.address, auth=basic())
            moved = Reply(202, {"Location": f"{other.url}/upload?state=1"})
            proxy.on("POST .*/uploads/", moved, times=2)
            with pytest.raises(BangerError):  # the blobs are not where the manifest wants them
                await pushed_to(sample, f"{proxy.address}/golden:v1", env=right)
            assert [request.method for request in other.seen] == ["PUT", "PUT"]
            assert all("authorization" not in request.headers for request in other.seen)
            proxy.on("POST .*/uploads/", Reply(307, {"Location": f"{other.url}/moved"}))
            with pytest.raises(BangerError):
                await pushed_to(sample, f"{proxy.address}/golden:v1", env=right)
            assert all("authorization" not in request.headers for request in other.seen)
            assert any("authorization" in passed.headers for passed in proxy.passed)


class Elsewhere(HttpServer):
    """Takes all that is sent to it."""

    async def answer(self, request: Request, connection: Connection) -> bool:
        await connection.reply(201)
        return True


async def test_netrc_is_not_ours(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: FaultProxy
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login secret password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    await pushed_to(sample, f"{proxy.address}/golden:v1")
    assert not any("authorization" in passed.headers for passed in proxy.passed)


async def test_https_with_a_certificate_of_its_own(
    sample: Sample, tmp_path: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_registry(tmp_path / "r", tls=certificate) as registry:
        reference = f"{registry.address}/golden:v1"
        with pytest.raises(RegistryUnreachable) as caught:
            await pushed_to(sample, reference, patience=HASTE)
        assert "certificate" in caught.value.detail
        await pushed_to(sample, reference, insecure=True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))
        await pushed_to(sample, reference.replace("v1", "v2"))


# -------------------------------------------------------------------------------- bad days


class Broken(FaultProxy):
    """Gives no answer at all to requests with ``pattern`` in their "METHOD /path", ``times``."""

    def __init__(self, registry: RunningRegistry, pattern: str, way: str, times: int) -> None:
        super().__init__(registry.host, registry.port)
        self._pattern, self._way, self._times = pattern, way, times
        self.broken = 0

    async def answer(self, request: Request, connection: Connection) -> bool:
        if self.broken < self._times and re.search(
            self._pattern, f"{request.method} {request.target}"
        ):
            self.broken += 1
            match self._way:
                case "reset":
                    await connection.reset()
                case "hang up":
                    pass
                case "stall":
                    await connection.reader.read()
                case status:
                    await connection.reply(int(status), {"Retry-After": "0"})
                    return True
            return False
        return await super().answer(request, connection)


WHERE = ["GET /v2/$", "HEAD .*/blobs/", "POST .*/uploads/", "PUT .*/uploads/", "PUT .*/manifests/"]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("way", ["reset", "hang up", "503", "429"])
async def test_a_fault_that_passes(
    sample: Sample, registry: RunningRegistry, tmp_path: Path, where: str, way: str
) -> None:
    async with Broken(registry, where, way, 2) as proxy:
        await pushed_to(sample, f"{proxy.address}/golden:v1", patience=HASTE)
        # whatever is answered to the first question, it is an answer
        assert proxy.broken == (1 if where.startswith("GET") and way.isdecimal() else 2)
    _, file = await pulled(f"{registry.address}/golden:v1", tmp_path / "blobs")
    await read(file, make_directory(tmp_path / "into"), limits=LIMITS, stage=RecordedStage())


@pytest.mark.parametrize("where", WHERE[2:])
@pytest.mark.parametrize("way", ["reset", "503", "stall"])
async def test_a_fault_that_lasts_is_told(
    sample: Sample, registry: RunningRegistry, where: str, way: str
) -> None:
    async with Broken(registry, where, way, 100) as proxy:
        with pytest.raises(RegistryFailure) as caught:
            await pushed_to(sample, f"{proxy.address}/golden:v1", patience=HASTE)
        assert {"reset": "reset", "503": "503", "stall": "no answer"}[way] in (
            caught.value.detail.lower()
        )
        assert proxy.broken == HASTE.few


async def test_nobody_there(sample: Sample) -> None:
    with pytest.raises(RegistryUnreachable) as caught:
        await pushed_to(sample, "127.0.0.1:1/golden:v1", patience=HASTE)
    assert "refused" in caught.value.detail


async def test_a_registry_without_that_repository(sample: Sample, proxy: FaultProxy) -> None:
    body = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "no\x1b[2J such"}]})
    proxy.on("POST .*/uploads/", Reply(404, {}, body.encode()))
    with pytest.raises(RegistryNotFound) as caught:
        await pushed_to(sample, f"{proxy.address}/golden:v1")
    assert "such" in caught.value.detail
    assert caught.value.detail.isprintable()


async def test_an_answer_without_end(sample: Sample, proxy: FaultProxy) -> None:
    proxy.on("POST .*/uploads/", Reply(202, {}, b"x" * (2 << 20)), times=100)
    with pytest.raises(RegistryUnreachable) as caught:
        await pushed_to(sample, f"{proxy.address}/golden:v1", patience=HASTE)
    assert "does not end" in caught.value.detail


async def test_a_registry_that_stores_something_else(sample: Sample, proxy: FaultProxy) -> None:
    said = Reply(201, {"Docker-Content-Digest": "sha256:" + "0" * 64})
    proxy.on("PUT .*/manifests/", said)
    with pytest.raises(DigestMismatch):
        await pushed_to(sample, f"{proxy.address}/golden:v1")


@pytest.mark.parametrize("where", ["GET /v2/", "PUT .*/uploads/", "PUT .*/manifests/"])
async def test_a_push_is_cancelled_at_once(sample: Sample, proxy: FaultProxy, where: str) -> None:
    hold = Hold(asyncio.Event(), asyncio.Event())
    proxy.on(where, hold)
    task = asyncio.ensure_future(
        pushed_to(sample, f"{proxy.address}/golden:v1", patience=replace(HASTE, stall=60.0))
    )
    await hold.reached.wait()
    task.cancel()
    async with asyncio.timeout(10):  # and not the minute that an answer is waited for
        with pytest.raises(asyncio.CancelledError):
            await task
    hold.gate.set()


async def test_a_push_that_nothing_is_heard_of_is_given_up(sample: Sample) -> None:
    """A server that gives a byte now and then keeps every single read within its deadline."""
    async with Dripping() as server:
        with pytest.raises(RegistryUnreachable) as caught:
            await pushed_to(sample, f"{server.address}/golden:v1", patience=HASTE)
    assert "Nothing has happened" in caught.value.detail


class Dripping(HttpServer):
    async def answer(self, request: Request, connection: Connection) -> bool:
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await connection.send(b"x")
            await asyncio.sleep(0.1)
