"""What one case is: layers, and the tree or the refusal they must end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from banger_tui.engine.errors import BadContent, BangerError, LimitExceeded
from banger_tui.engine.layers.tree import Kind
from banger_tui.engine.limits import Limits

SECOND = 1_000_000_000
MTIME = 1_600_000_000
"""Of everything the tar writer makes unless told otherwise: seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of the expected tree and the inode behind it.

    ``data``: the bytes of a file, holes as zeros. ``same_as``: set for every name of an inode but
    its first in the order of ``tree.walk``; it is that first name.
    """

    kind: Kind = Kind.FILE
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime_ns: int = MTIME * SECOND
    data: bytes = b""
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[bytes, bytes] = field(default_factory=dict)
    same_as: bytes | None = None


ROOT = Entry(Kind.DIRECTORY, 0o755, mtime_ns=0)
"""The root when no layer says anything of it."""
IMPLIED = ROOT
"""A directory that only the names below it speak of."""
DIRECTORY = Entry(Kind.DIRECTORY, 0o755)
"""As the tar writer makes them."""


def link_to(target: bytes) -> Entry:
    """A symbolic link as the tar writer makes them."""
    return Entry(Kind.SYMLINK, 0o777, target=target)


@dataclass(frozen=True, slots=True)
class ErrorExpectation:
    """The refusal: exactly this class or one below it, and words its text must have."""

    error: type[BangerError] = BadContent
    words: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Layers, lowest first, and what they must come to.

    ``expected``: by path without a leading slash; ``b""`` is the root, there in every tree.
    ``parts``: each layer's bytes, or a function that makes them (large ones).
    """

    name: str
    parts: Sequence[bytes | Callable[[], bytes]]
    expected: Mapping[bytes, Entry] | ErrorExpectation
    limits: Limits = field(default_factory=Limits)

    def layers(self) -> list[bytes]:
        """Uncompressed tar archives."""
        return [part if isinstance(part, bytes) else part() for part in self.parts]

    @property
    def is_refused(self) -> bool:
        return isinstance(self.expected, ErrorExpectation)


def refused(name: str, words: str, *layers: bytes) -> Case:
    """Layers that are broken or hostile."""
    return Case(name, layers, ErrorExpectation(BadContent, words))


def too_large(name: str, limit: str, limits: Limits, *layers: bytes) -> Case:
    """Layers beyond the limit of that name."""
    return Case(name, layers, ErrorExpectation(LimitExceeded, limit), limits)


def tree(entries: Mapping[bytes, Entry]) -> dict[bytes, Entry]:
    """``entries`` with the root every tree has."""
    return {b"": ROOT, **entries}
