"""What a person does with kernels, key by key, on the fake driver."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Button, Input

from banger_tui.engine.errors import BadContent
from banger_tui.engine.hypervisors.fake_artefacts import FakeBuilders
from banger_tui.engine.model import OperationState
from banger_tui.screens.kernels import KernelsScreen
from tests.engine_fixtures.gates import Gate
from tests.ui.conftest import LEAVE, Running, Start

KERNEL = "debian-bookworm-cloud"


async def _kernels(ui: Running) -> None:
    await ui.press("3")
    await ui.until(lambda: isinstance(ui.app.screen, KernelsScreen), "the screen of kernels")
    await ui.sees("Kernels", "Here", "Catalog", "No kernels yet.")


async def test_pull_by_name_with_its_stages(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _kernels(ui)
        await ui.press("p")
        await ui.sees("Pull a kernel", "There is: debian-bookworm-cloud")
        await ui.press(*KERNEL)
        await ui.sees("Debian 12's kernel")
        await ui.press("enter")
        await gate.reached()
        await ui.sees(f"◐ {KERNEL}", "◐ build", "◐   download", "10 MiB")
        gate.open()
        await ui.sees(f"● {KERNEL}", "6.1.0-fake", "10M", "used by     nothing")


async def test_cancel_and_retry(start: Start, builders: FakeBuilders) -> None:
    gate = builders.hooks["download"] = Gate()
    async with start() as ui:
        await _kernels(ui)
        await ui.press("right")
        await ui.sees(f"○ {KERNEL}", "linux-image-cloud")
        await ui.press("enter")
        await gate.reached()
        await ui.press("c")
        await ui.sees("Cancel pull kernel")
        await ui.press("y")
        await ui.until(lambda: ui.ended("pull kernel") == [OperationState.CANCELLED])
        gate.open()
        builders.failures["download"] = BadContent("The package is damaged", "", "Try again.")
        await ui.press("enter")
        await ui.sees("The package is damaged", "R retry")
        builders.failures.clear()
        await ui.press("R")
        await ui.sees(f"● {KERNEL}")


async def test_used_kernels_stay(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "3")
        await ui.sees(f"● {KERNEL}", "image debian-bookworm", f"VM {vm.name}")
        await ui.press("d")
        await ui.sees(f"The kernel {KERNEL} is in use", "image debian-bookworm")


async def test_delete_asks(start: Start) -> None:
    async with start() as ui:
        kernels = ui.app.bridge.engine.kernels
        await (await kernels.pull(KERNEL)).result()
        await ui.press("3")
        await ui.sees(f"● {KERNEL}")
        await ui.press("d")
        await ui.sees(f"Delete {KERNEL}?", "This frees 10M of disk.", "Pull it again")
        await ui.press("y")
        await ui.sees("No kernels yet.")


async def test_import_form_judges(start: Start, tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"no kernel")
    async with start() as ui:
        await _kernels(ui)
        await ui.press("i")
        await ui.sees("Import a kernel", "Say what the kernel is called",
                      "the kernel that runs on this host")  # fmt: skip
        submit = ui.app.screen.query_one("#submit", Button)
        name, source = (ui.app.screen.query_one(f, Input) for f in ("#name", "#kernel"))
        name.value = "Not A Name"
        await ui.sees("can't be a kernel's name")
        name.value = "mine"
        source.value = "somewhere"
        await ui.sees("somewhere is no path")
        source.value = str(tmp_path / "no.deb")
        await ui.sees("Can't read")
        assert submit.disabled
        source.value = str(tmp_path / "vmlinuz")
        await ui.sees("kernel file vmlinuz: a file of 9B")
        assert not submit.disabled
        await ui.press("enter")
        await ui.sees("✗ mine", "failed")
        assert ui.ended("import kernel") == [OperationState.FAILED]
