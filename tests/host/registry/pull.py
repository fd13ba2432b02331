"""A pull of layers in a process of its own: ``python -m tests.host.registry.pull REFERENCE CACHE``.

Prints the layers' paths, a line each, or the error's kind and text, and then ends with 1.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from banger_tui.engine.errors import BangerError
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.reference import parse
from banger_tui.engine.oci.registry import Registry
from banger_tui.engine.oci.resolve import Resolved
from banger_tui.engine.oci.retries import Patience
from banger_tui.engine.progress import Stage
from tests.host.registry.stage import RecordedStage


async def pull(
    reference: str,
    cache: Path,
    stage: Stage | None = None,
    *,
    platform: str = "linux/amd64",
    insecure: bool = False,
    credentials: Credentials | None = None,
    patience: Patience | None = None,
) -> tuple[Resolved, tuple[Path, ...]]:
    """Resolve, and have all layers in the cache."""
    async with Registry(
        credentials or Credentials(), insecure=insecure, patience=patience
    ) as registry:
        resolved = await registry.resolve(parse(reference), platform)
        blobs = Blobs(cache)
        async with blobs.lease(resolved.digests):
            return resolved, await registry.download_layers(
                resolved, blobs, stage or RecordedStage()
            )


def main(reference: str, cache: str) -> int:
    try:
        _, paths = asyncio.run(pull(reference, Path(cache)))
    except BangerError as error:
        print(f"{error.kind}: {error}")
        return 1
    print(*paths, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
