"""Where Debian's packages come from: the host's own apt configuration, read and mapped to a suite.

Nothing here names a mirror. A host that is no Debian has none for us; mmdebstrap's built-in default
serves there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.errors import MissingTool, ToolFailed
from banger_tui.engine.process import run_tool

_COMPONENT = "main"
# security suites were called SUITE/updates up to buster
_RELEASES = frozenset(
    "buster bullseye bookworm trixie forky duke sid oldstable stable testing unstable".split()
)
_SUFFIXES = {"": "", "-updates": "-updates", "-security": "-security", "/updates": "-security"}


@dataclass(frozen=True, slots=True)
class Target:
    """One package index apt knows of (one stanza of ``apt-get indextargets``).

    ``origin`` and ``codename`` are empty while the index was never downloaded; ``list_file`` then
    doesn't exist. ``entry`` is FILE:NUMBER, a line of a .list file or a stanza of a .sources file.
    """

    uri: str
    suite: str
    component: str
    origin: str
    codename: str
    list_file: str
    entry: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Source:
    """One place of packages. ``signed_by`` is apt's own value: a path, or a key in armour."""

    uri: str
    suite: str
    signed_by: str = ""

    def deb822(self) -> str:
        """A stanza for a .sources file (sources.list(5))."""
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {self.suite}",
            f"Components: {_COMPONENT}",
        ]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class HostSources:
    """The host's Debian sources for one suite.

    ``listed``: the host's own package lists cover exactly these, so no update is needed.
    ``confirmed``: their release files said Origin: Debian; otherwise that is still to be checked.
    """

    sources: tuple[Source, ...]
    listed: bool
    confirmed: bool

    @property
    def text(self) -> str:
        return "\n".join(source.deb822() for source in self.sources)


async def probe(suite: str, architecture: str) -> HostSources | None:
    """The host's Debian sources, mapped to ``suite``; None when this host has none."""
    try:
        result = await run_tool(["apt-get", "indextargets"], capture=True)
    except (MissingTool, ToolFailed):
        return None
    targets = parse_targets(result.output)
    return await asyncio.to_thread(_derive, targets, suite, architecture)


def parse_targets(text: str) -> list[Target]:
    """Stanzas of ``apt-get indextargets``; those of package indexes only."""
    found: list[Target] = []
    for stanza in text.split("\n\n"):
        fields = {
            key.lower(): value.strip()
            for key, separator, value in (line.partition(":") for line in stanza.splitlines())
            if separator
        }
        if fields.get("created-by") != "Packages" or fields.get("target-of") != "deb":
            continue
        found.append(
            Target(
                uri=fields.get("repo-uri", ""),
                suite=fields.get("release", ""),
                component=fields.get("component", ""),
                origin=fields.get("origin", ""),
                codename=fields.get("codename", ""),
                list_file=fields.get("filename", ""),
                entry=fields.get("sourcesentry", ""),
                architecture=fields.get("architecture", ""),
            )
        )
    return found


def select(targets: Iterable[Target], architecture: str) -> list[Target]:
    """Debian's own main: anything that says another origin is left out, and so is backports."""
    return [
        target
        for target in targets
        if target.component == _COMPONENT
        and target.architecture == architecture
        and _suffix(target) is not None
        # An index that was never downloaded has no origin yet: go by the release's name for now.
        and (target.origin == "Debian" or (not target.origin and _base(target) in _RELEASES))
    ]


def map_sources(
    targets: Sequence[Target], suite: str, signed_by: Mapping[str, str]
) -> tuple[Source, ...]:
    """One source for each target, its release replaced by ``suite``, without repeats."""
    found: dict[tuple[str, str], Source] = {}
    for target in targets:
        suffix = _suffix(target)
        if suffix is None:
            continue
        source = Source(target.uri, suite + _SUFFIXES[suffix], signed_by.get(target.entry, ""))
        found.setdefault((source.uri, source.suite), source)
    return tuple(found.values())


def entry_options(text: str, deb822: bool) -> dict[int, str]:
    """``Signed-By`` of each entry of a sources file, by its number as apt counts them."""
    if not deb822:
        return {
            number: match[1]
            for number, line in enumerate(text.splitlines(), 1)
            if (match := re.match(r"deb\s+\[[^]]*\bsigned-by=([^\s\]]+)", line.strip()))
        }
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    stanzas = re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines).strip())
    return {
        number: match[1].strip()
        for number, stanza in enumerate(stanzas, 1)
        if (match := re.search(r"^Signed-By:((?:.*)(?:\n[ \t].*)*)", stanza, re.M | re.I))
    }


def _derive(targets: Sequence[Target], suite: str, architecture: str) -> HostSources | None:
    chosen = select(targets, architecture)
    if not chosen:
        return None
    signed_by: dict[str, str] = {}
    for file in {target.entry.rpartition(":")[0] for target in chosen}:
        try:
            text = Path(file).read_text(errors="replace")
        except OSError:
            continue
        for number, value in entry_options(text, file.endswith(".sources")).items():
            signed_by[f"{file}:{number}"] = value
    return HostSources(
        map_sources(chosen, suite, signed_by),
        # The name must be the suite's own: a host on "stable" becomes another release one day.
        listed=all(
            target.suite == suite + (_suffix(target) or "") and Path(target.list_file).exists()
            for target in chosen
        ),
        confirmed=all(target.origin for target in chosen),
    )


def _base(target: Target) -> str:
    return re.split("[-/]", target.suite)[0]


def _suffix(target: Target) -> str | None:
    """What follows the release's base name; None for suites we leave alone."""
    match = re.fullmatch(r"([a-z]+)(-updates|-security|/updates)?", target.suite)
    return None if match is None else match[2] or ""
