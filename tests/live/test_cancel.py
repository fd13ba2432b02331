"""Cancel in the stages in which a real hypervisor or real tools are at work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import OperationCancelled
from banger_tui.engine.model import OperationView, StageState, VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.gates import Gate, gate_stage
from tests.engine_fixtures.inspection import assert_no_vms, mounts, processes_mentioning
from tests.engine_fixtures.template import IMAGE

pytestmark = pytest.mark.timeout(600)
PATIENCE = 400.0


@pytest.mark.parametrize("stage", ["prepare disk", "launch", "boot", "wait for guest", "ready"])
async def test_create_cancelled_on_qemu_nothing_is_left(
    real_home: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    gate_stage(monkeypatch, "create", stage, "begin" if stage == "wait for guest" else "end", gate)
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE, memory_mib=256))
        async with asyncio.timeout(PATIENCE):
            while not gate._reached.is_set():
                await asyncio.sleep(0.05)
                assert not operation.over, operation.view.failure
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        await assert_no_vms(engine)
        assert processes_mentioning([str(real_home)]) == []


def runs(view: OperationView, name: str) -> bool:
    def inside(stages: tuple[object, ...]) -> bool:
        return any(
            (getattr(s, "name", "") == name and getattr(s, "state", None) is StageState.RUNNING)
            or inside(getattr(s, "children", ()))
            for s in stages
        )

    return inside(view.stages)


async def cancelled_in(home: Path, image: str, stage: str) -> None:
    """Create on an empty home, cancelled while ``stage`` runs and a tool with it."""
    async with Engine(Paths.below(home), Settings(image=image)) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=image))
        async with asyncio.timeout(PATIENCE):
            while not (runs(operation.view, stage) and processes_mentioning([str(home)])):
                assert not operation.over, operation.view.failure
                await asyncio.sleep(0.02)
        operation.cancel()
        with pytest.raises(OperationCancelled):
            await operation.result()
        await assert_no_vms(engine)
        assert processes_mentioning([str(home)]) == []
        assert await engine.images.list() == []


async def test_create_cancelled_while_packages_are_downloaded(tmp_path: Path) -> None:
    await cancelled_in(tmp_path / "home", IMAGE, "guest kit")


async def test_create_cancelled_while_debian_is_bootstrapped(tmp_path: Path) -> None:
    await cancelled_in(tmp_path / "home", "debian-bookworm", "install packages")
    assert str(tmp_path) not in mounts(), "a mount is left behind"
