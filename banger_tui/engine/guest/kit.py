"""The guest kit: what is put into any image so that it boots, answers and can be logged into.

One tar, all below ``/.banger``, made of Debian packages. Its programs bring their own loader and
libraries, so they run in an image of any distribution, or of none::

    .banger/agent init console       our scripts: what keeps the guest reachable
    .banger/run start                how commands and shells are run in it
    .banger/session shell            keeps them for whoever comes back
    .banger/bin/                     busybox (static), wrappers that start the programs below
    .banger/lib/                     ld.so, libraries, dropbear, tmux, sftp-server, resize2fs, …
    .banger/terminfo/ locale/        what tmux needs
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from banger_tui.engine import assets
from banger_tui.engine.debian import packages
from banger_tui.engine.debian.elf import dynamic
from banger_tui.engine.errors import ToolFailed
from banger_tui.engine.guest.archive import write_tar
from banger_tui.engine.kernels.cpio import Entry, directory, file, symlink
from banger_tui.engine.paths import Paths
from banger_tui.engine.progress import Stage

_PACKAGES = (
    "busybox-static", "coreutils", "dropbear-bin", "e2fsprogs", "libc-bin", "ncurses-base",
    "openssh-sftp-server", "tmux", "util-linux",
)  # fmt: skip
# What dependencies bring along that no program of ours can use.
_USELESS = frozenset({
    "adduser", "debconf", "libacl1", "libattr1", "libaudit-common", "libcap-ng0", "libmount1",
    "libpam0g", "libsemanage-common", "libsmartcols1", "libudev1", "logsave", "util-linux-extra",
})  # fmt: skip
_FRESH = 86400.0  # seconds for which apt is not asked again: it takes a second or two
_SCRIPTS = (
    "agent", "console", "init", "run", "session", "session-clients", "session-output", "start",
)  # fmt: skip
_TERMINALS = (
    "dumb", "linux", "screen-256color", "tmux-256color", "vt100", "xterm", "xterm-256color",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """One program: where its package has it, and what its wrapper sets before it starts."""

    paths: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    arguments: str = ""

    @property
    def name(self) -> str:
        return self.paths[0].rpartition("/")[2]


_PROGRAMS = (
    # With numbers alone it asks no name service, which busybox's su does.
    Program(("usr/sbin/chroot",)),
    Program(("usr/sbin/dropbear",)),
    # What keeps sessions: signals as they were, room on the disk before it is needed, one writer,
    # many readers.
    Program(("usr/bin/env",)),
    Program(("usr/bin/fallocate",)),
    Program(("usr/bin/flock",)),
    Program(("usr/lib/openssh/sftp-server",)),
    Program(("usr/sbin/resize2fs", "sbin/resize2fs")),
    Program(("usr/bin/tail",)),
    Program(
        ("usr/bin/tmux",),
        # It refuses to start without a UTF-8 locale, and images may have neither that nor terminfo.
        (
            ("TERMINFO", "/.banger/terminfo"),
            ("LOCPATH", "/.banger/locale"),
            ("LC_ALL", "C.UTF-8"),
        ),
        "-u -S /run/banger/tmux -f /.banger/tmux.conf",
    ),
)


async def ensure(paths: Paths, stage: Stage, suite: str = "bookworm") -> Path:
    """The kit as a tar file below ``paths.kits``; made when there is none of these versions.

    Raises:
        MissingTool, ToolFailed
    """
    scripts = await asyncio.to_thread(_scripts)
    memo = paths.kits / f"{suite}-{_recipe(scripts)}"
    if known := await asyncio.to_thread(_remembered, memo):
        return known
    selection = await packages.select(
        _PACKAGES,
        suite=suite,
        paths=paths,
        stage=stage,
        keep=lambda package: package.name not in _USELESS,
    )
    target = paths.kits / f"{_digest(selection, scripts)}.tar"
    await asyncio.to_thread(paths.kits.mkdir, parents=True, exist_ok=True)
    if not await asyncio.to_thread(target.exists):
        await _make(selection, scripts, target, stage)
    await asyncio.to_thread(_remember, memo, target)
    return target


async def _make(
    selection: packages.Selection, scripts: Sequence[Entry], target: Path, stage: Stage
) -> None:
    work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".build-", dir=target.parent))
    try:
        await packages.fetch(selection, work / "tree", stage)
        stage.note("assemble")
        await asyncio.to_thread(_assemble, work / "tree", scripts, target)
    finally:
        await asyncio.to_thread(rmtree, work, ignore_errors=True)


def _remembered(memo: Path) -> Path | None:
    """The kit that apt was last asked about, if that is not long ago."""
    try:
        fresh = 0 <= time.time() - memo.stat().st_mtime < _FRESH
        target = memo.with_name(memo.read_text())
    except OSError:
        return None
    return target if fresh and target.exists() else None


def _remember(memo: Path, target: Path) -> None:
    temporary = memo.with_name(f".{memo.name}.{secrets.token_hex(4)}")
    temporary.write_text(target.name)
    temporary.replace(memo)


def _recipe(scripts: Sequence[Entry]) -> str:
    """What goes into a kit but for the versions of packages."""
    sums = hashlib.sha256(repr((_PACKAGES, _PROGRAMS, _TERMINALS)).encode())
    for entry in scripts:
        sums.update(f"{entry.name} {entry.mode} {len(entry.data)}\n".encode() + entry.data)
    return sums.hexdigest()[:32]


def _digest(selection: packages.Selection, scripts: Sequence[Entry]) -> str:
    sums = hashlib.sha256(_recipe(scripts).encode())
    for package in selection.packages:
        sums.update(f"{package.name} {package.version}\n".encode())
    return sums.hexdigest()[:32]


def _scripts() -> list[Entry]:
    return [
        *(file(f".banger/{name}", assets.read(f"guest/{name}"), 0o755) for name in _SCRIPTS),
        file(".banger/tmux.conf", assets.read("guest/tmux.conf")),
    ]


def _assemble(tree: Path, scripts: Sequence[Entry], target: Path) -> None:
    entries = [
        *(directory(f".banger{sub}") for sub in ("", "/bin", "/lib", "/locale", "/locale/C.utf8")),
        *scripts,
        file(".banger/bin/busybox", _first(tree, "bin/busybox", "usr/bin/busybox"), 0o755),
        symlink(".banger/bin/sh", "busybox"),
        file(".banger/locale/C.utf8/LC_CTYPE", _first(tree, "usr/lib/locale/C.utf8/LC_CTYPE")),
        *_terminfo(tree),
        *_programs(tree),
    ]
    write_tar(entries, target)


def _programs(tree: Path) -> list[Entry]:
    programs = {program: _first(tree, *program.paths) for program in _PROGRAMS}
    entries = [
        entry
        for program, data in programs.items()
        for entry in (
            file(f".banger/lib/{program.name}", data, 0o755),
            file(f".banger/bin/{program.name}", wrapper(program).encode(), 0o755),
        )
    ]
    interpreters = {dynamic(data).interpreter for data in programs.values()}
    loader = interpreters.pop()
    if interpreters or not loader:
        raise ToolFailed("Can't make the guest kit", "Its programs disagree about their loader.")
    entries.append(file(".banger/lib/ld.so", _library(tree, loader.rpartition("/")[2]), 0o755))
    libraries = needed_libraries(tree, list(programs.values()), loader.rpartition("/")[2])
    entries += [file(f".banger/lib/{name}", data, 0o755) for name, data in libraries.items()]
    return entries


def wrapper(program: Program) -> str:
    """The script that starts a program by the kit's own loader.

    ``--argv0`` matters: without it a program that looks at its own name sees the loader's.
    """
    settings = "".join(f"export {key}={value}\n" for key, value in program.environment)
    start = f"/.banger/lib/ld.so --argv0 {program.name} --library-path /.banger/lib"
    words = " ".join(filter(None, (start, f"/.banger/lib/{program.name}", program.arguments)))
    return f'#!/.banger/bin/busybox sh\n{settings}exec {words} "$@"\n'


def needed_libraries(tree: Path, programs: Sequence[bytes], loader: str) -> dict[str, bytes]:
    """Every library the programs need, directly or not, by the name they ask for; less the loader.

    Raises:
        ToolFailed: one isn't in the unpacked packages.
    """
    found: dict[str, bytes] = {}
    waiting = [name for data in programs for name in dynamic(data).needed]
    while waiting:
        name = waiting.pop()
        if name in found or name == loader:
            continue
        found[name] = _library(tree, name)
        waiting += dynamic(found[name]).needed
    return found


def _library(tree: Path, name: str) -> bytes:
    patterns = (f"usr/lib/*-linux-gnu*/{name}", f"lib/*-linux-gnu*/{name}", f"lib64/{name}")
    for pattern in (*patterns, f"usr/lib64/{name}", f"lib/{name}", f"usr/lib/{name}"):
        for path in sorted(tree.glob(pattern)):
            if path.is_file():
                return path.read_bytes()
    raise ToolFailed("Can't make the guest kit", f"No package brought {name}.")


def _terminfo(tree: Path) -> list[Entry]:
    entries = [directory(".banger/terminfo")]
    entries += [directory(f".banger/terminfo/{letter}") for letter in {t[0] for t in _TERMINALS}]
    for name in _TERMINALS:
        place = f"terminfo/{name[0]}/{name}"
        data = _first(tree, f"usr/lib/{place}", f"lib/{place}", f"usr/share/{place}")
        entries.append(file(f".banger/{place}", data))
    return entries


def _first(tree: Path, *names: str) -> bytes:
    for name in names:
        if (tree / name).is_file():
            return (tree / name).read_bytes()
    raise ToolFailed("Can't make the guest kit", f"No package brought {names[0]}.")
