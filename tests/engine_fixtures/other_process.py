"""Another process that creates a VM, and stands still where a test wants to kill it.

Run as ``python -m tests.engine_fixtures.other_process HOME NAME IMAGE PLACE``. PLACE is a stage
("create/boot": its work is done, it has not ended), "launched" (the VMM runs, nothing is recorded),
or "-" (nowhere). ``here`` is printed there, ``ready`` when the VM is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors.base import Launch, Vmm
from banger_tui.engine.hypervisors.qemu import QemuDriver
from banger_tui.engine.model import VmSpec
from banger_tui.engine.operations import Run
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from banger_tui.engine.stages import LiveStage


async def stand_still() -> None:
    # Progress is saved a moment later; whoever reads "here" may look at the stored stages.
    await asyncio.sleep(0.5)
    print("here", flush=True)
    await asyncio.Event().wait()


def arrange(place: str) -> None:
    if place == "launched":
        original_launch = QemuDriver.launch

        async def launch_and_stand(self: QemuDriver, launch: Launch) -> Vmm:
            vmm = await original_launch(self, launch)
            await stand_still()
            return vmm

        QemuDriver.launch = launch_and_stand  # type: ignore[method-assign]
        return
    kind, _, name = place.partition("/")
    original = Run.stage

    @asynccontextmanager
    async def stage(run: Run, wanted: str) -> AsyncIterator[LiveStage]:
        async with original(run, wanted) as live:
            yield live
            if wanted == name and run._operation.view.kind == kind:
                await stand_still()

    Run.stage = stage  # type: ignore[assignment,method-assign]


async def main(home: str, name: str, image: str, place: str) -> None:
    arrange(place)
    async with Engine(Paths.below(Path(home)), Settings(image=image)) as engine:
        operation = await engine.vms.create(VmSpec(name=name, image=image, memory_mib=256))
        vm = await operation.result()
        print("ready", vm.name, vm.ssh_port, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
