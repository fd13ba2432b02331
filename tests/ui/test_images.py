"""What a person does with images, key by key, on the fake driver."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from banger_tui.engine.errors import BadContent
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.model import OperationState
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings, UserCatalog
from banger_tui.screens.images import ImagesScreen
from banger_tui.screens.pull import PullScreen
from banger_tui.settings import Loaded
from banger_tui.widgets.line_list import LineList
from tests.engine_fixtures.gates import Gate, Place, gate_stage
from tests.ui.conftest import LEAVE, Running, Start

STAGES = ("resolve reference", "read manifest", "download", "verify", "flatten", "guest kit",
          "build ext4", "check", "publish")  # fmt: skip


@pytest.fixture
def gates(builders: FakeBuilders, monkeypatch: pytest.MonkeyPatch) -> dict[str, Gate]:
    """One in each stage of a pull."""
    found = {}
    for stage in STAGES:
        gate = found[stage] = Gate()
        if stage in ("resolve reference", "publish"):
            # Once it is published, a pull can't be cancelled any more.
            place: Place = "begin" if stage == "publish" else "end"
            gate_stage(monkeypatch, "pull image", stage, place, gate)
        else:
            builders.hooks[stage] = gate
    return found


async def _images(ui: Running) -> ImagesScreen:
    await ui.press("2")
    await ui.until(lambda: isinstance(ui.app.screen, ImagesScreen), "the screen of images")
    await ui.sees("Images", "Here", "Catalog")
    screen = ui.app.screen
    assert isinstance(screen, ImagesScreen)
    return screen


async def _dialog(ui: Running, text: str = "", **more: str) -> None:
    await ui.press("p")
    await ui.until(lambda: isinstance(ui.app.screen, PullScreen), "the dialog")
    for field, value in {"image": text, **more}.items():
        ui.app.screen.query_one(f"#{field}", Input).value = value
    await ui.pilot.pause()


async def _pull(ui: Running, text: str) -> None:
    await _dialog(ui, text)
    await ui.press("enter")


async def test_every_stage_is_visible_while_it_runs(start: Start, gates: dict[str, Gate]) -> None:
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        for stage, gate in gates.items():
            await gate.reached()
            await ui.sees(f"◐ {stage}", "Working on: pull image alpine:3.20")
            if stage == "download":
                await ui.sees("✓   sha256:", "29 MiB of 29 MiB", "52 MiB of 52 MiB")
            gate.open()
        await ui.sees("● alpine:3.20", "container", "180M", "just now")
        await ui.until(lambda: ": alpine:3.20 is here" in ui.told)
        # Config, layers with sizes, labels, the digest that it is pinned by.
        await ui.sees("alpine:3.20@sha256:", "WorkingDir  /srv", "4 layers", "29M",
                      "org.opencontainers.image.title=made up")  # fmt: skip


async def test_layers_have_bars_and_the_whole_a_rate_and_an_end(
    start: Start, builders: FakeBuilders
) -> None:
    builders.image_seconds = 60.0
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        await ui.sees("MiB of 52 MiB", "MiB/s", "s left")
        screen = ui.app.screen
        await ui.press("plus")
        await ui.until(lambda: screen.has_class("-zoomed"))

        def bars() -> int:
            lines = ui.shown().splitlines()
            return sum("sha256:" in line and "━" in line and "%" not in line for line in lines)

        await ui.until(lambda: bars() >= 2, "a bar for each layer")


@pytest.mark.parametrize("stage", STAGES)
async def test_cancel_in_every_stage(start: Start, gates: dict[str, Gate], stage: str) -> None:
    for name, gate in gates.items():
        if name != stage:
            gate.open()
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        await gates[stage].reached()
        await ui.sees(f"◐ {stage}", "c cancel")
        await ui.press("c")
        await ui.sees("Cancel pull image alpine:3.20?", "What is downloaded is kept")
        await ui.press("y")
        await ui.until(lambda: ui.ended("pull image") == [OperationState.CANCELLED])
        await ui.sees("No images yet.")
        assert not await ui.app.bridge.engine.images.list()
        assert any("Its downloads are kept" in told for told in ui.told)


async def test_failed_pull_is_told_and_tried_again(start: Start, builders: FakeBuilders) -> None:
    builders.failures["flatten"] = BadContent(
        "Layer 2 leads out of the image", "It has ../../etc/passwd.", "Tell who made the image."
    )
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        await ui.sees("✗ alpine:3.20", "failed: Layer 2", "It has ../../etc/passwd.", "R retry")
        builders.failures.clear()
        await ui.press("R")
        await ui.sees("● alpine:3.20", "container")
        both = [OperationState.FAILED, OperationState.DONE]
        await ui.until(lambda: ui.ended("pull image") == both)
        assert "Failed" not in ui.shown(), "what was tried again is told no more"


async def test_pull_after_a_failure_is_no_failure(start: Start, builders: FakeBuilders) -> None:
    builders.failures["flatten"] = BadContent("Layer 2 is broken", "", "")
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        await ui.sees("failed: Layer 2 is broken")
        builders.failures.clear()
        await _pull(ui, "alpine:3.20")
        await ui.sees("● alpine:3.20", "container")
        assert "Layer 2" not in ui.shown()


async def test_failure_is_put_away(start: Start, builders: FakeBuilders) -> None:
    builders.failures["flatten"] = BadContent("Layer 2 is broken", "", "")
    async with start() as ui:
        await _images(ui)
        await _pull(ui, "alpine:3.20")
        await ui.sees("failed: Layer 2 is broken")
        await ui.press("escape")
        await ui.sees("No images yet.")
        assert "Layer 2" not in ui.shown()


async def test_filter_sort_and_the_state_stays(start: Start) -> None:
    async with start() as ui:
        await ui.pull("alpine", "busybox", "debian")
        screen = await _images(ui)
        listed = screen.query_one("#here", LineList)
        await ui.sees("alpine", "busybox", "debian")
        await ui.press("T")
        assert listed.keys == ["debian", "busybox", "alpine"]
        await ui.press("slash", *"an", "enter")
        await ui.until(lambda: listed.keys == ["debian"])
        await ui.sees("matching an", "1 of 3")
        await ui.press("1")
        await ui.sees("No machines yet.")
        await ui.press("3")
        await ui.sees("Kernels")
        await ui.press("2")
        await ui.sees("matching an")
        assert ui.app.screen is screen
        assert listed.sort == ("name", True)
        await ui.press("escape")
        assert listed.keys == ["debian", "busybox", "alpine"]
        await ui.press("escape")
        await ui.sees("No machines yet.")


async def test_marked_images_go_after_one_question(start: Start) -> None:
    async with start() as ui:
        await ui.pull("alpine", "busybox", "debian-bookworm")
        await ui.run_one()
        await ui.press(*LEAVE)
        screen = await _images(ui)
        await ui.sees("debian-bookworm", "1 VM")
        await ui.press("ctrl+a")
        await ui.sees("3 marked")
        await ui.press("d")
        await ui.sees("Delete 2 images?", "alpine, busybox", "This frees 360M of disk.",
                      "debian-bookworm stays: in use by")  # fmt: skip
        assert isinstance(ui.app.focused, Button)
        assert ui.app.focused.id == "no"
        await ui.press("y")
        await ui.until(lambda: list(ui.app.bridge.world.images) == ["debian-bookworm"])
        await ui.until(lambda: screen.query_one("#here", LineList).keys == ["debian-bookworm"])
        await ui.press("d")
        await ui.sees("The image debian-bookworm is in use")


async def test_catalog_shows_what_can_be_pulled(start: Start) -> None:
    async with start() as ui:
        await ui.pull("alpine")
        screen = await _images(ui)
        await ui.press("right")
        await ui.sees("DOWNLOAD", "debian-bookworm-slim", "170M", "docker.io/library/alpine:latest")
        listed = screen.query_one("#catalog", LineList)
        assert "yes" in next(line for line in ui.shown().splitlines() if "● alpine" in line)
        await ui.press("enter")
        await ui.until(lambda: screen.query_one("#here").display and not listed.display)
        await ui.press("right", "g", "down", "down", "space", "space")
        await ui.sees("2 marked")
        await ui.press("enter")
        await ui.until(lambda: set(ui.app.bridge.world.images) == {"alpine", "busybox", "debian"})
        assert not listed.marks


async def test_catalog_that_can_not_be_read_is_told(start: Start, paths: Paths) -> None:
    own = UserCatalog(str(paths.state / "none.json"))
    settings = Loaded(engine=Settings(catalogs=(own,)))
    async with start(settings=settings) as ui:
        await _images(ui)
        await ui.press("right")
        await ui.sees("! Can't read the catalog", "none.json", "○ alpine")
        await ui.press("u")
        await ui.until(lambda: any("Can't read the catalog" in told for told in ui.told))


async def test_palette_has_its_actions_and_names(start: Start) -> None:
    async with start() as ui:
        await _images(ui)
        await ui.press("ctrl+p")
        await ui.pilot.pause(0.3)
        await ui.press(*"go to fedora")
        await ui.sees("Go to fedora")
        await ui.press("down", "enter")
        await ui.sees("docker.io/library/fedora:latest")
        await ui.press("question_mark")
        await ui.sees("push to a registry", "prune downloads", "what the catalogs offer")


async def test_run_from_an_image(start: Start) -> None:
    async with start() as ui:
        await ui.pull("alpine")
        await _images(ui)
        await ui.sees("● alpine")
        await ui.press("r")
        await ui.until(lambda: any(vm.running for vm in ui.vms.values()), "a machine runs")
        (vm,) = ui.vms.values()
        assert vm.image == "alpine"
        assert ui.app.screen is ui.home


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alpine:3.20", ["container image docker.io/library/alpine:3.20"]),
        ("ghcr.io/org/img", ["container image ghcr.io/org/img:latest"]),
        ("busybox", ["of the catalog: The guest kit alone"]),
        ("https://example.org/a.tar.zst", ["bundle at https://example.org/a.tar.zst"]),
        ("alpin", ["No catalog has alpin", "Did you mean alpine or archlinux?"]),
        ("nothing-like-it", ["No catalog has nothing-like-it", "nothing-like-it:latest"]),
        ("Bad:::", ["is no image reference"]),
        ("/no/such.ext4", ["Can't read /no/such.ext4"]),
        ("", ["Say what to pull", "alpine:3.20"]),
    ],
)
async def test_dialog_says_what_it_understood(start: Start, text: str, said: list[str]) -> None:
    async with start() as ui:
        await _images(ui)
        await _dialog(ui, text)
        await ui.sees(*said)
        wrong = any(word in said[0] for word in ("No catalog", "no image", "Can't", "Say what"))
        assert ui.app.screen.query_one("#submit", Button).disabled == wrong


async def test_dialog_takes_files_and_completes(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rootfs.ext4").write_bytes(b"\0" * 4096)
    (tmp_path / "image.tar.zst").write_bytes(b"\0" * 2048)
    async with start() as ui:
        await _images(ui)
        await _dialog(ui, f"{tmp_path}/rootfs.ext4")
        await ui.sees("a file of 4K: root filesystem to be copied")
        entry = ui.app.screen.query_one("#image", Input)
        entry.value = f"{tmp_path}/image.tar.zst"
        await ui.sees("a file of 2K: bundle file")
        entry.value = "debian-bookworm"
        await ui.press("end", "-")
        await ui.until(lambda: entry._suggestion == "debian-bookworm-slim")
        await ui.press("tab")
        assert entry.value == "debian-bookworm-slim"
        entry.value = f"{tmp_path}/r"
        await ui.press("end", "o")
        await ui.until(lambda: entry._suggestion.endswith("/rootfs.ext4"))


async def test_dialog_options_reach_the_engine(start: Start, builders: FakeBuilders) -> None:
    async with start() as ui:
        await ui.pull("alpine")
        await _images(ui)
        await _dialog(ui, "alpine")
        await ui.sees("alpine is here already")
        await _dialog_fields(ui, name="mine", size="many")
        await ui.sees("'many' is no size")
        await _dialog_fields(ui, size="2G", platform="arm64")
        await ui.sees("'arm64' is no platform")
        await _dialog_fields(ui, platform="linux/arm64")
        ui.app.screen.query_one("#plain").focus()
        await ui.press("space")
        ui.app.screen.query_one("#name").focus()
        await ui.press("enter")
        await ui.until(lambda: "mine" in ui.app.bridge.world.images)
        image = ui.app.bridge.world.images["mine"]
        assert (image.disk_bytes, image.platform, image.bootable) == (2 << 30, "linux/arm64", False)
        await ui.press("G")
        await ui.sees("plain: without guest kit")
        await ui.press("r")
        await ui.until(lambda: any("does not boot" in told for told in ui.told))


async def _dialog_fields(ui: Running, **values: str) -> None:
    for field, value in values.items():
        ui.app.screen.query_one(f"#{field}", Input).value = value
    await ui.pilot.pause()


async def test_stopped_machine_becomes_an_image(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "m")
        await ui.until(lambda: any("Can't make an image" in told for told in ui.told))
        await ui.press("x")
        await ui.sees(f"Stop {vm.name}?")
        await ui.press("y")
        await ui.sees("m make image")
        await ui.press("m")
        await ui.sees("Make an image of a machine", f"{vm.name}-image", "machine-id")
        await ui.press("enter")
        await ui.until(lambda: f"{vm.name}-image" in ui.app.bridge.world.images)
        await _images(ui)
        await ui.sees(f"● {vm.name}-image", "machine")


async def test_export_and_push_ask_where_to(start: Start, tmp_path: Path) -> None:
    async with start() as ui:
        await ui.pull("alpine")
        await _images(ui)
        await ui.press("e")
        await ui.sees("Export alpine", "~/alpine.tar.zst")
        entry = ui.app.screen.query_one("#file", Input)
        entry.value = str(tmp_path / "a")
        await ui.sees("A bundle's name ends in .tar.zst")
        entry.value = str(tmp_path / "no" / "a.tar.zst")
        await ui.sees("There is no directory")
        await ui.press("escape", "P")
        await ui.sees("Push alpine", "Say where to")
        await ui.press(*"localhost:5000/mine")
        await ui.sees("as an artifact to localhost:5000/mine:latest")
        await ui.press("escape", "i")
        await ui.sees("Register a root filesystem")
        await ui.press("escape", "x")
        await ui.until(lambda: any("is needed" in told for told in ui.told))


async def test_a_pull_of_a_create_is_seen_too(start: Start, builders: FakeBuilders) -> None:
    builders.gate = asyncio.Event()
    async with start() as ui:
        await ui.press("r")
        await ui.until(lambda: builders.images_built == 1)
        await _images(ui)
        await ui.sees("◐ debian-bookworm", "✓ install packages")
        builders.gate.set()
        await ui.sees("● debian-bookworm")
