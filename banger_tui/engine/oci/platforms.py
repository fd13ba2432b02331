"""Which of an image's variants is for which machine (OCI image-index.md; Go's GOOS and GOARCH)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from banger_tui.engine.errors import InvalidInput

_ARCHITECTURES = {
    "x86_64": ("amd64", ""), "x86-64": ("amd64", ""), "aarch64": ("arm64", ""),
    "i386": ("386", ""), "i686": ("386", ""), "armhf": ("arm", "v7"), "armel": ("arm", "v6"),
}  # fmt: skip
# the variant that a name without one stands for
_PLAIN = {"amd64": "v1", "arm64": "v8", "arm": "v7"}
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_LOWEST_ARM = 5


@dataclass(frozen=True, slots=True)
class Platform:
    """``variant``: "v7", …; "" where it goes without saying."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def normal(os: str, architecture: str, variant: str = "") -> Platform:
    """The platform by the names that everybody uses."""
    architecture = architecture.lower()
    architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
    variant = (variant or implied).lower()
    if variant and variant[0].isdigit():
        variant = f"v{variant}"
    if variant == _PLAIN.get(architecture):
        variant = ""
    return Platform(os.lower(), architecture, variant)


def parse_platform(text: str) -> Platform:
    """ "linux/arm64", "linux/arm/v6".

    Raises:
        InvalidInput: it is none.
    """
    parts = text.lower().split("/")
    if len(parts) not in (2, 3) or not all(map(_WORD.fullmatch, parts)):
        raise InvalidInput(
            f"{text[:80]!r} is no platform", "", "It is OS/ARCHITECTURE: linux/amd64, linux/arm64"
        )
    return normal(*parts)


def acceptable(wanted: Platform) -> tuple[Platform, ...]:
    """What runs on the wanted platform, best first: older variants will do, newer ones won't."""
    number = _number(wanted)
    match wanted.architecture:
        case "arm":
            lowest = _LOWEST_ARM
        case "amd64" | "arm64":
            lowest = int(_PLAIN[wanted.architecture][1:])
        case _:
            return (wanted,)
    if number is None:
        return (wanted,)
    fitting = range(number, lowest - 1, -1)
    return tuple(normal(wanted.os, wanted.architecture, f"v{n}") for n in fitting) or (wanted,)


def best(wanted: Platform, offered: Sequence[Platform | None]) -> int | None:
    """Index of the one to take; of several alike the first. One that doesn't say its platform is
    taken when no other fits."""
    for platform in acceptable(wanted):
        if platform in offered:
            return offered.index(platform)
    return offered.index(None) if None in offered else None


def _number(platform: Platform) -> int | None:
    variant = platform.variant or _PLAIN.get(platform.architecture, "")
    digits = variant.removeprefix("v")
    return int(digits) if digits.isdecimal() and len(digits) < 3 else None
