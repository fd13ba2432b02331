"""References to images in registries, in Docker's grammar.

::

    reference  [host[:port]/]path[:tag][@digest]
    host       a name, an IPv4 address, or an IPv6 address in brackets
    path       components of lower-case letters and digits, joined by "/"
    digest     algorithm:hex

The first component is a host if it has a dot, a colon or an upper-case letter, or is "localhost";
otherwise the host is docker.io, where a path of one component lies below "library". Source: package
reference of https://github.com/distribution/reference (regexp.go, normalize.go).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.oci.digests import is_digest
from banger_tui.engine.oci.hosts import DOCKER_HUB, wire_host

_OFFICIAL = "library/"
_LEGACY_HUB = "index.docker.io"
_LATEST = "latest"
_MOST_PATH = 255  # RepositoryNameTotalLengthMax

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<host>{_HOST}(?::[0-9]+)?)"
    rf"/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z0-9_+.:-]+))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_EXAMPLES = "For example: alpine:3.20, ghcr.io/org/image@sha256:…, localhost:5000/name"


@dataclass(frozen=True, slots=True)
class Reference:
    """An image in a registry: ``tag`` or ``digest`` or both are there ("" if not). With both, the
    digest counts."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """ "docker.io/library/alpine"."""
        return f"{self.registry}/{self.repository}"

    @property
    def canonical(self) -> str:
        """Everything said: "docker.io/library/alpine:3.20"."""
        return self.name + self._ending

    @property
    def familiar(self) -> str:
        """As Docker shows it: "alpine:3.20". Parses to the same reference again."""
        return self.familiar_name + self._ending

    @property
    def familiar_name(self) -> str:
        """ "alpine"."""
        if self.registry != DOCKER_HUB:
            return self.name
        path = self.repository.removeprefix(_OFFICIAL)
        if "/" in path:
            path = self.repository
        # docker.io/x.y/z is not x.y/z: what would be read as a host keeps docker.io before it
        if "/" in path and _is_host(path.partition("/")[0]):
            return self.name
        return path

    @property
    def host(self) -> str:
        """host[:port] to connect to."""
        return wire_host(self.registry)

    @property
    def wanted(self) -> str:
        """What a registry is asked for: the digest, or else the tag."""
        return self.digest or self.tag

    def pinned(self, digest: str) -> Reference:
        """The same repository by digest alone."""
        return replace(self, tag="", digest=digest)

    @property
    def _ending(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.canonical


def parse(text: str) -> Reference:
    """A reference as a person writes it; without tag and digest the tag is "latest".

    Raises:
        InvalidInput: it is none.
    """
    if _IDENTIFIER.fullmatch(text):
        raise _invalid(text, "64 hex digits alone could be an image's id.")
    registry, rest = _split(text)
    path = re.split("[:@]", rest, maxsplit=1)[0]
    if path != path.lower():
        raise _invalid(text, f"{path[:80]!r} must be in lower case.")
    match = _REFERENCE.fullmatch(f"{registry}/{rest}")
    if match is None:
        raise _invalid(text, "")
    if len(path) > _MOST_PATH:
        raise _invalid(text, f"Its path has {len(path)} characters, {_MOST_PATH} are allowed.")
    digest = match["digest"] or ""
    if digest and not is_digest(digest):
        raise _invalid(text, "Its digest must be sha256: and 64 hex digits in lower case.")
    _check_host(text, registry)
    tag = match["tag"] or ("" if digest else _LATEST)
    return Reference(registry, match["path"], tag, digest)


def _split(text: str) -> tuple[str, str]:
    """The registry, and what comes after it."""
    first, slash, rest = text.partition("/")
    if not slash:
        return DOCKER_HUB, _OFFICIAL + text
    if first == _LEGACY_HUB:
        registry = DOCKER_HUB
    elif _is_host(first):
        registry = first
    else:
        registry, rest = DOCKER_HUB, text
    if registry == DOCKER_HUB and "/" not in rest:
        rest = _OFFICIAL + rest
    return registry, rest


def _is_host(first: str) -> bool:
    return first == "localhost" or any(c in ".:" for c in first) or first != first.lower()


def _check_host(text: str, registry: str) -> None:
    """What the grammar lets pass and no connection can be made to."""
    host, colon, port = (
        registry.rpartition(":") if not registry.endswith("]") else (registry, "", "")
    )
    if not colon:
        host = registry
    elif len(port) > 5 or not 0 < int(port) < 1 << 16:
        raise _invalid(text, f"{port[:20]} is no port.")
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise _invalid(text, f"{host} is no IPv6 address.") from None


def _invalid(text: str, why: str) -> InvalidInput:
    shown = repr(text if len(text) <= 100 else f"{text[:99]}…")
    return InvalidInput(f"{shown} is no image reference", why, _EXAMPLES)
