"""A file on the web, with a proxy that fails before it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.download import fetch
from banger_tui.engine.oci.leases import Lease
from banger_tui.engine.oci.retries import Patience
from tests.host.registry.files import FileServer
from tests.host.registry.proxy import FaultProxy
from tests.host.registry.stage import RecordedStage

CONTENT = os.urandom(3 << 20) + b"the end"
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HALF = 1 << 20
LIMITS = Limits()
QUICK = Patience(stall=20.0, tries=4, few=2, pause=0.01, longest_pause=0.02, total_wait=5.0)
IMPATIENT = Patience(stall=0.3, tries=3, pause=0.01, longest_pause=0.02)


class Site:
    """A file behind a proxy, and a cache."""

    def __init__(self, files: FileServer, proxy: FaultProxy, blobs: Blobs) -> None:
        self.files = files
        self.proxy = proxy
        self.blobs = blobs
        self.stage = RecordedStage()

    @property
    def url(self) -> str:
        return f"{self.proxy.url}/file.tar.zst"

    async def get(
        self,
        *,
        sha256: str = SHA256,
        size: int | None = SIZE,
        patience: Patience = QUICK,
        limits: Limits = LIMITS,
        lease: Lease | None = None,
    ) -> Path:
        return await fetch(
            self.url, sha256=sha256, size=size, blobs=self.blobs, stage=self.stage,
            limits=limits, lease=lease, patience=patience,
        )  # fmt: skip

    def left(self) -> list[str]:
        """Whatever a download may leave behind, but for whole blobs."""
        found = [path for path in self.blobs.directory.rglob("*") if path.is_file()]
        return [path.name for path in found if path.name not in (SHA256, "leases.lock")]

    def ranges(self) -> list[str]:
        return [passed.headers.get("range", "") for passed in self.proxy.passed]
