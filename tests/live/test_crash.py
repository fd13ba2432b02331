"""kill -9 in every stage of a create: the next start finds a consistent state, nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import OperationState, StageState, VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.inspection import (
    assert_no_vms,
    mounts,
    names,
    processes_mentioning,
)
from tests.engine_fixtures.template import IMAGE

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 400.0

STAGES = (
    "resolve image", "resolve kernel", "reserve", "prepare disk", "network", "launch", "boot",
    "wait for guest", "ready",
)  # fmt: skip


@asynccontextmanager
async def creating(
    home: Path, place: str, image: str = IMAGE
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another process that creates the VM "web" and stands still at ``place``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.engine_fixtures.other_process",
        str(home), "web", image, place,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def reached(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    assert line.strip() == b"here", f"the create ended before it was killed: {line!r}"


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def settled(home: Path, *, recreate: bool = True, up: bool = False) -> None:
    """Start anew: nothing of the killed create is left, and its name can be used.

    ``up``: it was killed when the VM was up already; the VM is then adopted.
    """
    async with Engine(Paths.below(home), Settings(image=IMAGE)) as engine:
        if up:
            assert (await engine.vms.get("web")).running
            channel = await engine.vms.exec("web", ["echo", "up"])
            assert await channel.read() == b"up\n"
            await (await engine.vms.delete("web")).result()
        await assert_no_vms(engine)
        left = [p for p in processes_mentioning([str(home)]) if "other_process" in p or "qemu" in p]
        assert left == [], "processes of the killed create live on"
        interrupted = [v for v in await engine.operations.list() if v.kind == "create"][-1]
        assert interrupted.state is OperationState.FAILED
        assert interrupted.failure is not None
        assert interrupted.failure.kind == "Interrupted"
        assert not [s for s in interrupted.stages if s.state is StageState.RUNNING]
        if recreate:
            operation = await engine.vms.create(VmSpec(name="web", image=IMAGE, memory_mib=256))
            assert (await operation.result()).running
            await (await engine.vms.delete("web")).result()
            await assert_no_vms(engine)
    assert names(Paths.below(home).staging) == set()


@pytest.mark.parametrize("place", [*(f"create/{stage}" for stage in STAGES), "launched"])
async def test_killed_in_a_stage_of_create(real_home: Path, place: str) -> None:
    async with creating(real_home, place) as process:
        await reached(process)
        if place.startswith("create/"):
            async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as onlooker:
                (view,) = [v for v in await onlooker.operations.list() if v.kind == "create"]
                stage = next(s for s in view.stages if s.name == place.partition("/")[2])
                assert stage.state is StageState.RUNNING, "not where it should be killed"
                assert not view.state.over, "a second process has ended the first one's work"
        await killed(process)
    await settled(real_home, up=place == "create/ready")


@pytest.mark.parametrize(
    # In the stages before, which the builder opens: test_ways_crash.
    "place",
    ["pull image/publish", "pull kernel/build", "pull kernel/publish"],
)
async def test_killed_while_an_image_or_kernel_is_made(
    tmp_path: Path, template: Path, place: str
) -> None:
    """Everything but the guest kit is made anew."""
    home = tmp_path / "home"
    home.mkdir()
    import shutil

    paths = Paths.below(home)
    paths.prepare()
    shutil.copytree(Paths.below(template).kits, paths.kits, dirs_exist_ok=True)
    async with creating(home, place) as process:
        await reached(process)
        await killed(process)
    await gone(home)
    await settled(home, recreate=False)


async def gone(home: Path) -> None:
    """No process has to do with this home any more (they end a moment after their master)."""
    async with asyncio.timeout(60):
        while processes_mentioning([str(home)]):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("image", "tool"), [(IMAGE, "apt-get"), ("debian-bookworm", "mmdebstrap")])
async def test_killed_while_a_tool_works_the_tool_ends_too(
    tmp_path: Path, image: str, tool: str
) -> None:
    """Packages are being downloaded or installed, in the middle of whatever they do."""
    home = tmp_path / "home"
    async with creating(home, "-", image) as process:
        async with asyncio.timeout(PATIENCE):
            while not any(
                f"/{tool} " in p or f" {tool} " in p for p in processes_mentioning([str(home)])
            ):
                assert process.returncode is None, f"it ended before {tool} was seen"
                await asyncio.sleep(0.02)
        await killed(process)
    await gone(home)
    await settled(home, recreate=False)
    assert str(home) not in mounts(), "a mount is left behind"
