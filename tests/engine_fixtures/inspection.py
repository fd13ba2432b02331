"""Looks at a state directory: is everything that is there somebody's?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.paths import Paths


def names(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()} if directory.is_dir() else set()


def vm_locks(paths: Paths) -> set[str]:
    """Ids of VMs that have a lock file."""
    return {file.name.split(".")[1] for file in paths.locks.glob("vm.*.lock")}


async def assert_consistent(engine: Engine) -> None:
    """Every file, directory, lock file and VMM belongs to a row, and every row has its own."""
    paths = engine.paths
    vms = await engine.vms.list()
    ids = {vm.id for vm in vms}
    running = {vm.id for vm in vms if vm.running}
    odd = sorted({vm.state.value for vm in vms} - {"running", "stopped"})
    assert not odd, f"at rest, but in the states {odd}: {vms}"
    assert names(paths.vms) == ids, "directories of VMs (left) and rows of VMs (right) differ"
    assert names(paths.runtime) <= running, "sockets of VMs that do not run"
    assert vm_locks(paths) <= ids, "lock files of VMs that do not exist"
    assert names(paths.staging) == set(), "something is left in staging"
    images = {paths.image(image.name).name for image in await engine.images.list()}
    kernels = {paths.kernel(kernel.name).name for kernel in await engine.kernels.list()}
    assert names(paths.images) == images, "directories (left) and rows (right) of images differ"
    assert names(paths.kernels) == kernels, "directories (left) and rows (right) of kernels differ"
    ports = [vm.ssh_port for vm in vms]
    assert len(set(ports)) == len(ports), f"a port is given twice: {ports}"
    unfinished = [v.title for v in await engine.operations.list() if not v.state.over]
    assert unfinished == [], "operations that never end"
    driver = engine._ctx.driver
    if isinstance(driver, FakeDriver):
        alive = {vm_id for vm_id, vmm in driver.vmms.items() if vmm.alive}
        assert alive == running, "VMMs that live (left) and VMs that run (right) differ"


async def assert_no_vms(engine: Engine) -> None:
    """As before anything was created, and consistent."""
    await assert_consistent(engine)
    assert await engine.vms.list() == []
    assert names(engine.paths.vms) == set()
    assert names(engine.paths.runtime) == set()
    assert vm_locks(engine.paths) == set()


def mounts() -> str:
    """What is mounted in this process's view."""
    return Path("/proc/self/mounts").read_text()


def processes_mentioning(texts: Iterable[str]) -> list[str]:
    """Command lines of living processes in which one of the texts occurs."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(text in command for text in texts):
            found.append(f"{entry.name} {command[:300]}")
    return found
