"""Rows of the lists of images and kernels, and of what the catalogs offer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from banger_tui.engine.model import (
    ImageRecord,
    KernelRecord,
    OperationState,
    OperationView,
    VmRecord,
)
from banger_tui.widgets import units
from banger_tui.widgets.states import Look

HERE = Look("●", "good", "here")
COMING = Look("◐", "busy", "on its way")
FAILED = Look("✗", "bad", "failed")
AWAY = Look("○", "off", "not here")

#: Kinds of operations that make an image, or a kernel, of the name that they work on.
MAKES_IMAGE = frozenset(("pull image", "register", "promote", "build"))
MAKES_KERNEL = frozenset(("pull kernel", "import kernel"))
#: Kinds that read one.
READS_IMAGE = frozenset(("export", "push"))

#: Where something is from, in a word, by what stands before the colon in a record's ``source``.
_KINDS = {"oci": "container", "vm": "machine"}


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image that is here, or just being made. ``users``: names of the VMs that stand on it."""

    name: str
    look: Look
    kind: str = ""
    size_bytes: int | None = None
    users: tuple[str, ...] = ()
    made: float | None = None
    kernel: str = ""
    operation: OperationView | None = None

    @property
    def key(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        return f"{self.name} {self.kind}".lower()


@dataclass(frozen=True, slots=True)
class KernelRow:
    """A kernel that is here, or just being made. ``users``: names of VMs and images."""

    name: str
    look: Look
    version: str = ""
    kind: str = ""
    size_bytes: int | None = None
    users: tuple[str, ...] = ()
    made: float | None = None
    operation: OperationView | None = None

    @property
    def key(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        return f"{self.name} {self.version} {self.kind}".lower()


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """What a catalog offers; sizes are 0 where nobody knows.

    Args:
        here: whether there is one of that name here.
        source: where it comes from, for people.
        catalog: which one offers it; "" for the one that is built in.
    """

    name: str
    look: Look
    kind: str
    description: str
    here: bool = False
    source: str = ""
    download_bytes: int = 0
    disk_bytes: int = 0
    kernel: str = ""
    catalog: str = ""
    operation: OperationView | None = None

    @property
    def key(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        return f"{self.name} {self.kind} {self.description} {self.source}".lower()


def kind(source: str) -> str:
    """``oci: docker.io/library/alpine`` → ``container``"""
    word = units.plain(source.partition(":")[0].strip(), 20)
    return _KINDS.get(word, word)


def image_row(
    image: ImageRecord, users: Sequence[str], operation: OperationView | None
) -> ImageRow:
    """The row of an image; ``operation`` is what is done with it just now."""
    return ImageRow(
        name=image.name,
        look=HERE,
        kind=kind(image.source),
        size_bytes=image.size_bytes,
        users=tuple(users),
        made=image.created_at,
        kernel=image.kernel if image.bootable else "none: plain",
        operation=operation,
    )


def kernel_row(
    kernel: KernelRecord, users: Sequence[str], operation: OperationView | None
) -> KernelRow:
    """The row of a kernel."""
    return KernelRow(
        name=kernel.name,
        look=HERE,
        version=kernel.version,
        kind=kind(kernel.source),
        size_bytes=kernel.size_bytes,
        users=tuple(users),
        made=kernel.created_at,
        operation=operation,
    )


def look(operation: OperationView | None, *, here: bool) -> Look:
    """How something looks that ``operation`` makes."""
    if operation is None:
        return HERE if here else AWAY
    return FAILED if operation.state is OperationState.FAILED else COMING


def by_subject(
    operations: Iterable[OperationView], kinds: frozenset[str]
) -> dict[str, OperationView]:
    """The operations of these kinds by the name that they work on; of several the last."""
    return {o.subject: o for o in operations if o.kind in kinds and o.subject}


def users_of_images(vms: Iterable[VmRecord]) -> dict[str, list[str]]:
    """Names of VMs by the image that their disks stand on."""
    found: dict[str, list[str]] = {}
    for vm in vms:
        found.setdefault(vm.image, []).append(vm.name)
    return {image: sorted(names) for image, names in found.items()}


def users_of_kernels(
    vms: Iterable[VmRecord], images: Iterable[ImageRecord]
) -> dict[str, list[str]]:
    """``VM quiet-fox``, ``image alpine``: what boots with a kernel, by its name."""
    found: dict[str, list[str]] = {}
    for vm in vms:
        found.setdefault(vm.kernel, []).append(f"VM {vm.name}")
    for image in images:
        if image.kernel:
            found.setdefault(image.kernel, []).append(f"image {image.name}")
    return {kernel: sorted(names) for kernel, names in found.items()}


def named(names: Sequence[str], most: int = 6) -> str:
    """``a, b and 3 more``"""
    shown, more = ", ".join(names[:most]), len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown
