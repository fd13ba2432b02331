"""URLs for people, and what is said when one can't be had."""

from __future__ import annotations

from urllib.parse import urlsplit

from banger_tui.engine.errors import RegistryNotFound, RegistryUnreachable
from banger_tui.engine.oci.refusals import printable
from banger_tui.engine.oci.wire import Answer

_MISSING = (404, 410)


def shown(url: str) -> str:
    """Without a password or a signature that may be in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "this URL"
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def file_name(url: str) -> str:
    """The last component of its path."""
    return shown(url).rpartition("/")[2] or shown(url)


def host_name(url: str) -> str:
    """host[:port]."""
    return shown(url).partition("://")[2].partition("/")[0] or shown(url)


def refused(answer: Answer, url: str) -> RegistryNotFound | RegistryUnreachable:
    """The error for an answer without the file."""
    told = f"{answer.host} answers {answer.status}."
    if answer.status in _MISSING:
        return RegistryNotFound(f"There is nothing at {shown(url)}", told, "Check the address.")
    return RegistryUnreachable(f"Can't get {shown(url)}", told, "Check the address.")
