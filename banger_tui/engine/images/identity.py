"""What belongs to one machine and must not come along when its disk becomes an image.

Pure, over a tree. Taken away are the machine's id, ssh host keys, our own line in authorized_keys,
our lines of the host's name, seeds and secrets that are made once a machine, DHCP leases, and
whatever lies in /run and /tmp. What a person did there stays: logs, shell histories, known_hosts,
accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from banger_tui.engine.layers.lookup import Lookup
from banger_tui.engine.layers.meter import Meter
from banger_tui.engine.layers.refusal import Unsound
from banger_tui.engine.layers.sources import Sources
from banger_tui.engine.layers.tree import Kind, Node, literal
from banger_tui.engine.limits import Limits

# Directory and names in it.
_GONE = (
    (b"etc/ssh", rb"ssh_host_.*"),
    (b"etc/dropbear", rb"dropbear_.*_host_key(\.pub)?"),
    (b"var/lib/systemd", rb"random-seed|credential\.secret"),
    (b"var/lib/urandom", rb"random-seed"),
    (b"var/lib/seedrng", rb"seed\..*"),
    (b"var/lib/dhcp", rb".*\.leases.*"),
    (b"var/lib/dhclient", rb".*\.leases?.*"),
    (b"var/lib/dhcpcd", rb".*\.lease6?|duid|secret"),
    (b"var/lib/udhcpc", rb".*"),
    (b"var/lib/NetworkManager", rb".*\.lease|secret_key|seen-bssids|timestamps"),
)
_SMALL = 1 << 20
_SECRET_FILES = (b"authorized_keys", b"authorized_keys2")
_UNIT = b"""\
[Unit]
Description=New ssh host keys for a new machine
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service sshd.service ssh.socket sshd.socket

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""
_UNIT_NAME = b"banger-host-keys.service"


def remove_identity(
    root: Node, *, hostname: str, keys: Sequence[str], limits: Limits
) -> tuple[str, ...]:
    """Take it out of the tree; returns the paths that were removed or changed.

    Args:
        hostname: what we named the machine.
        keys: lines of authorized_keys that are ours.

    Raises:
        LimitExceeded
    """
    tree = _Tree(root, limits)
    changed = [*_machine_id(tree), *_matching(tree)]
    if any(path.startswith(b"etc/ssh/") for path in changed):
        changed += _new_host_keys(tree)
    changed += _names(tree, hostname.encode())
    for home in tree.homes():
        changed += _authorized(tree, home, keys)
    for name in (b"run", b"tmp"):
        node = root.children.get(name)
        if node is not None and node.children:
            node.children.clear()
            changed.append(name + b"/*")
    kit = root.children.get(b".banger")
    if kit is not None and kit.is_directory and kit.children.pop(b"sessions", None) is not None:
        changed.append(b".banger/sessions")
    return tuple(path.decode(errors="backslashreplace") for path in changed)


class _Tree:
    """A tree as its own programs would see it."""

    def __init__(self, root: Node, limits: Limits) -> None:
        self._root = root
        self._limits = limits

    def directory(self, path: bytes) -> Node | None:
        """The directory at a path, links followed inside the tree."""
        # A look-up of its own each time: it must not remember what we take away.
        try:
            return Lookup(self._root, Meter(self._limits)).directory(path)
        except Unsound:
            return None

    def file(self, path: bytes) -> tuple[Node, bytes, Node] | None:
        """(directory, name, file) when there is a file at a path, itself no link."""
        parent, _, name = path.rpartition(b"/")
        directory = self.directory(parent)
        node = directory.children.get(name) if directory is not None else None
        if directory is None or node is None or node.kind is not Kind.FILE:
            return None
        return directory, name, node

    def lines(self, path: bytes) -> list[bytes]:
        """The lines of a small file, with their ends; none when there is no such file."""
        found = self.file(path)
        if found is None or found[2].content.size > _SMALL:
            return []
        content = found[2].content
        data = bytearray(content.size)
        with Sources() as sources:
            for e in content.extents:
                data[e.position : e.position + e.length] = sources.read(
                    content.source, e.offset, e.length
                )
        return bytes(data).splitlines(keepends=True)

    def rewrite(self, path: bytes, data: bytes) -> bool:
        """Give a file another content, under this name alone if it has others; b"" removes it.

        Returns:
            whether there was such a file.
        """
        found = self.file(path)
        if found is None:
            return False
        directory, name, node = found
        if data:
            directory.children[name] = replace(node, content=literal(data))
        else:
            del directory.children[name]
        return True

    def homes(self) -> list[bytes]:
        """Home directories of all accounts, without a leading slash, each once."""
        fields = [line.rstrip(b"\n").split(b":") for line in self.lines(b"etc/passwd")]
        known = [b"root", *(f[5].strip(b"/") for f in fields if len(f) >= 6)]
        return [home for home in dict.fromkeys(known) if home]


def _machine_id(tree: _Tree) -> Iterator[bytes]:
    if (found := tree.file(b"etc/machine-id")) is not None:
        directory, name, node = found
        # Empty: the machine makes its own at its first boot (machine-id(5)).
        directory.children[name] = replace(node, content=literal(b""))
        yield b"etc/machine-id"
    if tree.rewrite(b"var/lib/dbus/machine-id", b""):
        yield b"var/lib/dbus/machine-id"


def _matching(tree: _Tree) -> Iterator[bytes]:
    for path, pattern in _GONE:
        directory = tree.directory(path)
        if directory is None:
            continue
        for name in [name for name in directory.children if re.fullmatch(pattern, name)]:
            if not directory.children[name].is_directory:
                del directory.children[name]
                yield path + b"/" + name


def _new_host_keys(tree: _Tree) -> Iterator[bytes]:
    """OpenSSH's keys are made when it is installed, not when it starts: see to that."""
    units = tree.directory(b"etc/systemd/system")
    if units is None or tree.file(b"usr/bin/ssh-keygen") is None:
        return
    wanted = units.children.setdefault(b"multi-user.target.wants", Node(Kind.DIRECTORY, 0o755))
    if not wanted.is_directory:
        return
    units.children[_UNIT_NAME] = Node(Kind.FILE, content=literal(_UNIT))
    wanted.children[_UNIT_NAME] = Node(Kind.SYMLINK, 0o777, target=b"../" + _UNIT_NAME)
    yield b"etc/systemd/system/" + _UNIT_NAME


def _names(tree: _Tree, hostname: bytes) -> Iterator[bytes]:
    """As the first init writes them."""
    if b"".join(tree.lines(b"etc/hostname")).strip() == hostname:
        tree.rewrite(b"etc/hostname", b"")
        yield b"etc/hostname"
    lines = tree.lines(b"etc/hosts")
    kept = [line for line in lines if line.split() != [b"127.0.1.1", hostname]]
    if kept != lines:
        tree.rewrite(b"etc/hosts", b"".join(kept))
        yield b"etc/hosts"


def _authorized(tree: _Tree, home: bytes, keys: Sequence[str]) -> Iterator[bytes]:
    ours = {tuple(key.encode().split()[:2]) for key in keys}
    for name in _SECRET_FILES:
        path = home + b"/.ssh/" + name
        lines = tree.lines(path)
        kept = [line for line in lines if tuple(line.split()[:2]) not in ours]
        if kept != lines:
            tree.rewrite(path, b"".join(kept))
            yield path
