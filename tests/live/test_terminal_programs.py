"""Programs people live in, in the panel, in a real terminal, in a real Debian guest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from banger_tui.engine.paths import Paths
from scripts.terminal.tmux import Pane
from tests.live.test_app_tmux import command, machines

pytestmark = pytest.mark.timeout(900)
COMMAND = [sys.executable, "-m", "banger_tui"]
PATIENCE = 120.0
#: The default image's packages, and a file manager that wants a mouse.
IMAGE = {
    "images": [
        {
            "name": "programs",
            "description": "Debian with vim, htop, less and mc",
            "source": {
                "kind": "debian",
                "suite": "bookworm",
                "packages": [
                    "ca-certificates", "htop", "iproute2", "kmod", "less", "mc", "netbase",
                    "procps", "systemd", "systemd-sysv", "vim-tiny",
                ],
            },
            "kernel": "debian-bookworm-cloud",
            "init": "/sbin/init",
            "disk_mib": 4096,
            "download_mib": 60,
        }
    ]
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory with one Debian machine that runs."""
    kept = os.environ.get("BANGER_TEST_PROGRAMS")
    place = Path(kept) if kept else tmp_path_factory.mktemp("programs")
    paths = Paths.below(place)
    paths.config.mkdir(parents=True, exist_ok=True)
    (paths.config / "images.json").write_text(json.dumps(IMAGE))
    paths.config_file.write_text('[[catalogs]]\nfile = "images.json"\n')
    environment = {**os.environ, "BANGER_HOME": str(place), "BANGER_DRIVER": ""}
    words = ("vm", "create", "--name", "deb", "--image", "programs", "--memory", "512M")
    subprocess.run([*COMMAND, *words], env=environment, check=True, timeout=600)
    yield place
    for vm in machines(place):
        command(place, "vm", "delete", "-y", str(vm["id"]))


@pytest.fixture
def shell(home: Path) -> Iterator[Pane]:
    """The app, with the keyboard in a shell of the machine that nothing was typed into."""
    for seen in json.loads(command(home, "session", "list", "deb", "--json")):
        command(home, "session", "delete", "--force", f"deb/{seen['name']}")
    Paths.below(home).desk.unlink(missing_ok=True)
    app = open_app(home)
    try:
        app.sees("deb", ":~#", seconds=PATIENCE)
        app.press("Enter")
        app.sees("leaves the panel")
        yield app
    finally:
        app.close()


def open_app(home: Path) -> Pane:
    return Pane(COMMAND, env={"BANGER_HOME": str(home)})


def run(app: Pane, line: str, *answers: str) -> str:
    app.type(line)
    app.press("Enter")
    return app.sees(*answers, seconds=PATIENCE)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def test_vim_edits_and_saves(shell: Pane, home: Path) -> None:
    run(shell, "vi /tmp/note", "~  ", '"/tmp/note" [New')
    shell.type("ihello from vim\n\tand a tab")
    shell.sees("hello from vim")
    shell.press("Escape")
    run(shell, ":wq", ":~#")
    run(shell, "clear; md5sum /tmp/note", "  /tmp/note")
    assert command(home, "vm", "exec", "deb", "--", "cat", "/tmp/note") == (
        "hello from vim\n\tand a tab\n"
    )


def test_htop_runs_and_is_resized(shell: Pane) -> None:
    run(shell, "htop", "F1Help", "F9Kill", "Load average")
    shell.resize(90, 30)
    screen = shell.sees("F1Help")
    until(lambda: "F1Help" in shell.text().splitlines()[-3], "htop fills the smaller panel")
    assert len(screen.splitlines()) <= 30
    shell.resize(140, 40)
    until(lambda: "F1Help" in shell.text().splitlines()[-3], "htop fills the larger panel")
    shell.press("q")
    shell.loses("F1Help")


def test_less_scrolls(shell: Pane) -> None:
    run(shell, "seq -f 'line %g' 3000 | less", "line 1\n".strip(), ":")
    shell.press("G")
    shell.sees("line 3000", "(END)")
    shell.press("k", "k", "k")
    shell.loses("line 3000")
    shell.press("g")
    shell.sees("line 2 ")
    shell.type("/line 1234\n")
    shell.sees("line 1234", "line 1235")
    shell.press("q")
    shell.loses("line 1235")


def test_a_click_reaches_mc(shell: Pane) -> None:
    run(shell, "mc", "Left", "Command", "1Help", "10Quit")
    screen = shell.text().splitlines()
    row = next(n for n, line in enumerate(screen) if "Command" in line)
    column = screen[row].index("Command")
    shell.click(column + 2, row)
    shell.sees("User menu", "Find file")
    shell.press("Escape", "Escape")
    shell.loses("Find file")
    shell.press("F10")
    shell.loses("10Quit")


def test_five_thousand_lines_of_emoji_scroll_and_are_kept(shell: Pane) -> None:
    line = 'for i in $(seq 5000); do echo "😀 $i 日本 é👩\u200d👩\u200d👧"; done; echo all-$((6*7))'
    run(shell, line, "😀 5000", "all-42")
    shell.press("C-]", "[", "g")
    shell.sees("scroll", "😀 2 ")
    shell.press("G")
    shell.sees("😀 5000")
    shell.press("q")
    shell.press("C-]", "/")
    shell.type("😀 1717 ")
    shell.press("Enter")
    shell.sees("😀 1717 ", "1 of 1")
    shell.press("Escape")


def test_shells_and_a_stream_outlive_a_killed_app(shell: Pane, home: Path) -> None:
    run(shell, "mark=first-$((40+2)); echo $mark", "first-42")
    shell.press("C-]", "s")
    shell.sees("shell-2")
    run(shell, "vi -c 'set noswapfile' /tmp/unsaved", '"/tmp/unsaved" [New')
    shell.type("iwords that are nowhere else")
    shell.sees("nowhere else")
    shell.press("C-]", "s")
    shell.sees("shell-3")
    run(shell, "echo third-$((6*7))", "third-42")
    count = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i; sleep 0.005; done"
    command(home, "session", "start", "--pipe", "--name", "numbers", "deb", "--", "sh", "-c", count)
    shell.press("C-]", "d", "S")
    shell.sees("numbers", "shell-3", seconds=PATIENCE)
    shell.press("g")  # the first of the list, by name
    shell.sees("▌ ● numbers")
    shell.press("Enter")
    shell.sees(" numbers ", "│17", seconds=PATIENCE)
    os.kill(shell.pid, signal.SIGKILL)
    shell.ended()

    again = open_app(home)
    try:
        again.sees(" numbers ", "shell-2", seconds=PATIENCE)
        again.press("Enter")
        again.sees("leaves the panel")
        # The stream's tab was the last: it is shown, from the beginning, and goes on to its end.
        screen = again.sees("│500", "has ended with exit code 0", seconds=PATIENCE)
        numbers = [int(word) for line in screen.splitlines() for word in line.split("│")
                   if word.strip().isdigit()]  # fmt: skip
        assert numbers == list(range(numbers[0], 501)), "in a row, each once"
        seen = command(home, "session", "logs", "deb/numbers").split()
        assert seen == [str(n) for n in range(1, 501)]

        for _ in range(10):
            if "nowhere else" in again.text():
                break
            again.press("C-]", "n")
            time.sleep(1.0)
        again.sees("words that are nowhere else", "/tmp/unsaved", "~")
        again.press("Escape")
        run(again, ":w", "written")
        assert "nowhere else" in command(home, "vm", "exec", "deb", "--", "cat", "/tmp/unsaved")
        for name, known in (("shell", "first-42"), ("shell-3", "third-42")):
            screen = ""
            for _ in range(10):
                screen = again.text()
                if known in screen:
                    break
                again.press("C-]", "n")
                time.sleep(1.0)
            assert known in screen, f"{name} is attached and whole:\n{screen}"
        again.press("C-]", "d", "q")
        again.ended()
    finally:
        again.close()
