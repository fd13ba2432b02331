"""Many boots in a row: how they spread, whether one hangs, and what is left over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import VmRecord, VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import processes_with
from banger_tui.engine.settings import Settings
from scripts.benchmarks.samples import Table, Times, duration


@dataclass
class Row:
    """Of one image: seconds a create took, failures in words, fallbacks to another machine type."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    fallbacks: int = 0


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What VMs have, of which nothing may stay."""

    processes: frozenset[int]
    files: frozenset[Path]
    ports: frozenset[int]

    def beyond(self, other: Leftovers) -> tuple[int, int, int]:
        """How many (processes, files and sockets, ports) are here and were not there."""
        return (
            len(self.processes - other.processes),
            len(self.files - other.files),
            len(self.ports - other.ports),
        )


def leftovers(paths: Paths, ports: set[int]) -> Leftovers:
    """Of ports only those given: others on this machine may listen on theirs."""
    found = [paths.vms, paths.runtime, paths.staging]
    files = {path for base in found for path in base.rglob("*")}
    files |= set(paths.locks.glob("vm.*"))
    processes = {process.pid for process, _ in processes_with(f"unix:{paths.runtime}/")}
    return Leftovers(frozenset(processes), frozenset(files), frozenset(_listening(ports)))


def _listening(ports: set[int]) -> set[int]:
    """Those of the ports that somebody listens on (proc(5), /proc/net/tcp: state 0A)."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == "0A"}
    return listening & ports


async def boot_often(paths: Paths, image: str, count: int) -> tuple[Row, tuple[int, int, int]]:
    row = Row()
    ports: set[int] = set()
    async with Engine(paths, Settings()) as engine:
        first_choice = ""
        before = leftovers(paths, ports)
        for _ in range(count):
            began = time.perf_counter()
            try:
                operation = await engine.vms.create(VmSpec(image=image, ephemeral=True))
                vm: VmRecord = await operation.result()
            except BangerError as error:
                row.failures.append(str(error))
                continue
            row.seconds.append(time.perf_counter() - began)
            ports.add(vm.ssh_port)
            first_choice = first_choice or vm.machine
            row.fallbacks += vm.machine != first_choice
            try:
                channel = await engine.vms.exec(vm.id, ["true"])
                if (code := await channel.wait()) != 0:
                    row.failures.append(f"true ended with {code}")
                await channel.close()
                await (await engine.vms.delete(vm.id)).result()
            except BangerError as error:
                row.failures.append(str(error))
        after = leftovers(paths, ports)
    return row, after.beyond(before)


def report(home: Path, counts: dict[str, int]) -> Table:
    rows = []
    failures: list[str] = []
    for image, count in counts.items():
        row, left = asyncio.run(boot_often(Paths.below(home), image, count))
        times = Times(tuple(row.seconds) or (float("nan"),))
        failures += [f"{image}: {failure}" for failure in row.failures]
        rows.append(
            [
                image, str(count), duration(min(times.seconds)), duration(times.median),
                duration(times.quantile(0.9)), duration(max(times.seconds)),
                str(len(row.failures)), str(row.fallbacks), " / ".join(map(str, left)),
            ]
        )  # fmt: skip
    return Table(
        "Boots in a row",
        "Create until ready, one command over ssh, delete; in one process. Left over: processes / "
        "files and sockets / listening ports of the VMs. A fallback is a boot that "
        "showed no sign of life on the first machine type.",
        (
            "image",
            "boots",
            "fastest",
            "median",
            "90 %",
            "slowest",
            "failed",
            "fallbacks",
            "left",
        ),
        rows,
        "; ".join(failures),
    )
