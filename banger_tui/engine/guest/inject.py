"""The guest kit laid into a root filesystem, so that whatever it is, it boots and answers.

An image with systemd keeps it: ``/sbin/init`` leads to systemd's own program. Any other is started
by the kit's init, whatever it has at ``/sbin/init``: in a container image that is hardly ever an
init that works (Alpine's is a busybox with an inittab for terminals that aren't there).

Trees come from anywhere. What keeps the guest from booting is replaced, nothing else; no tree makes
this fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from banger_tui.engine.debian.elf import dynamic
from banger_tui.engine.guest import accounts, overlay, place
from banger_tui.engine.guest import config as image_config
from banger_tui.engine.layers.merge import Merge
from banger_tui.engine.layers.tree import Kind, Node, literal
from banger_tui.engine.limits import Limits
from banger_tui.engine.shield import in_thread

#: PID 1 of an image that has no systemd.
OWN_INIT = "/.banger/init"
_SYSTEMD_INIT = "/sbin/init"
_SYSTEMD = (b"usr/lib/systemd/systemd", b"lib/systemd/systemd")
# What the first init writes to and the agent reads: a fifo there would hold up the boot for ever.
_WRITTEN = (b"etc/hostname", b"etc/hosts", b"etc/resolv.conf", b"etc/shells")
_KIT = (b".banger/agent", b".banger/init", b".banger/bin/busybox")
_MOST_ACCOUNTS = 4 << 20
_MOST_PROGRAM = 16 << 20


async def inject(
    root: Node, config: Mapping[str, Any], *, kit: Path, staging: Path, limits: Limits
) -> str:
    """Lay the kit, and what it needs beside it, into the tree; returns the path of PID 1.

    Args:
        config: as ``ImageRecord.config`` has it.
        kit: its tar (``kit.ensure``).
        staging: keeps the kit that the tree refers to until the tree has been written.

    Raises:
        BadContent, LimitExceeded: the config can't be honoured.
    """
    wanted = image_config.parse(config, limits)
    return await in_thread(_inject, root, wanted, kit, staging)


def lay(root: Node, tar: Path, limits: Limits) -> None:
    """Lay a tar of ours over a tree. Blocking."""
    merge = Merge(limits)
    merge.root = root
    with tar.open("rb") as archive:
        merge.add(archive, tar)


def _inject(root: Node, wanted: image_config.ImageConfig, kit: Path, staging: Path) -> str:
    root.children[b"dev"] = Node(Kind.DIRECTORY, 0o755)
    root.children.pop(b".banger", None)
    for name in (b"proc", b"sys", b"run", b"etc"):
        place.own(root, name)
    lay(root, _kept(kit, staging), Limits())
    _make_ready(root)
    _let_root_in(root)
    if wanted.directory:
        place.directory(root, wanted.directory.encode("utf-8", "replace"))
    place.entries(root, image_config.files(wanted))
    if not has_systemd(root):
        return OWN_INIT
    _settle_systemd(root)
    return _SYSTEMD_INIT


def init_of(root: Node) -> str:
    """PID 1 of a tree that has the kit in it; "" of one that has not."""
    if not all(place.find(root, path) for path in _KIT):
        return ""
    return _SYSTEMD_INIT if has_systemd(root) else OWN_INIT


def has_systemd(root: Node) -> bool:
    """Whether /sbin/init leads to systemd, and systemd can be run."""
    init = place.find(root, os.fsencode(_SYSTEMD_INIT))
    if init is None or init.kind is not Kind.FILE or not init.mode & 0o111:
        return False
    return any(place.find(root, path) is init for path in _SYSTEMD)


def _kept(kit: Path, staging: Path) -> Path:
    """The kit by a name of our own: the cache may be emptied before the tree is written."""
    kept = staging / "guest-kit.tar"
    with contextlib.suppress(FileNotFoundError):
        kept.unlink()
    try:
        os.link(kit, kept)
    except OSError:  # another filesystem, or one without hard links
        shutil.copyfile(kit, kept)
    return kept


def _make_ready(root: Node) -> None:
    """Directories that programs expect, and nothing in the way of what is written at boot."""
    for name, mode in ((b"root", 0o700), (b"tmp", 0o1777), (b"var", 0o755)):
        place.directory(root, name, mode)
    for path in _WRITTEN:
        parent, _, name = path.rpartition(b"/")
        found = place.find(root, path)
        if found is None or found.kind is not Kind.FILE:
            place.directory(root, parent).children.pop(name, None)
    server = b"usr/lib/sftp-server"
    if place.find(root, server) is None:
        place.entries(root, overlay.sftp_server())


def _let_root_in(root: Node) -> None:
    """An account with a shell that runs, and a home where a key can be laid."""
    for entry in overlay.accounts():
        found = place.find(root, os.fsencode(entry.name))
        kind = Kind.DIRECTORY if stat.S_ISDIR(entry.mode) else Kind.FILE
        if found is None or found.kind is not kind:
            place.entries(root, [entry])
    passwd = place.read(root, b"etc/passwd", _MOST_ACCOUNTS)
    if passwd is None:  # too large to be one
        return
    made = accounts.with_root(passwd, lambda path: _runs(root, path))
    if made != passwd:
        place.put(root, b"etc/passwd", Node(Kind.FILE, 0o644, content=literal(made)))
    home = accounts.home_of_root(made)
    if b".ssh" in place.directory(root, home, 0o700).children:
        known = place.directory(root, home + b"/.ssh", 0o700).children
        if (keys := known.get(b"authorized_keys")) is not None and keys.kind is not Kind.FILE:
            del known[b"authorized_keys"]


def _runs(root: Node, path: bytes) -> bool:
    """Whether a path is a program with a loader that is there."""
    node = place.find(root, path)
    if node is None or node.kind is not Kind.FILE or not node.mode & 0o111 or not node.content.size:
        return False
    program = place.read(root, path, _MOST_PROGRAM)
    try:
        interpreter = dynamic(program or b"").interpreter
    except ValueError:  # a script
        return True
    found = place.find(root, os.fsencode(interpreter)) if interpreter else node
    return found is not None and found.kind is Kind.FILE


def _settle_systemd(root: Node) -> None:
    # Whoever has laid the unit already has seen to the rest, too: the golden Debian does.
    foreign = place.find(root, b"etc/systemd/system/banger.service") is None
    place.entries(root, overlay.systemd_units() + overlay.fresh_machine_id())
    bus = place.find(root, b"var/lib/dbus")
    if bus is not None and b"machine-id" in bus.children:
        bus.children[b"machine-id"] = _link(b"/etc/machine-id")
    if not foreign:
        return
    place.entries(root, overlay.systemd_foreign())
    if place.find(root, b"etc/NetworkManager") is not None:
        place.entries(root, overlay.network_manager())
    target = b"etc/systemd/system/default.target"
    if place.find(root, target) is None:
        place.put(root, target, _link(b"/usr/lib/systemd/system/multi-user.target"))
    _say_up_to_date(root)


def _say_up_to_date(root: Node) -> None:
    """Stamp /etc and /var as suiting /usr (systemd-update-done(8)): the packages have seen to that,
    and without it systemd spends its first boot on caches."""
    usr = place.find(root, b"usr")
    newest = usr.mtime_ns if usr is not None else 0
    text = f"TIMESTAMP_NSEC={max(0, newest)}\n".encode()
    for path in (b"etc/.updated", b"var/.updated"):
        place.put(root, path, Node(Kind.FILE, mtime_ns=newest, content=literal(text)))


def _link(target: bytes) -> Node:
    return Node(Kind.SYMLINK, 0o777, target=target)
