"""Files from web servers, into the same cache and by the same rules as blobs of registries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from banger_tui.engine.errors import InvalidInput, LimitExceeded
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.oci.digests import is_digest
from banger_tui.engine.oci.leases import Lease
from banger_tui.engine.oci.part import Part
from banger_tui.engine.oci.retries import Attempts, Patience
from banger_tui.engine.oci.transfer import STREAM, Wanted, mebibytes, receive
from banger_tui.engine.oci.urls import file_name, host_name, refused, shown
from banger_tui.engine.oci.wire import Answer, Wire
from banger_tui.engine.progress import Stage


async def fetch(
    url: str,
    *,
    sha256: str,
    size: int | None,
    blobs: Blobs,
    stage: Stage,
    limits: Limits,
    lease: Lease | None = None,
    insecure: bool = False,
    patience: Patience | None = None,
) -> Path:
    """Have the file at an https URL (on loopback http will do) in the cache.

    With a digest it is moved once, and an interrupted download is gone on with by the next process
    that wants it; without one it is moved each time.

    Args:
        sha256: of the content, 64 hex digits; "": any.
        size: bytes; None: any, up to max_blob_bytes.
        lease: what keeps the file until its end; without it, ``prune`` may take the file as soon as
            it is here.
        insecure: plain http is fine, and so is a certificate of nobody's.

    Raises:
        RegistryFailure, BadContent, DigestMismatch, LimitExceeded, InvalidInput, NotEnoughDisk,
        StorageFailure
    """
    digest = f"sha256:{sha256.lower()}" if sha256 else ""
    if digest and not is_digest(digest):
        raise InvalidInput(f"{sha256[:80]!r} is no SHA-256", "It has 64 hex digits.")
    if size is not None and size > limits.max_blob_bytes:
        raise LimitExceeded(
            f"{shown(url)} is too large",
            f"It has {size:,} bytes, max_blob_bytes allows {limits.max_blob_bytes:,}.",
            "Raise max_blob_bytes below [limits] in config.toml if you trust it.",
        )
    await blobs.prepare()
    wanted = Wanted(file_name(url), host_name(url), digest, size)
    async with Wire(patience, insecure=insecure) as wire:
        download = _Download(url, wanted, wire, blobs, limits, stage)
        if not digest:
            return await download.unnamed(lease)
        if lease is not None:
            await lease.add(digest)
        return await download.named()


class _Download:
    def __init__(
        self, url: str, wanted: Wanted, wire: Wire, blobs: Blobs, limits: Limits, stage: Stage
    ) -> None:
        self._url = url
        self._wanted = wanted
        self._wire = wire
        self._blobs = blobs
        self._limits = limits
        self._stage = stage
        self._version = ""

    async def named(self) -> Path:
        """A file whose digest is known."""
        blobs, stage, wanted = self._blobs, self._stage, self._wanted
        final = blobs.path(wanted.digest)
        async with blobs.lease([wanted.digest]), blobs.claim(wanted.digest, wanted.size, stage):
            if not await blobs.has(wanted.digest, wanted.size):
                async with Part(blobs.part(wanted.digest), "sha256") as part:
                    if resumed := await part.resume():
                        stage.note(f"resumed at {mebibytes(resumed)}")
                    await self._receive(part)
                    await part.commit(final)
            else:
                stage.note("already here")
        return final

    async def unnamed(self, lease: Lease | None) -> Path:
        """A file whose digest is what it turns out to be."""
        blobs = self._blobs
        path = blobs.unnamed()
        try:
            async with Part(path, "sha256") as part:
                digest = await self._receive(part)
                if lease is not None:
                    await lease.add(digest)
                await part.commit(blobs.path(digest))
        finally:
            path.unlink(missing_ok=True)
        return blobs.path(digest)

    async def _receive(self, part: Part) -> str:
        wanted = self._wanted
        if wanted.size is not None:
            await self._blobs.room_for(wanted.size - part.size)
        attempts = Attempts(self._wire.patience, wanted.what, wanted.host, self._stage)
        digest = await receive(self._open, wanted, part, attempts, self._limits, self._stage)
        self._stage.progress(part.size, part.size, "bytes")
        return digest

    @asynccontextmanager
    async def _open(self, start: int) -> AsyncIterator[Answer]:
        headers = {"range": f"bytes={start}-"} if start else {}
        if start and not self._wanted.digest:
            # the rest of another version must not be joined to the beginning of this one
            if self._version:
                headers["if-range"] = self._version
            else:
                headers = {}
        async with self._wire.open(self._url, headers=headers) as answer:
            if fault := answer.fault():
                raise fault
            if answer.status not in STREAM:
                raise refused(answer, self._url)
            if answer.status == 200:
                self._version = _strong(answer.headers.get("etag", ""))
            yield answer


def _strong(etag: str) -> str:
    """An entity tag that is good for ranges (RFC 9110, 13.1.5)."""
    return etag if etag.startswith('"') else ""
