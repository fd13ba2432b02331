"""Every test of this folder that takes a terminal runs with both emulators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import VtCore


@pytest.fixture(params=["ghostty", "bittty"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The emulator's name; it is the one `create` makes."""
    name = str(request.param)
    monkeypatch.setenv(core.ENGINE_VARIABLE, name)
    return name


@pytest.fixture
def vt(engine: str) -> Iterator[VtCore]:
    """A terminal of 80 by 24."""
    terminal = core.create(80, 24)
    yield terminal
    terminal.close()
