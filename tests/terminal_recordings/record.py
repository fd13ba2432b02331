"""Make the recordings: run programs on a terminal, keep what they write and what must come of it.

    python -m tests.terminal_recordings.record [NAME ...]

Needs vim, htop, less, mc, tmux, nano, fish and util-linux's unshare, as root: each program runs
among its own processes, with a host name and a home of its own, so that nothing of this machine
gets into a recording. What the bytes must end in is told by another emulator: they are written to
a pane of a tmux of its own, and the pane is captured.
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import json
import os
import pty
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

from banger_tui.widgets.terminal import core

from .scenarios import PROGRAMS, Scenario

HERE = Path(__file__).parent
QUIET_SECONDS = 0.5
LONGEST_SECONDS = 4.0
SHAPES: list[tuple[str, tuple[int, int], tuple[int, int] | None]] = [
    ("80x24", (80, 24), None),
    ("resized", (113, 31), (71, 25)),
]
ORACLE = ["tmux", "-f", "/dev/null", "-L", "oracle"]

Step = dict[str, Any]


def main(names: list[str]) -> None:
    """Record the named programs, or all."""
    for scenario in PROGRAMS:
        if names and scenario.name not in names:
            continue
        for shape, size, resized in SHAPES:
            steps = record(scenario, size, resized)
            recording = {"cols": size[0], "rows": size[1], "steps": steps} | oracle(size, steps)
            path = HERE / f"{scenario.name}-{shape}.json.gz"
            data = json.dumps(recording, sort_keys=True, separators=(",", ":")).encode()
            path.write_bytes(gzip.compress(data, 9, mtime=0))
            print(path.name, path.stat().st_size, "bytes,", len(steps), "steps")


def record(
    scenario: Scenario, size: tuple[int, int], resized: tuple[int, int] | None
) -> list[Step]:
    """Run the program; what it wrote, and the sizes it was given between."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        home = Path(name) / "home"
        home.mkdir()
        fill(home)
        steps: list[Step] = []
        keys: list[str | tuple[int, int]] = list(scenario.steps)
        if resized:
            keys.insert(len(keys) // 2, resized)
        pid, master = pty.fork()
        if not pid:
            os.chdir(home)
            inner = f"hostname guest; cd {shlex.quote(str(home))}; exec {shlex.join(scenario.argv)}"
            os.execvpe(
                "unshare", ["unshare", "-pf", "--mount-proc", "--uts", "sh", "-c", inner],
                {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color",
                 "LANG": "C.UTF-8", "COLORTERM": "truecolor", "PS1": "$ ", "SHELL": "/bin/sh",
                 "TMUX_TMPDIR": name},
            )  # fmt: skip
        terminal = core.create(*size)
        set_size(master, size)
        try:
            read(master, terminal, steps)
            for key in keys:
                if isinstance(key, tuple):
                    steps.append({"resize": list(key)})
                    terminal.resize(*key)
                    set_size(master, key)
                else:
                    os.write(master, key.encode())
                read(master, terminal, steps)
        finally:
            os.close(master)
            os.waitpid(pid, 0)
            terminal.close()
    return steps


def read(master: int, terminal: core.VtCore, steps: list[Step]) -> None:
    """What the program writes until it is quiet, answered as a terminal would."""
    data = b""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end and select.select([master], [], [], QUIET_SECONDS)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        data += piece
        terminal.feed(piece)
        os.write(master, terminal.take_replies())
    if data:
        steps.append({"feed": base64.b64encode(data).decode()})


def oracle(size: tuple[int, int], steps: list[Step]) -> dict[str, Any]:
    """What tmux shows after the same bytes and sizes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        pipe = Path(name) / "pipe"
        os.mkfifo(pipe)
        # `exec` twice: without output processing, and nothing typed (replies) is echoed.
        command = f"stty raw -echo; exec cat {shlex.quote(str(pipe))} -"
        env = {**os.environ, "LANG": "C.UTF-8", "TMUX_TMPDIR": name}

        def tmux(*arguments: str) -> str:
            return subprocess.run(
                [*ORACLE, *arguments], check=True, capture_output=True, text=True, env=env
            ).stdout

        columns, rows = str(size[0]), str(size[1])
        tmux("new-session", "-d", "-x", columns, "-y", rows, "sh", "-c", command)
        tmux("set", "-g", "history-limit", "10000")
        tmux("set", "-g", "status", "off")
        tmux("set", "-g", "window-size", "manual")
        tmux("resize-window", "-x", columns, "-y", rows)
        time.sleep(0.5)
        try:
            with pipe.open("wb", buffering=0) as out:
                for step in steps:
                    if "feed" in step:
                        out.write(base64.b64decode(step["feed"]))
                    else:
                        tmux("resize-window", "-x", str(step["resize"][0]), "-y",
                             str(step["resize"][1]))  # fmt: skip
                    time.sleep(0.5)
                x, y, alternate = tmux(
                    "display", "-p", "#{cursor_x} #{cursor_y} #{alternate_on}"
                ).split()
                return {
                    "lines": tmux("capture-pane", "-p").split("\n")[:-1],
                    "styled": tmux("capture-pane", "-p", "-e").split("\n")[:-1],
                    "history": tmux("capture-pane", "-p", "-J", "-S", "-").split("\n")[:-1],
                    "cursor": [int(x), int(y)],
                    "alternate": alternate == "1",
                }
        finally:
            tmux("kill-server")


def set_size(master: int, size: tuple[int, int]) -> None:
    """Tell the program how large its terminal is."""
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def fill(home: Path) -> None:
    """The files that the programs show."""
    (home / "program.py").write_text(
        "".join(
            f"def function_{n}(value: int) -> int:\n"
            f'    """Add {n}; 漢字 and é and 👍 in a comment."""\n'
            f"    return value + {n}  # {'x' * (n % 70)}\n\n"
            for n in range(40)
        )
    )
    (home / "colours.txt").write_text(
        "".join(
            f"\x1b[38;5;{n % 256}mline {n}\x1b[0m \x1b[1;3;4mstyled\x1b[0m"
            f" \x1b[48;2;{n % 256};60;90mtrue colour\x1b[0m"
            f" {'漢字é👍'[n % 4]} {'word ' * (n % 20)}\n"
            for n in range(200)
        )
    )
    for directory in ("documents", "music", "pictures"):
        (home / directory).mkdir()
    for n in range(30):
        (home / f"file-{n:02}.txt").write_text("x" * n * 100)
    (home / "run.sh").write_text("#!/bin/sh\n")
    (home / "run.sh").chmod(0o755)
    for path in [*home.iterdir(), home]:
        os.utime(path, (1_700_000_000, 1_700_000_000))


if __name__ == "__main__":
    main(sys.argv[1:])
