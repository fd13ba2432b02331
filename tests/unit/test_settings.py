"""config.toml: what a person sets is in force, and what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from banger_tui.engine.limits import Limits
from banger_tui.engine.settings import Settings, UserCatalog
from banger_tui.settings import Loaded, Terminal, load

DIGEST = "ab" * 32


def loaded(tmp_path: Path, text: str) -> Loaded:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load(path)


def test_nothing_set(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Loaded()
    assert loaded(tmp_path, "") == Loaded()


def test_limits(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[limits]\nmax_rootfs_bytes = "2G"\nmax_layers = 7\n')
    assert found.problems == ()
    assert found.engine.limits == Limits(max_rootfs_bytes=2 << 30, max_layers=7)


def test_the_terminal(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        '[terminal]\nleader = "Ctrl+a"\nscrollback = 500\nemulator = "bittty"\n'
        "copy_on_select = true\n",
    )
    assert found.problems == ()
    assert found.terminal == Terminal("ctrl+a", 500, "bittty", copy_on_select=True)


def test_catalogs_keep_their_order(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        f'[[catalogs]]\nurl = "https://example.org/a.json"\nsha256 = "{DIGEST}"\n'
        '[[catalogs]]\nfile = "mine.json"\n[[catalogs]]\nfile = "/srv/b.json"\n',
    )
    assert found.problems == ()
    assert found.engine.catalogs == (
        UserCatalog("https://example.org/a.json", DIGEST),
        UserCatalog(str(tmp_path / "mine.json")),
        UserCatalog("/srv/b.json"),
    )


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ('[terminal]\nleader = "a"\n', 2, "terminal.leader"),
        ("[terminal]\nscrollback = 0\n", 2, "terminal.scrollback"),
        ("[terminal]\nscrollback = 99999999\n", 2, "terminal.scrollback"),
        ('[terminal]\nemulator = "xterm"\n', 2, "terminal.emulator"),
        ("[terminal]\ncopy_on_select = 1\n", 2, "terminal.copy_on_select"),
        ("[limits]\nmax_layers = 0\n", 2, "limits.max_layers"),
        ("[limits]\nmax_layers = true\n", 2, "limits.max_layers"),
        ('[limits]\nmax_layers = "7"\n', 2, "limits.max_layers"),
        ('[limits]\n\nmax_rootfs_bytes = "lots"\n', 3, "limits.max_rootfs_bytes"),
        ("[limits]\nmax_files = 1\n", 2, "limits.max_files"),
        ("catalogs = 3\n", 1, "catalogs"),
        ("[[catalogs]]\n", 1, "catalogs.file"),
        ('[[catalogs]]\nurl = "http://example.org/x"\n', 2, "catalogs.url"),
        ('[[catalogs]]\nfile = "/a"\nsha256 = "ab"\n', 3, "catalogs.sha256"),
        ('[[catalogs]]\nfile = "/a"\n[[catalogs]]\nfile = "/a"\n', 4, "catalogs.file"),
        ('[[catalogs]]\nfile = "/a"\nurl = "https://example.org/x"\n', 3, "catalogs.url"),
        ('[[catalogs]]\nfile = "/a"\nmirror = "x"\n', 3, "catalogs.mirror"),
        ("[machine]\ncpus = 0\n", 2, "machine.cpus"),
        ("[unknown]\n", 1, "unknown"),
    ],
)
def test_what_is_wrong_is_told_and_left_out(
    tmp_path: Path, text: str, line: int, name: str
) -> None:
    found = loaded(tmp_path, text)
    (problem,) = found.problems
    assert problem.startswith(f"{tmp_path}/config.toml:{line}: {name}: ")
    assert found.engine.limits == Limits()
    assert len(found.engine.catalogs) <= 1
    assert found.engine.cpus == Settings().cpus


def test_a_file_that_cant_be_read(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, "[limits\n").problems
    assert "config.toml" in problem
    assert loaded(tmp_path, "[limits\n").engine == Settings()
