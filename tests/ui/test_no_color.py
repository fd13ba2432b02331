"""NO_COLOR: attributes in the place of colours, on every cell of the screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style

from banger_tui.app import BangerApp
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.paths import Paths
from banger_tui.settings import Loaded
from banger_tui.widgets.no_color import plain_style
from tests.ui.conftest import LEAVE, Running, until


@pytest.mark.parametrize(
    ("style", "plain"),
    [
        ("bold #ffffff on #000000", "bold not dim not reverse"),
        ("#999999 on #000000", "dim not reverse"),
        ("#000000 on #ffffff", "reverse not dim"),
        ("#999999 on #ffffff", "reverse not dim"),
        ("reverse #ffffff on #000000", "reverse not dim"),
        ("underline blue", "underline not dim not reverse"),
        ("black on cyan", "reverse not dim"),
        ("italic", "italic not dim not reverse"),
    ],
)
def test_brightness_becomes_an_attribute(style: str, plain: str) -> None:
    assert plain_style(Style.parse(style)) == Style.parse(plain)


def test_actions_stay() -> None:
    style = Style.parse("red") + Style.from_meta({"@click": "choose_tab('shell')"})
    assert plain_style(style).meta == {"@click": "choose_tab('shell')"}
    assert plain_style(style).color is None


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])
async def test_focus_cursor_tab_and_state_are_seen_without_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BangerApp(Paths.below(tmp_path), settings=Loaded(), driver=FakeDriver())
    async with app.run_test(size=size) as pilot:
        ui = Running(app, pilot, FakeDriver())
        await until(lambda: app.bridge.is_open, what="the engine opens")
        vm = await ui.run_one()
        assert " shell " in _reversed(app)
        assert "┏━ " in ui.shown(), "the panel has the focus"
        await ui.press(*LEAVE)
        await ui.until(lambda: any("● " + vm.name in text for text in _rows_reversed(app)))
        await ui.press("d")
        await ui.sees("Delete")
        await ui.until(lambda: "Keep it" in " ".join(_reversed(app)), "the focused answer")
        coloured = [
            segment.text
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and (_colour(segment.style.color) or _colour(segment.style.bgcolor))
        ]
        assert coloured == []


def _colour(color: object) -> bool:
    return color is not None and not getattr(color, "is_default", False)


def _reversed(app: BangerApp) -> list[str]:
    return [
        segment.text
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.style and segment.style.reverse
    ]


def _rows_reversed(app: BangerApp) -> list[str]:
    return [
        "".join(segment.text for segment in strip if segment.style and segment.style.reverse)
        for strip in app.screen._compositor.render_strips()
    ]
