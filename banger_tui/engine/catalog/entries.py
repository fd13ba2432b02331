"""What a catalog can name: images and kernels, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DebianSource:
    """A root filesystem made of Debian packages.

    ``hooks``: shell commands, run in it one after the other when all are installed.
    """

    suite: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KitSource:
    """A root filesystem with the guest kit and nothing else; ``suite`` is where the kit is from."""

    suite: str


@dataclass(frozen=True, slots=True)
class BundleSource:
    """One file with a finished root filesystem: an https URL (or a local file's absolute path),
    its SHA-256 in 64 hex digits ("" for a local file: not known before), its size in bytes."""

    location: str
    sha256: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ArtifactSource:
    """A bundle as an OCI artifact in a registry; ``reference`` is pinned by digest in a catalog."""

    reference: str


@dataclass(frozen=True, slots=True)
class OciSource:
    """A container image in a registry, as a person would write it ("alpine:3.20")."""

    reference: str


ImageSource = DebianSource | KitSource | BundleSource | ArtifactSource | OciSource


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """An image that can be made.

    Args:
        kernel: by name; "" where a bundle brings its own or names one.
        init: what is PID 1, absolute; "" is found out from what is in the image.
        disk_bytes: its disk's size; 0: as large as the content asks for.
        download_bytes: about how much is moved, for people; 0: unknown.
        catalog: where the entry stands: "" for the embedded catalog, else the user's location.
    """

    name: str
    description: str
    source: ImageSource
    kernel: str
    init: str = ""
    disk_bytes: int = 0
    download_bytes: int = 0
    catalog: str = ""


@dataclass(frozen=True, slots=True)
class KernelEntry:
    """A kernel that can be had: Debian's ``package`` (a metapackage will do) of ``suite``;
    ``catalog`` as of ``ImageEntry``."""

    name: str
    description: str
    suite: str
    package: str
    catalog: str = ""
