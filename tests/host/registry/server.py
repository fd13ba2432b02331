"""docker-registry on a free loopback port."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.host.registry.certificate import Certificate
from tests.host.registry.token import ISSUER, PASSWORD, SERVICE, USER, sign

PROGRAM = Path("/usr/bin/docker-registry")
# USER and PASSWORD; bcrypt at the least cost, as the registry takes no other kind
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuutXu9KzOt.1yBoZUeFWoT/914/JfszCO\n"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class RunningRegistry:
    """``authorize(repository)`` gives the headers with which its images can be pushed."""

    host: str
    port: int
    storage: Path
    scheme: Literal["http", "https"] = "http"
    certificate: Certificate | None = None
    authorize: Callable[[str], dict[str, str]] = field(default=lambda _: {})

    @property
    def address(self) -> str:
        """host:port: what a reference begins with."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"


@contextmanager
def running_registry(
    directory: Path,
    *,
    storage: Path | None = None,
    basic: bool = False,
    token: tuple[str, Certificate] | None = None,
    tls: Certificate | None = None,
    redirect_to: str = "",
) -> Iterator[RunningRegistry]:
    """A registry inside the block; its log is ``directory``/registry.log.

    Args:
        storage: where its blobs are; two registries may share one (default: below ``directory``).
        basic: ask for USER and PASSWORD.
        token: a token server's realm, and the certificate its tokens are signed with.
        tls: serve https with this certificate.
        redirect_to: a base URL that blobs are said to be at.
    """
    directory.mkdir(parents=True, exist_ok=True)
    storage = storage or directory / "storage"
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": "127.0.0.1:0", "secret": "of a test"},
    }
    authorize: Callable[[str], dict[str, str]] = lambda _: {}  # noqa: E731
    if basic:
        (directory / "htpasswd").write_text(_HTPASSWD)
        config["auth"] = {"htpasswd": {"realm": "a test", "path": str(directory / "htpasswd")}}
        request = httpx.Request("GET", "http://x/")
        next(httpx.BasicAuth(USER, PASSWORD).auth_flow(request))
        authorization = request.headers["authorization"]
        authorize = lambda _: {"authorization": authorization}  # noqa: E731
    if token:
        realm, certificate = token
        config["auth"] = {
            "token": {
                "realm": realm, "service": SERVICE, "issuer": ISSUER,
                "rootcertbundle": str(certificate.cert),
            }
        }  # fmt: skip

        def authorize(repository: str) -> dict[str, str]:
            access = {"type": "repository", "name": repository, "actions": ["pull", "push"]}
            return {"authorization": f"Bearer {sign(certificate, [access])}"}

    if tls:
        config["http"]["tls"] = {"certificate": str(tls.cert), "key": str(tls.key)}
    if redirect_to:
        config["middleware"] = {
            "storage": [{"name": "redirect", "options": {"baseurl": redirect_to}}]
        }
    # the configuration is YAML, of which JSON is a part
    (directory / "config.yml").write_text(json.dumps(config))
    with _process(directory) as port:
        yield RunningRegistry(
            "127.0.0.1", port, storage, "https" if tls else "http", tls, authorize
        )


@contextmanager
def _process(directory: Path) -> Iterator[int]:
    """The program, from listening to its end; yields its port."""
    log_path = directory / "registry.log"
    process = subprocess.Popen(
        [PROGRAM, "serve", directory / "config.yml"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={"OTEL_TRACES_EXPORTER": "none"},
    )  # fmt: skip
    listening = threading.Event()
    ports: list[int] = []

    def read() -> None:
        assert process.stderr is not None
        with log_path.open("w") as log, contextlib.suppress(ValueError):
            for line in process.stderr:
                log.write(line)
                log.flush()
                if not ports and "listening on 127.0.0.1:" in line:
                    rest = line.partition("listening on 127.0.0.1:")[2]
                    ports.append(int("".join(c for c in rest[:5] if c.isdigit())))
                    listening.set()
        listening.set()

    reader = threading.Thread(target=read, name="registry log", daemon=True)
    reader.start()
    try:
        if not listening.wait(_PATIENCE) or not ports:
            raise RuntimeError(f"docker-registry did not start: {log_path.read_text()[-2000:]}")
        yield ports[0]
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stderr is not None:
            process.stderr.close()
