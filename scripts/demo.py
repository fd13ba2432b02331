"""The real app on the fake driver, with machines already there: ``python scripts/demo.py SCENE``.

Scenes: empty, machines, sessions (machines with shells and commands in them), slow (images and
boots take their time), failing (guests never come up).
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
from banger_tui.engine.model import SessionMode, SessionSpec, VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from banger_tui.settings import Loaded, load

MACHINES = ("calm-owl", "old-tern", "quiet-fox")

SESSIONS = (
    ("quiet-fox", SessionSpec(name="shell")),
    ("calm-owl", SessionSpec(name="shell")),
    ("calm-owl", SessionSpec(("sleep", "86400"), name="watch", mode=SessionMode.PIPE)),
    ("calm-owl", SessionSpec(
        ("sh", "-c", "echo compiling 214 files; echo parser.c: 3 warnings >&2; "
         "echo make: stopped: parser.c does not compile; exit 2"),
        name="build", mode=SessionMode.PIPE)),
    ("quiet-fox", SessionSpec(("sh", "-c", "echo 96 passed in 4.2 s"), name="tests",
                              mode=SessionMode.PIPE)),
    ("quiet-fox", SessionSpec(("cat",), name="notes", mode=SessionMode.PIPE)),
)  # fmt: skip

_GREEN, _RED, _BLUE, _OFF = "\x1b[32m", "\x1b[31m", "\x1b[1;34m", "\x1b[0m"
SAID = {
    "quiet-fox": (
        "git log --oneline",
        f"\x1b[33m4f1c2aa{_OFF} ({_BLUE}HEAD -> {_GREEN}main{_OFF}) Read the settings once",
        f"\x1b[33m90be3d1{_OFF} Say which file is damaged",
        f"\x1b[33m2c7740e{_OFF} Keep the order of what was opened",
        f"\x1b[33m71aa09b{_OFF} Test with a slow disk",
    ),
    "calm-owl": (
        "make check",
        f"{_GREEN}  ok{_OFF} lexer    41 tests",
        f"{_GREEN}  ok{_OFF} printer  17 tests",
        f"{_RED}fail{_OFF} parser   38 tests, 1 failed",
    ),
}


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
            if scene == "sessions":
                await _begin(engine, driver)
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


async def _begin(engine: Engine, driver: FakeDriver) -> None:
    for name, spec in SESSIONS:
        await engine.sessions.start(name, spec)
    for name, (typed, *lines) in SAID.items():
        shell = driver.shells[(await engine.vms.get(name)).id]["shell"]
        shell.write("\r\n".join((typed, *lines, f"root@{name}:~# ")).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    scenes = ("empty", "machines", "sessions", "slow", "failing")
    parser.add_argument("scene", nargs="?", default="machines", choices=scenes)
    scene = parser.parse_args().scene
    with tempfile.TemporaryDirectory(prefix="banger-demo-") as directory:
        home = Path(os.environ.get("BANGER_HOME") or directory)
        asyncio.run(show(scene, Paths.below(home)))


if __name__ == "__main__":
    main()
