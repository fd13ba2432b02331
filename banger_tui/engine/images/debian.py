"""The golden Debian root filesystem: installed by mmdebstrap, systemd tuned for a quick boot."""

from __future__ import annotations

import asyncio
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.catalog.entries import DebianSource
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.architecture import debian_architecture
from banger_tui.engine.debian.namespace import as_root_alone
from banger_tui.engine.debian.sources import HostSources
from banger_tui.engine.guest import overlay
from banger_tui.engine.guest.archive import write_tar
from banger_tui.engine.guest.inject import lay
from banger_tui.engine.kernels.cpio import Entry, directory, file, symlink
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.limits import Limits
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import find_tool, run_tool
from banger_tui.engine.progress import Stage

# Documentation and translations are half of a small system. The guest keeps these lines, so that
# what is installed later is lean too.
_DPKG = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)
_APT = ('Acquire::Languages "none"', 'APT::Install-Recommends "false"')
_PLAN = re.compile(r"\d+ upgraded, (\d+) newly installed")
_NEED = re.compile(r"Need to get ([\d.,]+ ?[kMG]?B)")
_STEP = re.compile(r"(Unpacking|Setting up) ([a-z0-9.+-]+)")
_GET = re.compile(r"Get:\d+ .* ([a-z0-9.+-]+) (?:amd64|arm64|all) \S+ \[(.+)\]$")


@dataclass(slots=True)
class Progress:
    """Turns mmdebstrap's output into packages done; each is unpacked once and set up once.

    ``total`` is how many there will be; 0: learnt from apt's plans as they appear.
    """

    stage: Stage
    total: int = 0
    _planned: int = 0
    _steps: int = 0

    def line(self, text: str) -> None:
        if match := _STEP.match(text):
            self._steps += 1
            self.stage.note(f"{'unpack' if match[1] == 'Unpacking' else 'set up'} {match[2]}")
            self._report()
        elif match := _PLAN.match(text):
            self._planned += int(match[1])
            self._report()
        elif match := _GET.match(text):
            self.stage.note(f"download {match[1]} ({match[2]})")
        elif match := _NEED.match(text):
            self.stage.note(f"download {match[1]}")
        elif text.startswith("I: "):
            self.stage.note(text[3:].rstrip("."))

    def _report(self) -> None:
        total = max(self.total, self._planned)
        self.stage.progress(min(self._steps // 2, total), total or None, "packages")


async def install(source: DebianSource, staging: Path, paths: Paths, stage: Stage) -> Path:
    """Install the packages of a minimal Debian and the source's; returns the tar of the result.

    Progress is in packages.

    Raises:
        MissingTool, HostLacks, ToolFailed
    """
    target = staging / "rootfs.tar"
    # First: where users may not do this, say so before minutes of work.
    prefix = await as_root_alone()
    selection = await packages.select(
        # ~E: what is Essential; mmdebstrap adds apt to it
        ["~E", "apt", *source.packages],
        suite=source.suite,
        paths=paths,
        stage=stage,
    )
    counter = Progress(stage, len(selection.packages) if selection.apt else 0)
    sources = await asyncio.to_thread(_sources_file, selection.host, staging)
    await run_tool(
        [*prefix,
         find_tool("mmdebstrap"), "--mode=root",
         "--variant=minbase",
         "--verbose",
         f"--architectures={debian_architecture()}",
         f"--include={','.join(source.packages)}",
         *(f"--customize-hook={in_chroot(hook)}" for hook in source.hooks),
         *(f"--aptopt={option}" for option in _APT),
         *(f"--dpkgopt={option}" for option in (*_DPKG, "force-unsafe-io")),
         source.suite, str(target), *sources],
        on_line=counter.line,
        log=stage.log,
        # mmdebstrap unpacks below TMPDIR; /tmp may be a small tmpfs.
        env={"TMPDIR": str(staging)},
        title="Can't install Debian",
    )  # fmt: skip
    return target


def in_chroot(hook: str) -> str:
    """A hook as mmdebstrap runs it (mmdebstrap(1), HOOKS): its first argument is the new root."""
    return f'chroot "$1" /bin/sh -ec {shlex.quote(hook)}'


def settle(root: Node, staging: Path, limits: Limits) -> None:
    """Lay our settings over the installed system. Blocking."""
    tar = staging / "settings.tar"
    write_tar(settings(), tar)
    lay(root, tar, limits)


def settings() -> list[Entry]:
    """Files of the golden image that are ours. Blocking (reads shipped files)."""
    entries = {entry.name: entry for entry in overlay.systemd_units() + overlay.systemd_tuning()}
    extra = [
        # Safe writes again: installing without them was for speed, in a filesystem we can remake.
        directory("etc/dpkg"),
        directory("etc/dpkg/dpkg.cfg.d"),
        file("etc/dpkg/dpkg.cfg.d/99mmdebstrap", "".join(f"{o}\n" for o in _DPKG).encode()),
        directory("etc/default"),
        file("etc/default/locale", b"LANG=C.UTF-8\n"),
        directory("usr"),
        directory("usr/local"),
        directory("usr/local/bin"),
        symlink("usr/local/bin/vim", "/usr/bin/vi"),
    ]
    return [*entries.values(), *extra]


def _sources_file(host: HostSources | None, staging: Path) -> list[str]:
    """mmdebstrap's last argument: the host's Debian sources; nothing where its default serves."""
    if host is None:
        return []
    path = staging / "debian.sources"
    path.write_text(host.text)
    return [str(path)]
