"""What a person is told when a registry says no."""

from __future__ import annotations

import json

from banger_tui.engine.errors import (
    BangerError,
    RegistryDenied,
    RegistryNotFound,
    RegistryUnreachable,
)
from banger_tui.engine.oci.hosts import DOCKER_HUB
from banger_tui.engine.oci.retries import Fault
from banger_tui.engine.oci.wire import Answer

_MOST_BYTES = 16 << 10


def printable(text: str, most: int = 200) -> str:
    """A stranger's text on one line of a terminal: without controls, not too long."""
    line = " ".join(text.split())
    line = "".join(c if c.isprintable() else "·" for c in line)
    return line if len(line) <= most else f"{line[: most - 1]}…"


async def refusal(answer: Answer, what: str, registry: str, remark: str = "") -> BangerError:
    """The error for an answer that is no success and will not be one later.

    Args:
        what: what was asked for, for people ("alpine:3.20").
        registry: as in a reference.
        remark: what is known of the credentials.
    """
    said = await _message(answer)
    told = f"{answer.host} answers {answer.status}" + (f": {said}" if said else "")
    match answer.status:
        case 401 | 403:
            return denied(what, registry, f"{told}.", remark)
        case 404 | 410:
            return RegistryNotFound(
                f"{registry} has no {what}", f"{told}.", "Check the name, the tag and the platform."
            )
    return RegistryUnreachable(f"Can't get {what} from {registry}", f"{told}.")


def denied(what: str, registry: str, why: str, remark: str = "") -> RegistryDenied:
    host = "" if registry == DOCKER_HUB else f" {registry}"
    return RegistryDenied(
        f"{registry} denies access to {what}",
        " ".join(filter(None, (why, remark))),
        f"Check the name; if it is private: docker login{host}   (or: podman login)",
    )


async def _message(answer: Answer) -> str:
    """What the registry says about it (distribution specification, error codes)."""
    try:
        document = json.loads((await answer.body(_MOST_BYTES)).decode())
        first = document["errors"][0]
        return printable(str(first.get("message") or first.get("code") or ""))
    except (Fault, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""
