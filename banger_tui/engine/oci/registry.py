"""Images in registries: what a reference stands for, and its blobs.

Manifests are taken by the same client as blobs, and not by oras: so one cache of tokens and one set
of deadlines serve both, each document is verified by its digest before it is read, and nothing runs
in a thread that can't be cancelled. Source: OCI distribution specification 1.1.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

from banger_tui.engine.debian.architecture import oci_platform
from banger_tui.engine.errors import BangerError
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.digests import short, split
from banger_tui.engine.oci.manifest import Descriptor
from banger_tui.engine.oci.part import Part
from banger_tui.engine.oci.platforms import parse_platform
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.resolve import Resolved, resolve
from banger_tui.engine.oci.retries import Patience
from banger_tui.engine.oci.session import Session
from banger_tui.engine.oci.totals import Total
from banger_tui.engine.oci.transfer import STREAM, Wanted, mebibytes, receive
from banger_tui.engine.oci.wire import Answer
from banger_tui.engine.progress import Stage

_AT_ONCE = 5


class Registry:
    """All registries that one pull needs, open inside ``async with``: one client, its tokens.

    Args:
        insecure: plain http is fine, and so is a certificate of nobody's (loopback needs no leave
            for http).
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        insecure: bool = False,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._session = Session(credentials, patience or Patience(), insecure=insecure)
        self._limits = limits or Limits()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.__aexit__(*error)

    async def resolve(
        self, reference: Reference, platform: str = "", stage: Stage | None = None
    ) -> Resolved:
        """What a reference stands for.

        Args:
            platform: "linux/arm64"; "" is this host's.
            stage: told of retries.

        Raises:
            RegistryUnreachable, RegistryDenied
            RegistryNotFound: also when there is none for the platform.
            BadContent, DigestMismatch, LimitExceeded, InvalidInput
        """
        wanted = parse_platform(platform or oci_platform())
        return await resolve(self._session, reference, wanted, self._limits, stage)

    async def download(
        self, reference: Reference, descriptor: Descriptor, blobs: Blobs, stage: Stage
    ) -> Path:
        """Have a blob in the cache; ``stage`` is its own. What is there is not moved again, and
        what an earlier download left is gone on with.

        Hold a lease on the digest for as long as the file is needed.

        Raises:
            RegistryFailure, BadContent, DigestMismatch, NotEnoughDisk, StorageFailure
        """
        digest, size = descriptor.digest, descriptor.size
        final = blobs.path(digest)
        if await blobs.has(digest, size):
            stage.note("already here")
            return final
        stage.progress(0, size, "bytes")
        what = f"{short(digest)} of {reference.familiar_name}"
        wanted = Wanted(what, reference.registry, digest, size)
        async with self._slots, blobs.lease([digest]), blobs.claim(digest, size, stage):
            if await blobs.has(digest, size):
                stage.note("another pull downloaded it")
                return final
            async with Part(blobs.part(digest), split(digest)[0]) as part:
                if resumed := await part.resume():
                    stage.note(f"resumed at {mebibytes(resumed)}")
                    stage.progress(min(resumed, size), size, "bytes")
                await blobs.room_for(max(size - resumed, 0))
                source = partial(self._blob, reference, digest, what)
                attempts = self._session.attempts(what, reference, stage)
                await receive(source, wanted, part, attempts, self._limits, stage)
                await part.commit(final)
        stage.progress(size, size, "bytes")
        return final

    async def download_layers(
        self,
        resolved: Resolved,
        blobs: Blobs,
        stage: Stage,
        arrived: Callable[[str], None] = lambda _: None,
    ) -> tuple[Path, ...]:
        """Have all layers, five at a time; each is a nested stage, ``stage`` has the sum of what is
        not here yet.

        Hold a lease on ``resolved.digests``.

        Args:
            arrived: called with the digest of each as soon as it is whole.

        Returns:
            The file of each layer, lowest first.

        Raises:
            As ``download``; the others are ended when one fails.
        """
        layers = {layer.digest: layer for layer in resolved.manifest.layers}
        missing = [x for x in layers.values() if not await blobs.has(x.digest, x.size)]
        begun = sum([await blobs.begun(layer.digest) for layer in missing])
        await blobs.room_for(sum(layer.size for layer in missing) - begun)
        total = Total(stage, sum(layer.size for layer in missing))

        async def one(layer: Descriptor) -> None:
            async with stage.stage(short(layer.digest)) as nested:
                await self.download(resolved.reference, layer, blobs, total.share(nested))
            arrived(layer.digest)

        try:
            async with asyncio.TaskGroup() as group:
                for layer in layers.values():
                    group.create_task(one(layer))
        except ExceptionGroup as failed:
            raise _first(failed) from None
        return tuple(blobs.path(layer.digest) for layer in resolved.manifest.layers)

    @asynccontextmanager
    async def _blob(
        self, reference: Reference, digest: str, what: str, start: int
    ) -> AsyncIterator[Answer]:
        headers = {"range": f"bytes={start}-"} if start else {}
        async with self._session.open(
            reference, f"blobs/{digest}", headers=headers, what=what, statuses=STREAM
        ) as answer:
            yield answer


def _first(failed: ExceptionGroup[Exception]) -> Exception:
    """Of several errors what nobody foresaw, or else the first: the others are mostly the same."""
    errors = failed.exceptions
    return next((error for error in errors if not isinstance(error, BangerError)), errors[0])
