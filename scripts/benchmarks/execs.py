"""A command in a running VM: by the engine in one process, by ssh with a master, by our command."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.base import Channel
from banger_tui.engine.model import VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from scripts.benchmarks.command import PROGRAM
from scripts.benchmarks.samples import COMPARED, Table, Times, compared

_NAME, _IMAGE = "bench-exec", "busybox"


async def _whole(channel: Channel) -> None:
    """Read a command to its end."""
    while await channel.read():
        pass
    while await channel.read_stderr():
        pass
    code = await channel.wait()
    await channel.close()
    if code:
        raise RuntimeError(f"the command ended with {code}")


async def _run(*argv: str, env: dict[str, str] | None = None) -> None:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {said.decode()}")


async def _measured(home: Path, rounds: int) -> dict[str, Times]:
    async with Engine(Paths.below(home), Settings()) as engine:
        await (await engine.vms.create(VmSpec(name=_NAME, image=_IMAGE))).result()
        try:
            with tempfile.TemporaryDirectory(prefix="banger-ssh-") as directory:
                ssh, *rest = await engine.vms.ssh_command(_NAME)
                master = ["-o", f"ControlPath={directory}/%C", "-o", "ControlPersist=60"]
                plain = [ssh, *master, "-o", "ControlMaster=auto", *rest]
                env = {**os.environ, "BANGER_HOME": str(home)}

                async def by_engine() -> None:
                    await _whole(await engine.vms.exec(_NAME, ["true"]))

                ways: dict[str, Callable[[], Awaitable[None]]] = {
                    "ssh with ControlMaster": lambda: _run(*plain, "true"),
                    "engine.vms.exec": by_engine,
                    "ssh without a master": lambda: _run(ssh, *rest, "true"),
                    "banger-tui vm exec": lambda: _run(
                        PROGRAM, "vm", "exec", _NAME, "--", "true", env=env
                    ),
                }
                try:
                    return await _in_turns(ways, rounds)
                finally:
                    await _run(ssh, *master, "-O", "exit", *rest)
        finally:
            await (await engine.vms.delete(_NAME)).result()


async def _in_turns(
    ways: dict[str, Callable[[], Awaitable[None]]], rounds: int
) -> dict[str, Times]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):  # the first connects, and is not counted
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            if number:
                taken[name].append(time.perf_counter() - began)
    return {name: Times(tuple(seconds)) for name, seconds in taken.items()}


def report(home: Path, rounds: int) -> Table:
    times = asyncio.run(_measured(home, rounds))
    return Table(
        "A command in a running VM",
        f"{rounds} of each, in turns: true in a busybox guest, from the call until its exit code "
        "is there. The engine and ssh's master keep a connection; the other two make one each "
        "time, and the command pays the start of Python as well.",
        COMPARED,
        compared(times, "ssh with ControlMaster"),
        "Goal: the engine within 1.2 of ssh with ControlMaster.",
    )
