"""A bundle in another home: its kernel's name stands for another kernel there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.model import VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.inspection import assert_consistent
from tests.engine_fixtures.template import IMAGE, KERNEL, link_template

pytestmark = pytest.mark.timeout(300)


def another_kernel(home: Path) -> None:
    """Zeros behind an initrd mean nothing to Linux, and make it another one."""
    initrd = Paths.below(home).kernel(KERNEL) / "initrd.img"
    data = initrd.read_bytes()
    initrd.unlink()  # its other name is in a home that stays as it is
    initrd.write_bytes(data + b"\0" * 4096)


async def test_another_kernel_of_that_name_goes_by_its_own(
    real_home: Path, template: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "new.tar.zst"
    elsewhere = link_template(template, tmp_path / "elsewhere")
    await asyncio.to_thread(another_kernel, elsewhere)
    async with Engine(Paths.below(elsewhere), Settings(image=IMAGE)) as engine:
        await (await engine.images.export(IMAGE, bundle)).result()
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        here = {kernel.name: kernel.digest for kernel in await engine.kernels.list()}
        image = await (await engine.images.pull(str(bundle), name="new")).result()
        assert image.kernel != KERNEL
        assert image.kernel.startswith(f"{KERNEL}-")
        after = {kernel.name: kernel.digest for kernel in await engine.kernels.list()}
        assert after.pop(image.kernel)[7:15] == image.kernel.removeprefix(f"{KERNEL}-")
        assert after == here, "the kernel that was there has changed"
        assert (await engine.images.get(IMAGE)).kernel == KERNEL
        # Once more: it is known by now, and no third one is made.
        again = await (await engine.images.pull(str(bundle), name="again")).result()
        assert again.kernel == image.kernel
        assert len(await engine.kernels.list()) == len(here) + 1
        create = await engine.vms.create(VmSpec(name="web", image="new", memory_mib=256))
        vm = await create.result()
        assert vm.running
        assert vm.kernel == image.kernel
        await (await engine.vms.delete("web")).result()
        await assert_consistent(engine)
