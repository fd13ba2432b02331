"""Two processes on one state directory, both creating VMs at once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmState
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.inspection import assert_consistent, assert_no_vms, processes_mentioning
from tests.engine_fixtures.template import IMAGE

CREATES = int(os.environ.get("BANGER_CREATES", "3"))
PATIENCE = 300.0 + 120.0 * CREATES
pytestmark = pytest.mark.timeout(2 * PATIENCE)

CREATOR = """
import asyncio, json, sys
from pathlib import Path
from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
async def main():
    home, count, image = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    async with Engine(Paths.below(home), Settings(image=image, boot_seconds=1200)) as engine:
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        made = [await engine.vms.create(VmSpec(image=image, memory_mib=128)) for _ in range(count)]
        vms = [await operation.result() for operation in made]
        print(json.dumps([vm.name for vm in vms]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps([vm.name for vm in await engine.vms.list() if vm.running]), flush=True)
asyncio.run(main())
"""


async def test_two_processes_create_at_once(real_home: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CREATOR, str(real_home), str(CREATES), IMAGE,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip

    async def told() -> list[bytes]:
        async with asyncio.timeout(PATIENCE):
            return [await p.stdout.readline() for p in processes if p.stdout is not None]

    def go_on() -> None:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(b"\n")

    try:
        assert await told() == [b"open\n"] * 2
        go_on()
        made = [json.loads(line) for line in await told()]
        assert [len(names) for names in made] == [CREATES] * 2
        go_on()
        listed = [json.loads(line) for line in await told()]
        everything = sorted(made[0] + made[1])
        assert len(set(everything)) == 2 * CREATES, f"a name was given twice: {everything}"
        assert [sorted(names) for names in listed] == [everything] * 2, "each lists all"
        assert [await process.wait() for process in processes] == [0, 0]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        await assert_consistent(engine)
        vms = await engine.vms.list()
        assert {vm.state for vm in vms} == {VmState.RUNNING}
        for vm in vms:
            channel = await engine.vms.exec(vm.name, ["hostname"])
            assert await channel.read() == vm.name.encode() + b"\n", "its port leads elsewhere"
            await channel.close()
        for operation in [await engine.vms.delete(vm.name) for vm in vms]:
            await operation.result()
        await assert_no_vms(engine)
        assert processes_mentioning([str(real_home)]) == []
