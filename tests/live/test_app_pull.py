"""A pull in the real app in a real terminal, from a real registry: left half-way, gone on with."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.oci.blobs import Blobs
from banger_tui.engine.paths import Paths
from scripts.terminal.tmux import Pane
from tests.host.registry.images import push_image, tar_layer
from tests.host.registry.inspection import MIB
from tests.host.registry.proxy import FaultProxy, Hold
from tests.host.registry.server import RunningRegistry
from tests.live.test_any_image import banger

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)
COMMAND = [sys.executable, "-m", "banger_tui"]
PATIENCE = 120.0


async def in_app(home: Path, steps: Callable[[Pane], None]) -> None:
    """Open the app, do it, and see the app end."""

    def session() -> None:
        app = Pane(COMMAND, env={"BANGER_HOME": str(home)})
        try:
            steps(app)
            app.ended()
        finally:
            app.close()

    await asyncio.to_thread(session)


async def has_image(home: Path, name: str) -> bool:
    listed = json.loads((await banger(home, "image", "list", "--json"))[1])
    return any(image["name"] == name for image in listed)


async def test_a_pull_left_half_way_goes_on_at_the_next_start(
    real_home: Path, registry: RunningRegistry, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BANGER_DRIVER", raising=False)
    layers = [tar_layer({"small": b"x"}), tar_layer({"large": os.urandom(8 * MIB)})]
    image = push_image(registry, layers, {"Env": ["A=b"]}, compression="none", repository="half")
    large = image.layers[1]
    loop = asyncio.get_running_loop()
    gate, reached = asyncio.Event(), asyncio.Event()
    proxy.on(large["digest"], Hold(gate, reached, 2 * MIB))
    reference = f"{proxy.address}/half:{image.reference.rpartition(':')[2]}"
    part = Blobs(Paths.below(real_home).blobs).part(large["digest"])

    def leave(app: Pane) -> None:
        app.sees("No machines yet.", "Host:", seconds=PATIENCE)
        app.press("2")
        app.sees("Here", "Catalog")
        app.press("p")
        app.sees("Pull an image")
        app.type(reference)
        app.sees("container image")
        app.press("Enter")
        app.sees("resolve reference", "read manifest", "download", "verify", seconds=PATIENCE)
        asyncio.run_coroutine_threadsafe(reached.wait(), loop).result(PATIENCE)
        app.press("q")
        app.sees("Quit now?", "Leave and resume later")
        app.press("l")

    await in_app(real_home, leave)
    assert reached.is_set()
    assert part.stat().st_size == 2 * MIB
    assert not await has_image(real_home, reference)
    assert not list((real_home / "cache" / "staging").iterdir())
    before = proxy.moved(large["digest"])

    def look_on(app: Pane) -> None:
        # At once: a key that comes before the first frame must not keep the engine closed.
        app.press("2")
        app.sees("container", reference[:20], "pulled", seconds=PATIENCE)
        app.press("q")

    await in_app(real_home, look_on)
    assert await has_image(real_home, reference)
    assert proxy.moved(large["digest"]) - before == large["size"] - 2 * MIB, "only what was missing"
