"""What a registry answers 401 with: the WWW-Authenticate header (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # the grammar's word, no secret
_PARAMETER = re.compile(
    rf"""\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?:,|$)""", re.DOTALL
)
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?:[ \t]+|\s*(?:,|$))")
_MOST_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Challenge:
    """``scheme`` and the names of ``parameters`` are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(headers: Iterable[str]) -> list[Challenge]:
    """The challenges in the values of all WWW-Authenticate headers of an answer.

    What can't be understood ends its header; what came before it counts.
    """
    return [challenge for header in headers for challenge in _header(header[:_MOST_BYTES])]


def _header(text: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while match := _SCHEME.match(text, position):
        position = match.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(text, position):
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        found.append(Challenge(match[1].lower(), parameters))
    return found
