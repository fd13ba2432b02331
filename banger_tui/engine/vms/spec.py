"""What a person may ask for: names, sizes, and whether the host can carry it."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Container

from banger_tui.engine.errors import InvalidInput, InvalidName, InvalidSize, NotEnoughMemory
from banger_tui.engine.model import GIB, MIB, VmSpec

# RFC 1123 section 2.1: letters, digits and inner hyphens, at most 63
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": MIB, "g": GIB, "t": 1 << 40}

MIN_MEMORY_MIB = 96
MIN_DISK = 64 * MIB
MAX_DISK = 16 << 40

_ADJECTIVES = (
    "able bold brave bright brisk calm clear clever cool crisp eager early fair fast fine "
    "fond free fresh gentle glad grand happy keen kind light lively lucky merry mild neat "
    "nimble noble plain proud pure quick quiet rapid ready royal sharp silent smart smooth "
    "snug solid spry steady still sunny swift tidy warm wise young zesty"
).split()
_ANIMALS = (
    "ant bat bear bee bird boar bull carp cat clam cod colt crab crow deer dove duck eagle "
    "eel elk finch fish fox frog goat goose gull hare hawk hen heron ibis jay kite lark lion "
    "lynx mink mole moose moth mouse newt orca otter owl ox panda pike pony puma quail ram "
    "raven robin seal shark sheep shrew snail snake stork swan swift tern tiger toad trout "
    "tuna vole wasp whale wolf wren yak zebra"
).split()


def validate_name(name: str) -> str:
    """The name itself when it is a DNS label.

    Raises:
        InvalidName
    """
    if not _LABEL.fullmatch(name):
        raise InvalidName(
            f"{name!r} is no name for a VM",
            "A name is 1 to 63 lower-case letters, digits and inner hyphens (a DNS label).",
            f"For example: {suggestion(name)}",
        )
    return name


def suggestion(name: str) -> str:
    """The nearest legal name to what was typed."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[:63].strip("-")
    return plain or "quiet-fox"


def made_up_name(taken: Container[str], choose: random.Random | None = None) -> str:
    """A free name like ``quiet-fox``; with a number where the pairs run out."""
    dice = choose or random.SystemRandom()
    for attempt in range(2000):
        name = f"{dice.choice(_ADJECTIVES)}-{dice.choice(_ANIMALS)}"
        if attempt >= 100:
            name += f"-{dice.randrange(2, 10_000)}"
        if name not in taken:
            return name
    raise InvalidName("No free name was found", "", "Choose one yourself: --name NAME")


def parse_size(text: str) -> int:
    """Bytes of a size as people write it: ``512M``, ``2G``, ``8GiB``, ``1.5g``; binary units.

    Raises:
        InvalidSize
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidSize(
            f"{text!r} is no size",
            "A size is a number with K, M, G or T, in powers of 1,024.",
            "For example: 512M or 8G",
        )
    size = round(float(match[1]) * _UNITS[match[2].lower()])
    if not 0 < size <= MAX_DISK:
        raise InvalidSize(f"{text!r} is out of range", "It must be above 0 and at most 16T.")
    return size


def memory_total() -> int:
    """The host's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def validate(spec: VmSpec, max_cpus: int = 64) -> VmSpec:
    """The spec itself when every part of it makes sense on this host.

    Raises:
        InvalidName, InvalidSize, InvalidInput, NotEnoughMemory
    """
    if spec.name is not None:
        validate_name(spec.name)
    if not spec.image.strip():
        raise InvalidInput("No image is named", "", "See what there is: banger-tui image catalog")
    if not 1 <= spec.cpus <= max_cpus:
        raise InvalidInput(
            f"{spec.cpus} cpus is out of range", f"A VM has 1 to {max_cpus}.", "Try --cpus 1"
        )
    if spec.memory_mib < MIN_MEMORY_MIB:
        raise InvalidSize(
            f"{spec.memory_mib} MiB of memory is too little",
            f"A Linux guest needs at least {MIN_MEMORY_MIB} MiB.",
            "Try --memory 256M",
        )
    if spec.memory_mib * MIB > memory_total():
        raise NotEnoughMemory(
            f"{spec.memory_mib} MiB of memory is more than this host has",
            f"It has {memory_total() // MIB} MiB in all.",
            "Ask for less: --memory 512M",
        )
    if spec.disk_bytes is not None and spec.disk_bytes < MIN_DISK:
        raise InvalidSize(
            "That disk is too small", f"A disk has at least {MIN_DISK // MIB} MiB.", "Try --disk 8G"
        )
    return spec
