"""A file for ssh's ``Include``: ``ssh NAME.vm``, scp, rsync and editors reach every VM by its name.

``state/ssh_config`` holds the entries, ``state/ssh_known_hosts`` the pinned keys; both are written
anew as a whole. They exist once somebody has asked for them, and are kept up to date from then on.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import VmRecord
from banger_tui.engine.paths import Paths
from banger_tui.engine.shield import in_thread

SUFFIX = ".vm"
_LOCK = "ssh_config"
_HEAD = """\
# Written by banger-tui, anew whenever a VM starts, is made or deleted: changes here are lost.
"""
# A hostile guest gets no agent, no display and no way through the person's own settings for others.
_ALWAYS = (
    ("HostName", "127.0.0.1"),
    ("User", "root"),
    ("IdentitiesOnly", "yes"),
    ("IdentityAgent", "none"),
    ("GlobalKnownHostsFile", "/dev/null"),
    ("HostKeyAlgorithms", "ssh-ed25519"),
    ("StrictHostKeyChecking", "yes"),
    ("CheckHostIP", "no"),
    ("UpdateHostKeys", "no"),
    ("ForwardAgent", "no"),
    ("ForwardX11", "no"),
    ("PermitLocalCommand", "no"),
    ("ProxyCommand", "none"),
    ("ControlMaster", "no"),
    ("ControlPath", "none"),
)
# The names are ours and the keys are made by us; what is anything else has no place in the files.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ID = re.compile(r"[0-9a-f]{1,64}")
_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{1,200}={0,2}")


def path(paths: Paths) -> Path:
    """Where the entries are."""
    return paths.state / "ssh_config"


def known_hosts_path(paths: Paths) -> Path:
    return paths.state / "ssh_known_hosts"


def hosts(vms: Iterable[VmRecord]) -> list[VmRecord]:
    """Those that get an entry, by name."""
    return sorted((vm for vm in vms if _sound(vm)), key=lambda vm: vm.name)


def entries(paths: Paths, vms: Iterable[VmRecord]) -> str:
    """The text of the file.

    Raises:
        InvalidInput: the state directory's path can't be written into such a file.
    """
    always = [
        *_ALWAYS,
        ("IdentityFile", quoted(paths.client_key)),
        ("UserKnownHostsFile", quoted(known_hosts_path(paths))),
    ]
    blocks = [_HEAD]
    for vm in hosts(vms):
        own = [("Port", str(vm.ssh_port)), ("HostKeyAlias", vm.id), *always]
        lines = "".join(f"    {key} {value}\n" for key, value in own)
        blocks.append(f"Host {vm.name}{SUFFIX}\n{lines}")
    return "\n".join(blocks)


def known_hosts(vms: Iterable[VmRecord]) -> str:
    """The pinned keys, by the VMs' ids: a name may go to another VM, an id never does."""
    return "".join(f"{vm.id} {vm.host_key}\n" for vm in hosts(vms))


def quoted(file: Path) -> str:
    """A path as ssh_config(5) wants it: in quotes, no tokens in it.

    Raises:
        InvalidInput: it has a quote or a control character, for which there is no way.
    """
    text = str(file)
    if '"' in text or "\\" in text or not text.isprintable():
        raise InvalidInput(
            "ssh can't be told this path",
            text,
            "Set BANGER_HOME=DIR to a directory without quotes and backslashes in its name.",
        )
    return f'"{text.replace("%", "%%")}"'


async def write(ctx: Context) -> Path:
    """Write both files as the store has it now; where the entries are.

    Raises:
        InvalidInput
    """
    async with ctx.locks.leaf(_LOCK).hold("write the ssh configuration"):
        vms = await ctx.store.vms()
        await in_thread(_write, ctx.paths, vms)
    return path(ctx.paths)


async def refresh(ctx: Context) -> None:
    """Bring the files up to date, if anybody has asked for them. To be called after a VM was made,
    got its port or was deleted."""
    if await asyncio.to_thread(path(ctx.paths).exists):
        await write(ctx)


def _write(paths: Paths, vms: list[VmRecord]) -> None:
    # The keys first: an entry without its key would be refused, a key without entry harms nobody.
    replace(known_hosts_path(paths), known_hosts(vms))
    replace(path(paths), entries(paths, vms))


def replace(file: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader finds the old one or the new one. Blocking."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as out:
            os.fchmod(descriptor, mode)
            out.write(text)
        beside.replace(file)
    except BaseException:  # whatever stopped it, nothing is left beside
        beside.unlink(missing_ok=True)
        raise


def _sound(vm: VmRecord) -> bool:
    return bool(
        vm.ssh_port
        and _NAME.fullmatch(vm.name)
        and _ID.fullmatch(vm.id)
        and _KEY.fullmatch(vm.host_key)
    )
