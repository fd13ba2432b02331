"""What every test shares: nothing of the person who runs them is read or written."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below tests/live is marked ``live``: the folder says it once."""
    live = Path(__file__).parent / "live"
    for item in items:
        if live in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(autouse=True)
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State, cache and configuration of each test live below its own directory."""
    home = tmp_path / "banger-home"
    monkeypatch.setenv("BANGER_HOME", str(home))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home
