"""What a catalog can name: images and kernels, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DebianSource:
    """A root filesystem made of Debian packages."""

    suite: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KitSource:
    """A root filesystem with the guest kit and nothing else; ``suite`` is where the kit is from."""

    suite: str


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """An image that can be built. ``disk_bytes``: its disk's size; ``init``: what is PID 1."""

    name: str
    description: str
    source: DebianSource | KitSource
    kernel: str
    init: str
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class KernelEntry:
    """A kernel that can be had: Debian's ``package`` (a metapackage will do) of ``suite``."""

    name: str
    description: str
    suite: str
    package: str
