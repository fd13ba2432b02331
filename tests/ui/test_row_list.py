"""What the lists of machines, images and kernels have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from banger_tui.engine.model import VmState
from banger_tui.widgets.artefact_rows import HERE, ImageRow
from banger_tui.widgets.artefact_tables import IMAGES
from banger_tui.widgets.line_list import LineList
from banger_tui.widgets.machine_list import MachineList
from banger_tui.widgets.row_list import HEADER
from banger_tui.widgets.rows import MachineRow

_MACHINES = [
    MachineRow(f"id-{i:03d}", f"vm-{i:03d}", VmState.RUNNING, image="Alpine") for i in range(200)
]


class _Lists(App[None]):
    CSS = "MachineList, LineList { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield MachineList(id="machines")
        yield LineList(IMAGES, id="images")


@asynccontextmanager
async def _machines() -> AsyncIterator[tuple[MachineList, Pilot[None]]]:
    async with _Lists().run_test(size=(80, 40)) as pilot:
        listed = pilot.app.query_one(MachineList)
        listed.set_rows(_MACHINES)
        await pilot.pause()
        yield listed, pilot


async def test_only_lines_that_change_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _machines() as (listed, _):
        painted: list[Region] = []
        monkeypatch.setattr(listed, "refresh", lambda *regions: painted.extend(regions or [None]))
        listed.set_rows(_MACHINES)
        listed.update_rows(_MACHINES)
        assert painted == [], "nothing is another"
        far = replace(_MACHINES[150], cpu=0.5)
        listed.update_rows([replace(_MACHINES[2], cpu=0.5), far])
        assert painted == [Region(0, HEADER + 2, listed.size.width, 1)]


async def test_a_filter_looks_in_name_and_image_whatever_the_case() -> None:
    async with _machines() as (listed, _):
        listed.filter = "ALPINE 19"
        assert listed.keys == [f"id-{i:03d}" for i in (19, 119, *range(190, 200))]
        listed.update_rows([replace(_MACHINES[19], image="debian")])
        assert "id-019" not in listed.keys


async def test_a_machine_with_a_new_key_keeps_cursor_and_mark() -> None:
    async with _machines() as (listed, _):
        listed.select("id-007")
        listed.action_mark()
        listed.select("id-007")
        listed.replace_key("id-007", "other")
        listed.update_rows([replace(_MACHINES[7], key="other")], ["id-007"])
        assert listed.cursor == "other"
        assert listed.marks == ["other"]


async def test_a_click_on_a_title_sorts_and_a_second_one_turns_it_round() -> None:
    async with _machines() as (listed, pilot):
        listed.update_rows([replace(_MACHINES[9], cpu=0.9)])
        x = next(x for column, x, _ in listed._layout.places if column.id == "cpu")
        await pilot.click(listed, offset=(x + 5, 0))
        assert listed.sort == ("cpu", True)
        assert listed.keys[0] == "id-009"
        await pilot.click(listed, offset=(x + 5, 0))
        assert listed.keys[-1] == "id-009"


async def test_a_filter_that_leaves_no_image_says_so() -> None:
    async with _machines() as (machines, pilot):
        images = pilot.app.query_one(LineList)
        images.set_rows([ImageRow("alpine", HERE)])
        for listed in (images, machines):
            listed.filter = "no such"
        assert "nothing matches" in images.render_line(HEADER).text
        assert not machines.render_line(HEADER).text.strip()
