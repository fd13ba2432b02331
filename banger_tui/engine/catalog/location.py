"""What names a place on the web or in a registry, by its looks alone."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

# A light check: whoever pulls parses it strictly. Names as Docker's reference grammar has them.
_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::[0-9]{1,5})?/|\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?"
    r"(?P<digest>@sha256:[0-9a-f]{64})?"
)


def is_reference(text: str, *, pinned: bool = False) -> bool:
    """Whether it looks like a reference to a registry; ``pinned``: by digest."""
    match = _REFERENCE.fullmatch(text) if len(text) <= 512 else None
    return match is not None and (not pinned or match["digest"] is not None)


def is_url(text: str) -> bool:
    """Whether it is an https URL without a user in it; on loopback http will do."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
