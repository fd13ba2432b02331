"""kill -9 in the ways in and out of images: the next start cleans up, the same command succeeds."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.gates import PATIENCE
from tests.engine_fixtures.inspection import names, processes_mentioning
from tests.engine_fixtures.template import IMAGE, KERNEL
from tests.host.registry.images import push_image, tar_layer
from tests.host.registry.server import RunningRegistry
from tests.host.test_pull_ends import ROOT, banger
from tests.live.ways import engine_below, odd_blobs, picture, registered, rows, small_filesystem

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)


async def killed_at(home: Path, place: str, *arguments: str) -> None:
    """The command, in a process that is killed at this place."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.live.standing_way", place, *arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "BANGER_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = await process.stdout.readline()
        assert line == b"here\n", (line, (await process.stderr.read()).decode())
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def kept(home: Path) -> list[str]:
    """What a start finds, which cleans up first."""
    async with Engine(Paths.below(home), Settings(image=IMAGE)) as engine:
        return await rows(engine)


async def proved(
    home: Path, places: Sequence[str], *command: str, watched: tuple[Path, ...] = (),
    new: str = "image new", stays: str = "",
) -> None:  # fmt: skip
    """Killed at each of the places, the command leaves nothing; then it succeeds.

    Args:
        new: what the command makes.
        stays: what is left by the last kill all the same.
    """
    before, here = await asyncio.to_thread(picture, home, *watched), await kept(home)
    for place in places:
        await killed_at(home, place, *command)
        found = await kept(home)
        if names(Paths.below(home).blobs / "leases"):
            # A lease of the dead holds nothing, and goes with the next prune.
            assert (await banger(home, "image", "prune"))[0] == 0
        if stays and place == places[-1]:
            assert found == sorted([*here, stays]), place
        else:
            assert found == here, place
            assert await asyncio.to_thread(picture, home, *watched) == before, place
        assert names(Paths.below(home).staging) == set(), place
        assert odd_blobs(home) == [], place
        async with asyncio.timeout(PATIENCE):  # tools end a moment after their master
            while left := processes_mentioning([str(home)]):
                assert "qemu-system" not in " ".join(left)
                await asyncio.sleep(0.05)
    code, _, err = await banger(home, *command)
    assert code == 0, err
    assert {*await kept(home)} == {*here, new, stays} - {""}
    assert names(Paths.below(home).staging) == set()


async def small(home: Path, tmp_path: Path) -> None:
    async with engine_below(home) as engine:
        await registered(engine, tmp_path / "small.ext4", "small")


async def test_register(real_home: Path, tmp_path: Path) -> None:
    file = small_filesystem(tmp_path / "mine.ext4")
    places = ("begin inspect", "end guest kit", "end build ext4", "begin publish")
    await proved(
        real_home, places, "image", "register", str(file), "--name", "new", watched=(file,)
    )


async def test_register_in_place(real_home: Path, tmp_path: Path) -> None:
    await small(real_home, tmp_path)
    file = tmp_path / "in-place.ext4"
    await asyncio.to_thread(
        shutil.copyfile, Paths.below(real_home).image("small") / "rootfs.ext4", file
    )
    command = ("image", "register", str(file), "--name", "new", "--in-place")
    await proved(real_home, ["end check", "begin publish"], *command, watched=(file,))


async def test_promote(real_home: Path, tmp_path: Path) -> None:
    await small(real_home, tmp_path)
    async with engine_below(real_home) as engine:
        await (await engine.vms.create(VmSpec(name="web", image="small"))).result()
        await (await engine.vms.stop("web")).result()
    places = ("end flatten", "end remove identity", "end build ext4")
    await proved(real_home, places, "image", "promote", "web", "new")


async def test_pull_a_container_image(real_home: Path, registry: RunningRegistry) -> None:
    image = await asyncio.to_thread(push_image, registry, [tar_layer({"a": b"a" * 5000})])
    command = ("image", "pull", image.reference, "--name", "new")
    await proved(real_home, ["end download", "end verify", "end build ext4"], *command)


async def test_export(real_home: Path, tmp_path: Path) -> None:
    """A file beside the target can't be found by the next start: the next export of it does."""
    await small(real_home, tmp_path)
    away = tmp_path / "away"
    away.mkdir()
    bundle = away / "new.tar.zst"
    export = ("image", "export", "small", str(bundle))
    before = await kept(real_home)
    await killed_at(real_home, "end compress", *export)
    (left,) = names(away)
    assert left.startswith(".new.tar.zst.")
    assert left.endswith(".part")
    mine = {".new.tar.zst.part", f"{left}.txt", left.replace("new", "old")}
    for name in mine:
        (away / name).touch()
    code, _, err = await banger(real_home, *export)
    assert code == 0, err
    assert names(away) == {"new.tar.zst", *mine}, "what was left is still there, or more is gone"
    assert await kept(real_home) == before


async def test_pull_a_bundle(real_home: Path, tmp_path: Path) -> None:
    await small(real_home, tmp_path)
    bundle = tmp_path / "new.tar.zst"
    async with engine_below(real_home) as engine:
        await (await engine.images.export("small", bundle)).result()
        for name in ("small", IMAGE):
            await engine.images.delete(name)
        await engine.kernels.delete(KERNEL)
    # A kernel that was published is whole, and is taken the next time.
    await proved(
        real_home, ["end unpack", "end publish kernel"], "image", "pull", str(bundle),
        "--name", "new", watched=(bundle,), stays=f"kernel {KERNEL}",
    )  # fmt: skip


async def test_push(real_home: Path, tmp_path: Path, registry: RunningRegistry) -> None:
    await small(real_home, tmp_path)
    command = ("image", "push", "small", f"{registry.address}/images/small:1")
    await proved(real_home, ["end compress", "begin push"], *command, new="")


async def test_build_on_a_real_machine(real_home: Path, tmp_path: Path) -> None:
    await small(real_home, tmp_path)
    script = tmp_path / "setup.sh"
    script.write_text("echo made >/made\n")
    command = ("image", "build", "--from", "small", "--script", str(script), "--name", "new")
    await proved(real_home, ["begin run script"], *command)
