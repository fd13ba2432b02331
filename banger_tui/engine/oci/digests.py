"""Content digests: ``sha256:9c2a…`` (OCI image specification, descriptor.md#digests)."""

from __future__ import annotations

import hashlib
import re
from typing import Protocol

#: Hex digits of each algorithm that is understood.
LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}

_DIGEST = re.compile(r"([a-z0-9]+):([0-9a-f]+)")


class Hash(Protocol):
    """A running hash of ``hashlib``."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


def is_digest(text: str) -> bool:
    """Whether it is a whole digest of an algorithm that is understood, in lower case."""
    match = _DIGEST.fullmatch(text)
    return match is not None and LENGTHS.get(match[1]) == len(match[2])


def split(digest: str) -> tuple[str, str]:
    """Algorithm and hex digits of what ``is_digest``."""
    algorithm, _, digits = digest.partition(":")
    return algorithm, digits


def short(digest: str) -> str:
    """For people: "sha256:9c2ab1…"."""
    algorithm, digits = split(digest)
    return f"{algorithm}:{digits[:6]}…"


def new_hash(algorithm: str) -> Hash:
    return hashlib.new(algorithm)


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
