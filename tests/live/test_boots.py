"""Boots in a row: no hang, no leftover process, socket, port or file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmSpec
from banger_tui.engine.network.ports import hold
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.inspection import assert_no_vms, processes_mentioning
from tests.engine_fixtures.template import IMAGE

BOOTS = int(os.environ.get("BANGER_BOOTS", "6"))
pytestmark = pytest.mark.timeout(120 + 90 * BOOTS)


async def test_boots_in_a_row_leave_nothing(real_home: Path) -> None:
    machines: list[str] = []
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        for _ in range(BOOTS):
            spec = VmSpec(image=IMAGE, memory_mib=256)
            vm = await (await engine.vms.create(spec)).result()
            machines.append(vm.machine)
            channel = await engine.vms.exec(vm.name, ["sh", "-c", "exit 7"])
            assert await channel.wait() == 7
            await channel.close()
            await (await engine.vms.delete(vm.name)).result()
            await assert_no_vms(engine)
            assert processes_mentioning([str(real_home)]) == []
            port = hold(vm.ssh_port, ours=True)
            assert port is not None, f"port {vm.ssh_port} is still taken"
            port.release()
    assert len(set(machines)) == 1, f"a boot needed the fallback machine: {machines}"
