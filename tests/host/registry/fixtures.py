"""pytest's view of it: ``pytest_plugins = ["tests.host.registry.fixtures"]`` in a test module."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.host.registry.certificate import Certificate, make_certificate
from tests.host.registry.images import PushedImage, push_image, tar_layer
from tests.host.registry.inspection import MIB
from tests.host.registry.proxy import FaultProxy
from tests.host.registry.server import PROGRAM, RunningRegistry, running_registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RunningRegistry]:
    """An anonymous registry over http, empty, for this test alone."""
    if not PROGRAM.exists():
        pytest.skip("docker-registry is not installed")
    with running_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def blob_dir(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    directory = tmp_path / "certificate"
    directory.mkdir()
    return make_certificate(directory)


@pytest.fixture
def image(registry: RunningRegistry) -> PushedImage:
    """Three layers of 3 MiB that don't compress."""
    layers = [tar_layer({f"file{number}": os.urandom(3 * MIB)}) for number in range(3)]
    return push_image(registry, layers, {"Env": ["A=b"]}, compression="none")


@pytest.fixture
async def proxy(registry: RunningRegistry) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(registry.host, registry.port) as proxy:
        yield proxy
