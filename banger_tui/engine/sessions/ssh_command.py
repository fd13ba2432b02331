"""The system's own ssh, told exactly whom to trust."""

from __future__ import annotations

import asyncio
from pathlib import Path

from banger_tui.engine.model import VmRecord
from banger_tui.engine.paths import Paths


async def ssh_command(paths: Paths, vm: VmRecord) -> list[str]:
    """An argv that logs in as root; append a command to run one."""
    known_hosts = paths.vm(vm.id) / "known_hosts"
    await asyncio.to_thread(_write_known_hosts, known_hosts, vm)
    options = {
        "IdentityFile": str(paths.client_key),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": vm.id,
        "HostKeyAlgorithms": "ssh-ed25519",
        "StrictHostKeyChecking": "yes",
        "LogLevel": "ERROR",
    }
    words = [word for key, value in options.items() for word in ("-o", f"{key}={_quoted(value)}")]
    return ["ssh", "-F", "/dev/null", *words, "-p", str(vm.ssh_port), "root@127.0.0.1"]


def _quoted(value: str) -> str:
    """ssh splits an option's value at blanks unless it is quoted (ssh_config(5))."""
    return f'"{value}"' if " " in value else value


def _write_known_hosts(path: Path, vm: VmRecord) -> None:
    path.write_text(f"{vm.id} {vm.host_key}\n")
    path.chmod(0o600)
