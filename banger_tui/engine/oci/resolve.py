"""From a reference to the manifest and the config of an image, each verified before it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from banger_tui.engine.errors import (
    BadContent,
    DigestMismatch,
    LimitExceeded,
    RegistryNotFound,
)
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci import image_config, manifest
from banger_tui.engine.oci.digests import digest_of, is_digest, short, split
from banger_tui.engine.oci.image_config import ImageConfig
from banger_tui.engine.oci.manifest import Descriptor, Index, Manifest
from banger_tui.engine.oci.platforms import Platform, best
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.retries import Fault
from banger_tui.engine.oci.session import Session
from banger_tui.engine.progress import Stage

_DEEPEST_INDEX = 4


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a reference stands for now.

    Args:
        reference: pinned by the manifest's digest.
        named: digest of what the tag names: the manifest's, or that of an index it is in.
        descriptor: of the manifest.
        config: of a container image; None of an artifact (see ``config_bytes``).
        platform: "linux/amd64"; "" of an artifact that doesn't say.
        annotations: of index, its entry and manifest; the more special win.
    """

    reference: Reference
    named: str
    descriptor: Descriptor
    manifest: Manifest
    config_bytes: bytes
    config: ImageConfig | None
    platform: str
    annotations: Mapping[str, str]

    @property
    def image(self) -> ImageConfig:
        """Raises: BadContent: it is no container image."""
        if self.config is None:
            raise BadContent(
                f"{self.reference.familiar} is no container image",
                f"It is an artifact of type {self.manifest.artifact_type[:100]}.",
            )
        return self.config

    @property
    def digests(self) -> tuple[str, ...]:
        """Of the layers, each once: what a lease is taken on."""
        return tuple(dict.fromkeys(layer.digest for layer in self.manifest.layers))


@dataclass(frozen=True, slots=True)
class _Document:
    data: bytes
    descriptor: Descriptor


async def resolve(
    session: Session, reference: Reference, wanted: Platform, limits: Limits, stage: Stage | None
) -> Resolved:
    """Follow a reference to an image for a platform, or to an artifact.

    Raises:
        RegistryFailure
        RegistryNotFound: also when there is none for the platform; it lists those there are.
        BadContent, DigestMismatch, LimitExceeded
    """
    resolver = _Resolver(session, reference, limits, stage)
    what = reference.familiar
    document = await resolver.document(None)
    named = document.descriptor.digest
    annotations: dict[str, str] = {}
    chosen: Platform | None = None
    for _ in range(_DEEPEST_INDEX):
        parsed = await asyncio.to_thread(
            manifest.parse, document.data, document.descriptor.media_type, what, limits
        )
        annotations |= parsed.annotations
        if isinstance(parsed, Manifest):
            break
        entry = _choose(parsed, wanted, what)
        annotations |= entry.annotations
        chosen = entry.platform or chosen
        document = await resolver.document(entry)
    else:
        raise BadContent(f"{what} is an index of indexes", f"Over {_DEEPEST_INDEX} deep.")
    config_bytes = await resolver.small_blob(parsed.config)
    config = None
    if not parsed.artifact_type:
        config = await asyncio.to_thread(image_config.parse, config_bytes, what, len(parsed.layers))
        if chosen is None:
            chosen = config.platform
            if best(wanted, [chosen]) is None:
                raise _not_for(wanted, (str(chosen),), what)
    return Resolved(
        reference.pinned(document.descriptor.digest), named, document.descriptor, parsed,
        config_bytes, config, str(chosen or ""), annotations,
    )  # fmt: skip


def _choose(index: Index, wanted: Platform, what: str) -> Descriptor:
    entry = index.choose(wanted)
    if entry is None:
        raise _not_for(wanted, index.platforms, what)
    return entry


def _not_for(wanted: Platform, there: tuple[str, ...], what: str) -> RegistryNotFound:
    listed = ", ".join(there[:12]) + (", …" if len(there) > 12 else "")
    return RegistryNotFound(
        f"{what} is not made for {wanted}",
        f"It is there for {listed}." if there else "It has no image at all.",
        f"For its files alone: --plain --platform {there[0]}" if there else "",
    )


@dataclass(frozen=True, slots=True)
class _Resolver:
    session: Session
    reference: Reference
    limits: Limits
    stage: Stage | None

    async def document(self, entry: Descriptor | None) -> _Document:
        """An index or manifest: what the reference names, or an index's entry."""
        wanted = entry.digest if entry else self.reference.digest
        path = f"manifests/{wanted or self.reference.tag}"
        accept = {"accept": ", ".join(manifest.ACCEPTED)}
        most = entry.size if entry else self.limits.max_manifest_bytes
        data, headers = await self._verified(path, wanted, most, accept, entry)
        digest = wanted or digest_of(data)
        said = headers.get("docker-content-digest", "")
        if is_digest(said) and split(said)[0] == split(digest)[0] and said != digest:
            raise self._mismatch("its manifest", digest, said)
        media_type = entry.media_type if entry else headers.get("content-type", "")
        return _Document(data, Descriptor(media_type, digest, len(data)))

    async def small_blob(self, descriptor: Descriptor) -> bytes:
        """A config."""
        path = f"blobs/{descriptor.digest}"
        data, _ = await self._verified(path, descriptor.digest, descriptor.size, {}, descriptor)
        return data

    async def _verified(
        self, path: str, digest: str, most: int, headers: Mapping[str, str],
        descriptor: Descriptor | None,
    ) -> tuple[bytes, Mapping[str, str]]:  # fmt: skip
        """Body and headers; what has another digest or size is asked for once more."""
        attempts = self.session.attempts(self.reference.familiar, self.reference, self.stage)
        what = f"{short(digest)} of {self.reference.familiar}" if descriptor else ""
        again = False
        while True:
            try:
                async with self.session.open(
                    self.reference, path, headers=headers, what=what
                ) as answer:
                    data = await answer.body(most)
            except Fault as fault:
                await attempts.failed(fault)
                continue
            if len(data) > most and descriptor is None:
                raise LimitExceeded(
                    f"The manifest of {self.reference.familiar} is too large",
                    f"max_manifest_bytes allows {most:,} bytes.",
                    "Raise max_manifest_bytes below [limits] in config.toml if you trust it.",
                )
            problem = self._problem(data, digest, descriptor)
            if problem is None:
                return data, answer.headers
            if again:
                raise problem
            again = True

    def _problem(
        self, data: bytes, digest: str, descriptor: Descriptor | None
    ) -> DigestMismatch | None:
        if descriptor is not None and len(data) != descriptor.size:
            more = "more than " if len(data) > descriptor.size else ""
            return DigestMismatch(
                f"A part of {self.reference.familiar} has another size than announced",
                f"{short(digest)} has {more}{min(len(data), descriptor.size):,} bytes, not "
                f"{descriptor.size:,}.",
            )
        found = digest_of(data, split(digest)[0]) if digest else ""
        if found != digest:
            return self._mismatch("what it sends", digest, found)
        return None

    def _mismatch(self, part: str, wanted: str, found: str) -> DigestMismatch:
        return DigestMismatch(
            f"{self.reference.registry} sends something else than {self.reference.familiar}",
            f"The digest of {part} is {found}, not {wanted}.",
            "What the registry sends is damaged or was tampered with. Nothing was kept.",
        )
