"""What this host can do: the checks that ``doctor`` shows."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.context import Context
from banger_tui.engine.errors import MissingTool
from banger_tui.engine.hypervisors.base import Probe
from banger_tui.engine.hypervisors.kvm import kvm_usable
from banger_tui.engine.model import GIB
from banger_tui.engine.process import PACKAGES, find_tool

_ROOM_WANTED = 3 * GIB


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``ok``: True, False (something essential is missing), None (better with it)."""

    name: str
    ok: bool | None
    value: str
    detail: str = ""
    hint: str = ""


def install_command(*tools: str) -> str:
    """The command that installs the packages of these tools on this distribution."""
    packages = sorted({PACKAGES.get(tool, tool) for tool in tools})
    return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"


async def examine(ctx: Context) -> list[Check]:
    """All checks, in the order of importance."""
    probe = await ctx.driver.probe()
    checks = [_driver(probe), await asyncio.to_thread(_kvm)]
    checks += await asyncio.to_thread(_tools)
    checks.append(await asyncio.to_thread(_building))
    checks.append(await asyncio.to_thread(_room, ctx.paths.state))
    checks.append(Check("network", True, "user", "QEMU's user network: no root needed"))
    checks.append(Check("state", True, str(ctx.paths.state)))
    return checks


def _driver(probe: Probe) -> Check:
    if probe.available:
        value = f"{probe.name} {probe.version} · {probe.accelerator}"
        return Check("driver", True, value, probe.reason)
    return Check("driver", False, f"{probe.name} is missing", probe.reason, probe.hint)


def _kvm() -> Check:
    usable, why = kvm_usable()
    if usable:
        return Check("kvm", True, "usable")
    return Check("kvm", None, "not used", f"{why}: VMs run emulated, slower but complete")


def _tools() -> list[Check]:
    """One line for all tools that are there, one for each that is not."""
    machine = platform.machine()
    essential = (f"qemu-system-{machine}", "qemu-img", "mke2fs", "e2fsck", "debugfs", "tar")
    building = ("mmdebstrap", "unshare", "dpkg-deb", "apt-get")
    optional = ("ssh",)
    there: list[str] = []
    missing: list[Check] = []
    for tool in (*essential, *building, *optional):
        try:
            find_tool(tool)
            there.append(tool)
        except MissingTool as error:
            ok = None if tool in optional else False
            missing.append(Check(tool, ok, "missing", error.detail, install_command(tool)))
    return [Check("tools", True, ", ".join(there)), *missing]


def _building() -> Check:
    """Whether images can be built: as root, or with a user namespace of many ids."""
    if os.getuid() == 0:
        return Check("build images", True, "as root")
    try:
        find_tool("newuidmap")
    except MissingTool as error:
        return Check("build images", False, "newuidmap is missing", error.detail, error.hint)
    name = _user_name()
    try:
        lines = Path("/etc/subuid").read_text().splitlines()
    except OSError:
        lines = []
    if not any(re.match(rf"({re.escape(name)}|{os.getuid()}):", line) for line in lines):
        return Check(
            "build images", False, "no subordinate ids",
            f"{name} has no line in /etc/subuid, so files of other owners can't be made.",
            f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}",
        )  # fmt: skip
    unshare = subprocess.run(  # a fixed command, in a thread
        [find_tool("unshare"), "--map-root-user", "true"], capture_output=True, check=False
    )
    if unshare.returncode:
        return Check(
            "build images", False, "user namespaces are off",
            "This kernel does not let a user make one.",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        )  # fmt: skip
    return Check("build images", True, "rootless, in a user namespace")


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _room(state: Path) -> Check:
    free = shutil.disk_usage(state).free
    value = f"{free / GIB:.0f} GiB free"
    if free < _ROOM_WANTED:
        return Check(
            "disk", None, value, f"Building an image takes up to {_ROOM_WANTED // GIB} GiB.",
            "Free some room, or set BANGER_HOME=DIR to another disk.",
        )  # fmt: skip
    return Check("disk", True, value)
