"""Where things are kept, for every environment and every name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import StateUnwritable
from banger_tui.engine.paths import Paths, directory_name


def test_banger_home_holds_everything(tmp_path: Path) -> None:
    paths = Paths.from_environment({"BANGER_HOME": str(tmp_path), "XDG_STATE_HOME": "/elsewhere"})
    for path in (paths.state, paths.cache, paths.config):
        assert path.parent == tmp_path


def test_xdg_directories_and_their_defaults() -> None:
    paths = Paths.from_environment({"HOME": "/home/ann", "XDG_CACHE_HOME": "/var/c"})
    assert paths.state == Path("/home/ann/.local/state/banger-tui")
    assert paths.cache == Path("/var/c/banger-tui")
    assert paths.config_file == Path("/home/ann/.config/banger-tui/config.toml")


def test_sockets_fit_however_long_the_home(tmp_path: Path) -> None:
    for length in (10, 60, 100, 200):
        home = Path("/") / ("h" * length)
        found = {Paths.below(home).runtime, Paths.below(home).runtime}
        assert len(found) == 1, "the same home must find the same sockets"
        socket = Paths.below(home).vm_runtime("0" * 12) / "console.sock"
        assert len(str(socket).encode()) <= 107
    assert Paths.below(Path("/" + "a" * 200)).runtime != Paths.below(Path("/" + "b" * 200)).runtime


def test_what_is_made_is_private(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "home")
    paths.prepare()
    paths.prepare()
    for path in (paths.state, paths.runtime):
        assert path.stat().st_mode & 0o777 == 0o700
    paths.state.chmod(0o755)
    paths.prepare()
    assert paths.state.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StateUnwritable) as caught:
        Paths.below(tmp_path / "home").prepare()
    assert "BANGER_HOME" in caught.value.hint


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_directory_of_somebody_else_is_one_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateUnwritable):
        Paths.below(tmp_path / "home").prepare()


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_name_is_one_file_name_of_its_own(one: str, other: str) -> None:
    for name in (one, other):
        made = directory_name(name)
        assert made
        assert "/" not in made
        assert not made.startswith(".")
        assert len(made.encode()) <= 100
    if one != other:
        assert directory_name(one) != directory_name(other)


def test_plain_names_stay_as_they_are() -> None:
    assert directory_name("debian-bookworm") == "debian-bookworm"
