"""The app around the machines: opening, failing to open, settings, palette, help, doctor."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from banger_tui import settings
from banger_tui.app import BangerApp
from banger_tui.engine.errors import BangerError
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from banger_tui.screens.error import command_in
from banger_tui.settings import Loaded
from banger_tui.widgets.machine_list import MachineList
from tests.ui.conftest import LEAVE, Running, Start, until


async def test_state_that_cannot_be_used_is_told_and_the_app_can_be_left(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    app = BangerApp(Paths.below(tmp_path), settings=Loaded(), driver=FakeDriver())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = Running(app, pilot, FakeDriver())
        await ui.sees("Can't use", "BANGER_HOME", "→")
        assert "Traceback" not in ui.shown()
        await ui.press("q")
        await ui.until(lambda: not app.is_running, "the app has ended")


async def test_broken_database_is_told(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path)
    paths.prepare()
    paths.database.write_bytes(b"this is no database" * 100)
    app = BangerApp(paths, settings=Loaded(), driver=FakeDriver())
    async with app.run_test(size=(80, 24)) as pilot:
        ui = Running(app, pilot, FakeDriver())
        await ui.sees("This did not work", "→")
        await ui.press("y")
        assert app.clipboard == f"mv {paths.database} {paths.database}.broken"
        await ui.press("escape")
        await ui.sees("! not open")
        assert "opening" not in ui.shown().splitlines()[0]
        await ui.press("r")
        await ui.sees("This did not work")


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("Keep a copy, then: mv /a b/c /d.broken (VMs are made anew)", "mv /a b/c /d.broken"),
        ("Install it: sudo apt-get install x   (or run: make setup)", "sudo apt-get install x"),
        ("See: banger-tui image list; get it: banger-tui image pull x", "banger-tui image list"),
        ("Stop it first: banger-tui vm stop quiet-fox", "banger-tui vm stop quiet-fox"),
        ("Make it writable for you, or set BANGER_HOME=DIR.", ""),
        ("", ""),
    ],
)
def test_command_in_a_hint_stands_alone(hint: str, command: str) -> None:
    assert command_in(hint) == command


async def test_an_error_of_a_call_is_shown_with_all_its_parts(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as ui:

        async def refuse(spec: object) -> None:
            raise BangerError("The title", "The reason.", "The next step.")

        monkeypatch.setattr(ui.app.bridge.engine.vms, "create", refuse)
        await ui.press("r")
        await ui.sees("✗ The title", "The reason.", "→ The next step.")
        await ui.press("escape")
        await ui.sees("No machines yet.")


async def test_palette_runs_an_action_and_finds_machines(start: Start) -> None:
    async with start() as ui:
        vm = await ui.run_one()
        await ui.press(*LEAVE, "ctrl+p")
        await ui.pilot.pause(0.3)
        await ui.press(*f"go to {vm.name}")
        await ui.sees(f"Go to {vm.name}")
        await ui.press("escape", "escape")
        await ui.press("ctrl+p")
        await ui.pilot.pause(0.3)
        await ui.press(*"doctor")
        await ui.pilot.pause(0.5)
        await ui.press("down", "enter")
        await ui.sees("r checks again")


async def test_help_and_doctor(start: Start) -> None:
    async with start() as ui:
        await ui.press("question_mark")
        await ui.sees("run a sandbox with the defaults", "command palette", "on its way")
        await ui.press("escape", "5")
        await ui.sees("driver", "fake", "r checks again")
        await ui.press("escape")


async def test_narrow_screen_puts_the_panel_below(start: Start) -> None:
    async with start(size=(80, 24)) as ui:
        await ui.run_one()
        machines, panel = ui.home.query_one(MachineList), ui.home.query_one("#panel")
        assert panel.region.y >= machines.region.bottom
        await ui.press(*LEAVE, "plus")
        await ui.pilot.pause()
        assert not machines.display
        assert panel.region.height > 18
        await ui.press(*LEAVE)
        await ui.until(lambda: machines.display)


async def test_ten_thousand_rows_stay_quick(start: Start) -> None:
    from time import perf_counter

    from banger_tui.engine.model import VmState
    from banger_tui.widgets.rows import MachineRow

    async with start() as ui:
        await ui.run_one()
        machines = ui.home.query_one(MachineList)
        rows = [
            MachineRow(key=f"k{i}", name=f"vm-{i:05d}", state=VmState.RUNNING)
            for i in range(10_000)
        ]
        began = perf_counter()
        machines.set_rows(rows)
        machines.filter = "99"
        machines.filter = ""
        for row in rows[:1000]:
            machines.update_rows([MachineRow(row.key, row.name, VmState.RUNNING, cpu=0.5)])
        assert perf_counter() - began < 1.5
        assert len(machines.keys) == 10_000


def test_settings_name_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[app]\ntheme = "textual-light"\n\n[machine]\ncpus = "two"\nmemory = "1G"\nsize = 3\n'
    )
    loaded = settings.load(file)
    assert loaded.theme == "textual-light"
    assert loaded.engine.memory_mib == 1024
    assert loaded.engine.cpus == 1
    assert loaded.problems == (
        f"{file}:5: machine.cpus: must be a whole number",
        f"{file}:7: machine.size: unknown; known are image, cpus, memory, network",
    )


def test_settings_that_are_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[app\n")
    (problem,) = settings.load(file).problems
    assert str(file) in problem
    assert "line 1" in problem


@pytest.mark.parametrize(
    "text", ["theme = 3", '[engine]\ndriver = "magic"', "[machine]\nmemory = true"]
)
def test_settings_of_the_wrong_kind(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    loaded = settings.load(file)
    assert loaded.problems
    assert loaded.engine == Settings()


async def test_problem_in_settings_is_shown(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path)
    paths.config.mkdir(parents=True)
    paths.config_file.write_text('[app]\ntheme = "no-such"\n')
    app = BangerApp(paths, driver=FakeDriver())
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await _sees(app, pilot, "Setting left out")
        assert app.theme == settings.DEFAULT_THEME


async def _sees(app: BangerApp, pilot: Pilot[None], text: str) -> None:
    ui = Running(app, pilot, FakeDriver())
    await until(lambda: text in ui.shown(), what=text)
