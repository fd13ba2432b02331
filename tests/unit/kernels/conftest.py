"""Engines whose imports need no Debian packages."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.kernels import shell
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage
from tests.engine_fixtures.engines import fake_engine
from tests.unit.kernels import samples


@pytest.fixture
def own_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of x86-64 on any host, with a busybox of three bytes."""

    async def busybox(paths: Paths, stage: Stage) -> bytes:
        return b"BOX"

    monkeypatch.setattr(shell, "busybox", busybox)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
async def engine(tmp_path: Path, own_shell: None) -> AsyncIterator[Engine]:
    async with fake_engine(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A Debian package with a kernel."""
    path = tmp_path / "linux-image.deb"
    path.write_bytes(samples.deb())
    return path
