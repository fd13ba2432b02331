"""What tests of pulls look at, and what they need for it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.retries import Patience
from tests.host.registry.images import PushedImage
from tests.host.registry.proxy import FaultProxy
from tests.host.registry.token import PASSWORD, USER

MIB = 1 << 20
QUICK = Patience(stall=20.0, tries=5, few=2, pause=0.01, longest_pause=0.05, total_wait=10.0)
IMPATIENT = Patience(stall=0.5, tries=5, few=2, pause=0.01, longest_pause=0.05, total_wait=10.0)


def through(proxy: FaultProxy, image: PushedImage) -> str:
    """The image's reference, by way of the proxy."""
    return f"{proxy.address}/{image.reference.partition('/')[2]}"


def size(image: PushedImage) -> int:
    return sum(map(len, image.blobs))


def contents(paths: tuple[Path, ...]) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in paths)


def files(blob_dir: Path) -> list[Path]:
    """All there are but the one lock that stays."""
    return [path for path in blob_dir.rglob("*") if path.is_file() and path.name != "leases.lock"]


def unfinished(blob_dir: Path) -> list[int]:
    """Sizes of what can be gone on with."""
    return [path.stat().st_size for path in files(blob_dir) if path.suffix == ".part"]


def logged_in(
    directory: Path, address: str, auth: str = f"{USER}:{PASSWORD}", token: str = ""
) -> Credentials:
    """Credentials from docker's file, as ``docker login`` leaves it."""
    entry = {"auth": base64.b64encode(auth.encode()).decode()}
    if token:
        entry["identitytoken"] = token
    (directory / "config.json").write_text(json.dumps({"auths": {address: entry}}))
    return Credentials({"DOCKER_CONFIG": str(directory), "HOME": str(directory)})
