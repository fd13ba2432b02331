"""The real app on the fake driver, with machines already there: ``python scripts/demo.py SCENE``.

Scenes: empty, machines, slow (images and boots take their time), failing (guests never come up).
State lies below BANGER_HOME, or in a directory that is removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from banger_tui.app import BangerApp
from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BootFailed
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.model import VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from banger_tui.settings import Loaded, load

MACHINES = ("calm-owl", "old-tern", "quiet-fox")


class DemoApp(BangerApp):
    """The app with an engine whose machines and images are made up."""

    def __init__(
        self, paths: Paths, settings: Loaded, driver: FakeDriver, builders: FakeBuilders
    ) -> None:
        super().__init__(paths, settings=settings, driver=driver)
        self._made_up = driver, builders

    def connect(self) -> None:
        def make() -> AbstractAsyncContextManager[Engine]:
            return _engine(self.paths, self.settings.engine, *self._made_up)

        self.bridge.open(make)


def _engine(paths: Paths, settings: Settings, driver: FakeDriver, builders: FakeBuilders) -> Engine:
    return Engine(paths, settings, driver=driver, artefacts=builders.artefacts)


async def show(scene: str, paths: Paths) -> None:
    """Prepare the scene and run the app to its end."""
    settings = load(paths.config_file)
    driver, builders = FakeDriver(), FakeBuilders()
    if scene not in ("empty", "slow"):
        async with _engine(paths, settings.engine, driver, builders) as engine:
            await _make(engine, MACHINES)
    driver.boot_seconds = 1.0
    if scene == "slow":
        builders.image_seconds, builders.kernel_seconds = 12.0, 1.0
        driver.boot_seconds = 6.0
    if scene == "failing":
        driver.failures["wait_ready"] = BootFailed(
            "The guest does not come up (wait for guest)",
            "Nothing after 61 s, of which 90 s of processor time.",
            "The console log is kept in the log of this operation.",
        )
    app = DemoApp(paths, settings, driver, builders)
    await app.run_async()
    if app.crash:
        raise SystemExit(app.crash)


async def _make(engine: Engine, names: Iterable[str]) -> None:
    for name in names:
        await (await engine.vms.create(VmSpec(name=name))).result()
    await (await engine.vms.stop("old-tern")).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scenes = ("empty", "machines", "slow", "failing")
    parser.add_argument("scene", nargs="?", default="machines", choices=scenes)
    scene = parser.parse_args().scene
    with tempfile.TemporaryDirectory(prefix="banger-demo-") as directory:
        home = Path(os.environ.get("BANGER_HOME") or directory)
        asyncio.run(show(scene, Paths.below(home)))


if __name__ == "__main__":
    main()
