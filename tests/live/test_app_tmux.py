"""The real app in a real terminal, with real guests: QEMU and the small image."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.paths import Paths
from scripts.terminal.program import program
from scripts.terminal.tmux import Pane, pane

COMMAND = [sys.executable, "-m", "banger_tui"]
# A guest boots in seconds on a quiet host; a loaded one may take its time.
PATIENCE = 120.0
SETTINGS = """
[machine]
image = "busybox"
memory = "192M"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state directory for the module, so that the image is built once."""
    place = tmp_path_factory.mktemp("app-live")
    paths = Paths.below(place)
    paths.config.mkdir(parents=True)
    paths.config_file.write_text(SETTINGS)
    yield place
    for vm in machines(place):
        command(place, "vm", "delete", "-y", str(vm["id"]))


@pytest.fixture(autouse=True)
def real_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BANGER_DRIVER", raising=False)


def command(home: Path, *words: str) -> str:
    env = {**os.environ, "BANGER_HOME": str(home)}
    ended = subprocess.run(
        [*COMMAND, *words], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def machines(home: Path) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(command(home, "vm", "list", "--json"))
    return listed


def hypervisors(home: Path) -> set[int]:
    """Processes whose command line names this state directory's sockets."""
    mark = os.fsencode(Paths.below(home).runtime)
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"qemu-system" in words.split(b"\0")[0] and mark in words:
                found.add(int(entry.name))
    return found


def app(home: Path, **env: str) -> Pane:
    return Pane(COMMAND, env={"BANGER_HOME": str(home), **env})


@pytest.mark.timeout(900)
def test_run_type_quit_reopen_kill_reopen_delete(home: Path) -> None:
    first = app(home)
    try:
        first.sees("No machines yet.", "busybox, 1 cpu, 192M")
        first.press("r")
        first.sees("Working on: create", seconds=PATIENCE)
        # The shell has the focus by itself: nothing but typing is needed.
        first.sees("~ #", "leaves the panel", seconds=PATIENCE)
        first.type("echo the answer is $((6*7))")
        first.press("Enter")
        first.sees("the answer is 42", seconds=PATIENCE)
        first.press("C-]", "d")
        first.loses("leaves the panel")
        first.press("q")
        first.ended()
    finally:
        first.close()

    running = hypervisors(home)
    assert len(running) == 1, "the machine runs on when the app has been quit"
    (vm,) = machines(home)
    name = str(vm["name"])

    second = app(home)
    try:
        second.sees(name, "the answer is 42", seconds=PATIENCE)
        # The same shell, not a new one on an old picture: it still knows its variables.
        second.press("Enter")
        second.sees("leaves the panel")
        second.type("mark=still-$((40+2))")
        second.press("Enter")
        second.type("echo $mark")
        second.press("Enter")
        second.sees("│still-42", seconds=PATIENCE)
        os.kill(second.pid, signal.SIGKILL)
        second.ended()
    finally:
        second.close()

    assert hypervisors(home) == running, "the machine runs on when the app has been killed"

    third = app(home)
    try:
        third.sees(name, "the answer is 42", "│still-42", seconds=PATIENCE)
        third.press("Enter")
        third.sees("leaves the panel")
        third.type("echo $mark-after-the-kill")
        third.press("Enter")
        third.sees("│still-42-after-the-kill", seconds=PATIENCE)
        third.press("C-]", "d")
        third.loses("leaves the panel")
        third.press("d")
        third.sees("Delete", name)
        third.press("Tab", "Enter")
        third.sees("No machines yet.", seconds=PATIENCE)
        third.press("q")
        third.ended()
    finally:
        third.close()

    paths = Paths.below(home)
    assert hypervisors(home) == set()
    assert machines(home) == []
    assert list(paths.vms.iterdir()) == []
    assert list(paths.runtime.iterdir()) == []
    assert list(paths.staging.iterdir()) == []
    assert list(paths.locks.glob("vm.*")) == []


@pytest.mark.timeout(300)
def test_eighty_by_twenty_four(home: Path) -> None:
    with pane(COMMAND, env={"BANGER_HOME": str(home)}, columns=80, rows=24) as small:
        screen = small.sees("No machines yet.", "r", "run a sandbox", "? help", "q quit")
        assert all(len(line) <= 80 for line in screen.splitlines())
        small.press("?")
        small.sees("run a sandbox with the defaults")
        small.press("Escape")
        small.sees("No machines yet.")
        small.press("q")
        small.ended()


@pytest.mark.timeout(300)
def test_no_color_writes_no_colour(home: Path) -> None:
    """Every SGR sequence from the first byte to the last is free of colours (no-color.org)."""
    env = {"BANGER_HOME": str(home), "NO_COLOR": "1"}
    with program(COMMAND, env=env) as plain:
        _, written = plain.until(b"Host:", 60)
        written += plain.quiet()
        plain.write(b"q")
        written += plain.quiet()
    assert "No machines yet." in re.sub(rb"\x1b\[[0-9;?<=>]*[a-zA-Z]", b"", written).decode()
    assert colours(written) == set()


def test_colours_are_found_where_there_are_some() -> None:
    assert colours(b"\x1b[1;31mred\x1b[0m \x1b[48;2;1;2;3mback\x1b[7m\x1b[38;5;9m") == {
        b"1;31", b"48;2;1;2;3", b"38;5;9",
    }  # fmt: skip
    assert colours(b"\x1b[1mbold\x1b[22m\x1b[2;7m\x1b[m\x1b[0;4m\x1b[39;49m") == set()


def colours(written: bytes) -> set[bytes]:
    """Parameters of SGR sequences that set a colour; 39 and 49 only take one back."""
    coloured = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
    return {
        parameters
        for parameters in re.findall(rb"\x1b\[([0-9;:]*)m", written)
        if coloured & {int(word) for word in re.split(rb"[;:]", parameters) if word}
    }
