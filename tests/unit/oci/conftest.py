"""What the tests of downloads share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banger_tui.engine.oci.blobs import Blobs
from tests.host.registry.files import FileServer
from tests.host.registry.proxy import FaultProxy
from tests.unit.oci.site import CONTENT, Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with (
        FileServer({"/file.tar.zst": CONTENT}) as files,
        FaultProxy(files.host, files.port) as proxy,
    ):
        yield Site(files, proxy, Blobs(tmp_path / "blobs"))
