"""apt, made to use only Debian's own sources and to leave the host's state alone.

The host's package lists are read where they fit; otherwise a private root below the cache gets its
own. The rest of the host's apt configuration (proxies, credentials) stays in force.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from banger_tui.engine.debian.sources import HostSources, Source, parse_targets, select
from banger_tui.engine.errors import BangerError, ToolFailed
from banger_tui.engine.process import run_tool
from banger_tui.engine.progress import Stage

_LOCK_TRIES = 120
_URI_LINE = re.compile(r"'(?P<uri>\S+)' (?P<file>\S+) (?P<size>\d+)")


@dataclass(frozen=True, slots=True)
class Package:
    """One package as apt would download it. ``size`` is the archive's size in bytes."""

    name: str
    version: str
    size: int

    @property
    def spec(self) -> str:
        return f"{self.name}={self.version}"


@dataclass(frozen=True, slots=True)
class Apt:
    """How to call apt for one suite. ``root`` is private to it; ``lists`` may be the host's."""

    root: Path
    architecture: str
    lists: Path | None
    """None: the host's own lists."""

    @property
    def options(self) -> tuple[str, ...]:
        settings = {
            "Dir::Etc::sourcelist": str(self.root / "debian.sources"),
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": "-",
            # With nothing installed, apt names every dependency, whatever the host has.
            "Dir::State::status": str(self.root / "status"),
            "Dir::Cache": str(self.root / "cache"),
            # Two of us may run at once; the cache file is the one thing they would both write.
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "APT::Architecture": self.architecture,
            "APT::Install-Recommends": "false",
            # Its usual user can't enter our private directories.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        if self.lists is not None:
            settings["Dir::State::lists"] = str(self.lists)
        return tuple(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))

    async def resolve(self, names: list[str]) -> tuple[Package, ...]:
        """The packages and all they depend on, at the versions apt would install.

        Raises:
            ToolFailed: one of them isn't known or can't be had.
        """
        result = await run_tool(
            ["apt-get", *self.options, "-qq", "--print-uris", "install", *names],
            capture=True,
            title=f"apt knows no way to {', '.join(names)}",
        )
        return parse_uris(result.output)

    async def update(self, stage: Stage) -> None:
        """Fetch the private lists; waits when another process is at it."""
        assert self.lists is not None
        await asyncio.to_thread((self.lists / "partial").mkdir, parents=True, exist_ok=True)
        for attempt in range(_LOCK_TRIES):
            try:
                await run_tool(
                    ["apt-get", *self.options, "-q", "update"],
                    on_line=stage.note,
                    log=stage.log,
                    title="Can't get Debian's package lists",
                )
                return
            except ToolFailed as error:
                if "Could not get lock" not in error.tail or attempt == _LOCK_TRIES - 1:
                    error.hint = "Check the network and the host's apt sources, then try again."
                    raise
            await asyncio.sleep(0.5)


def parse_uris(text: str) -> tuple[Package, ...]:
    """Lines of ``apt-get --print-uris``: ``'URI' NAME_VERSION_ARCH.deb SIZE HASH``."""
    found: list[Package] = []
    for line in text.splitlines():
        if match := _URI_LINE.match(line):
            name, _, rest = unquote(match["file"]).removesuffix(".deb").partition("_")
            found.append(Package(name, rest.rpartition("_")[0], int(match["size"])))
    return tuple(found)


async def prepare(host: HostSources, architecture: str, base: Path, stage: Stage) -> Apt:
    """An Apt for these sources, its lists present. ``base`` is the directory for private roots.

    Raises:
        BangerError: the lists can't be fetched, or none of the sources turned out to be Debian's.
    """
    apt = await asyncio.to_thread(_make_root, host.sources, architecture, base)
    if host.listed and host.confirmed:
        return apt
    return await refreshed(apt, host, stage)


async def refreshed(apt: Apt, host: HostSources, stage: Stage) -> Apt:
    """The same with private lists, fetched now: for lists that are missing or out of date."""
    apt = replace(apt, lists=apt.root / "lists")
    await apt.update(stage)
    if host.confirmed:
        return apt
    # Only now do the release files say whose packages these are.
    result = await run_tool(["apt-get", *apt.options, "indextargets"], capture=True)
    debian = {
        (target.uri, target.suite)
        for target in select(parse_targets(result.output), apt.architecture)
        if target.origin == "Debian"
    }
    kept = tuple(source for source in host.sources if (source.uri, source.suite) in debian)
    if not kept:
        raise BangerError(
            "No Debian packages to be had",
            "None of this host's apt sources says it is Debian's.",
            "Add Debian's own source to apt, then try again.",
        )
    if len(kept) != len(host.sources):
        confirmed = replace(host, sources=kept, confirmed=True)
        other = await asyncio.to_thread(_make_root, kept, apt.architecture, apt.root.parent)
        return await refreshed(other, confirmed, stage)
    return apt


def _make_root(sources: tuple[Source, ...], architecture: str, base: Path) -> Apt:
    text = "\n".join(source.deb822() for source in sources)
    tag = hashlib.sha256(f"{architecture}\n{text}".encode()).hexdigest()[:12]
    root = base / tag
    (root / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    # Two processes write the same bytes, so whoever comes second changes nothing.
    temporary = root / f".sources.{hashlib.sha256(str(id(sources)).encode()).hexdigest()[:8]}"
    temporary.write_text(text)
    temporary.replace(root / "debian.sources")
    return Apt(root, architecture, None)
