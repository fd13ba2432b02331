"""The panel in a real app on a pseudo terminal, against tmux with a client of the same size."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.benchmarks.samples import Table, Times, duration
from scripts.terminal.program import Program, cpu_seconds, program

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((80, 24), (200, 60))
_MIB = 1 << 20
_TRACE = 8 * _MIB
_PANEL, _TMUX = "panel", "tmux"
_ASCII = b"The quick brown fox jumps over the lazy dog. 0123456789 0123456789 0123456789\r\n"
_SGR = (
    b"\x1b[1;32mok\x1b[0m  \x1b[38;2;90;160;220mtests/unit\x1b[0m/"
    b"test_\x1b[33mevents\x1b[0m \x1b[48;5;236m12 ms\x1b[m\r\n"
)
_UNICODE = (
    "日本語の文章 français naïve Zürich — “quoted” ░▒▓█ ┌──┐ e\u0301 \U0001f44d\U0001f3fd "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1eb\U0001f1f7 한국어 Ελληνικά русский\r\n"
).encode()


def vim_trace() -> bytes:
    """What vim wrote in a recorded session of 80 x 24."""
    file = ROOT / "tests" / "terminal_recordings" / "vim-80x24.json.gz"
    steps = json.loads(gzip.decompress(file.read_bytes()))["steps"]
    return b"".join(base64.b64decode(step["feed"]) for step in steps if "feed" in step)


def traces(directory: Path) -> dict[str, Path]:
    """Files of about 8 MiB to be played."""
    found = {}
    loads = {"ASCII": _ASCII, "SGR": _SGR, "unicode": _UNICODE, "vim": vim_trace()}
    for name, piece in loads.items():
        found[name] = directory / name
        found[name].write_bytes(piece * (_TRACE // len(piece)))
    return found


class Subject:
    """A terminal in a terminal, with ``panel_guest`` in it."""

    def __init__(self, running: Program, orders: Path, processes: Callable[[], set[int]]) -> None:
        """
        Args:
            processes: those that make up the terminal, without the program in it.
        """
        self._running = running
        self._orders = orders
        self._processes = processes
        self._marks = 0

    def order(self, text: str) -> None:
        descriptor = os.open(self._orders, os.O_WRONLY)
        os.write(descriptor, f"{text}\n".encode())
        os.close(descriptor)

    def seen(self, mark: str, seconds: float = 120.0) -> None:
        """Wait until it has been painted. What comes is read as fast as it comes."""
        deadline = time.perf_counter() + seconds
        tail = b""
        while time.perf_counter() < deadline:
            tail = (tail + self._running.read(1.0))[-(32 << 10) :]
            if mark.encode() in _text(tail):
                return
        raise AssertionError(f"{mark} was not painted: {tail[-2000:]!r}")

    def play(self, trace: Path) -> float:
        """Seconds until all of it has gone through and the mark behind it is painted."""
        self._marks += 1
        mark = f"end-{self._marks:03}-of-it"
        began = time.perf_counter()
        self.order(f"play {trace} {mark}")
        self.seen(mark)
        return time.perf_counter() - began

    def cpu_seconds(self) -> float:
        """Processor time of the terminal so far."""
        return sum(cpu_seconds(pid) for pid in self._processes())

    def echo(self, key: str) -> float:
        """Seconds from the write of a key until it is painted."""
        began = time.perf_counter()
        self._running.write(key.encode())
        self.seen(key, 10.0)
        return time.perf_counter() - began

    def drain(self, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._running.read(left)

    def end(self) -> None:
        """Have the program end, and with it what it runs in."""
        self.order("end")
        self._running.quiet(2.0)


def _text(written: bytes) -> bytes:
    """What is left of the output without control sequences, whose letters are no text."""
    written = re.sub(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", b"", written)
    written = re.sub(rb"\x1b[P_^][^\x1b]*\x1b\\", b"", written)
    written = re.sub(rb"\x1b\[[0-9;?<=>:!]*[ -/]*[@-~]", b"", written)
    return re.sub(rb"\x1b[()][A-Za-z0-9]|\x1b[=>78DEHM]|\x1b\[?[0-9;?<=>:]*$", b"", written)


@contextmanager
def subject(name: str, directory: Path, columns: int, rows: int) -> Iterator[Subject]:
    orders = directory / f"{name}-{columns}"
    os.mkfifo(orders)
    guest = [sys.executable, "-m", "scripts.benchmarks.panel_guest", str(orders)]
    env = {"TMUX": "", "TMUX_PANE": "", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    server: list[str] = []
    if name == _PANEL:
        beats = str(directory / f"beats-{columns}")
        argv = [sys.executable, "-m", "scripts.benchmarks.panel_app", beats, *guest]
    else:
        settings = directory / "tmux.conf"
        settings.write_text(
            "set -g status off\nset -s escape-time 0\nset -g default-terminal tmux-256color\n"
            "set -g history-limit 10000\n"
        )
        server = ["tmux", "-S", str(directory / f"sock-{columns}"), "-f", str(settings)]
        argv = [*server, "new-session", " ".join(guest)]
    with program(argv, env=env, columns=columns, rows=rows) as running:

        def processes() -> set[int]:
            if not server:
                return {running.pid}
            asked = subprocess.check_output([*server, "display-message", "-p", "#{pid}"])
            return {running.pid, int(asked)}

        made = Subject(running, orders, processes)
        try:
            made.seen("ready-0", 60)
            yield made
            made.end()
        finally:
            if server:
                subprocess.run([*server, "kill-server"], stderr=subprocess.DEVNULL, check=False)


def late(file: Path, spans: Sequence[tuple[float, float]]) -> Times:
    """How late the event loop came within the spans of time, seconds."""
    beats = (tuple(map(float, line.split())) for line in file.read_text().splitlines())
    return Times(
        tuple(late for due, late in beats if any(begin <= due <= end for begin, end in spans))
    )


def report(rounds: int) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="banger-bench-") as made:
        directory = Path(made)
        files = traces(directory)
        throughput: list[list[str]] = []
        lateness: list[list[str]] = []
        echoes: list[list[str]] = []
        for columns, rows in SIZES:
            _measure(directory, files, (columns, rows), rounds, throughput, lateness, echoes)
    return [
        Table(
            "Panel against tmux: throughput",
            f"{rounds} of each, in turns: {_TRACE // _MIB} MiB written by a program in the panel "
            "(an app that shows nothing else, on a pseudo terminal) and by the same program in "
            "tmux's only pane with a client of the same size: from the order to write until what "
            "follows is painted. Both keep 10,000 lines. The last column is the same ratio by "
            "processor time (of tmux's server and client), which a busy machine changes less.",
            ("", "panel", "tmux", "panel to tmux", "by processor"),
            throughput,
            "Goal: at least 1 on ASCII and SGR.",
        ),
        Table(
            "Panel: how late the event loop came",
            "Asked to come back every 5 ms while the above was played, and in the endless flood "
            "of the table below.",
            ("", "50 %", "99 %", "worst"),
            lateness,
            "Goal: 99 % within 50 ms.",
        ),
        Table(
            "Panel against tmux: echo of a key",
            f"{rounds * 10} keys each, in turns, from the write of the key to the terminal until "
            "it is painted; in a flood the program writes endlessly below the row with the echo.",
            ("", "50 %", "95 %"),
            echoes,
            "Goal of the panel: 95 % within 30 ms, in a flood within 100 ms.",
        ),
    ]


def _measure(
    directory: Path,
    files: dict[str, Path],
    size: tuple[int, int],
    rounds: int,
    throughput: list[list[str]],
    lateness: list[list[str]],
    echoes: list[list[str]],
) -> None:
    where = f"{size[0]} x {size[1]}"
    spans: dict[str, list[tuple[float, float]]] = {name: [] for name in (*files, "endless flood")}
    with ExitStack() as stack:
        both = {
            name: stack.enter_context(subject(name, directory, *size)) for name in (_PANEL, _TMUX)
        }
        for name, file in files.items():
            taken: dict[str, list[float]] = {_PANEL: [], _TMUX: []}
            burnt: dict[str, list[float]] = {_PANEL: [], _TMUX: []}
            for number in range(rounds + 1):  # the first is not counted
                for who, terminal in both.items():
                    burnt_before, began = terminal.cpu_seconds(), time.perf_counter()
                    seconds = terminal.play(file)
                    if number:
                        taken[who].append(seconds)
                        burnt[who].append(terminal.cpu_seconds() - burnt_before)
                    if who == _PANEL:
                        spans[name].append((began, began + seconds))
            median = {who: Times(tuple(each)).median for who, each in taken.items()}
            rate = {who: file.stat().st_size / 1e6 / each for who, each in median.items()}
            work = {who: Times(tuple(each)).median for who, each in burnt.items()}
            throughput.append(
                [f"{name}, {where}", f"{rate[_PANEL]:.1f} MB/s", f"{rate[_TMUX]:.1f} MB/s",
                 f"{rate[_PANEL] / rate[_TMUX]:.2f}", f"{work[_TMUX] / work[_PANEL]:.2f}"]
            )  # fmt: skip
        for mood in ("idle", "in a flood"):
            # One at a time: both at once would have half of the machine each.
            for who, terminal in both.items():
                if mood != "idle":
                    terminal.order("flood")
                    terminal.drain(1.0)
                began = time.perf_counter()
                seconds_of_keys = []
                for number in range(rounds * 10):
                    terminal.drain(0.05)
                    key = string.ascii_lowercase[number % 26]
                    seconds_of_keys.append(terminal.echo(key))
                if mood != "idle":
                    if who == _PANEL:
                        spans["endless flood"].append((began, time.perf_counter()))
                    terminal.order("calm")
                    terminal.drain(1.0)
                times = Times(tuple(seconds_of_keys))
                echoes.append(
                    [
                        f"{who}, {mood}, {where}",
                        duration(times.median),
                        duration(times.quantile(0.95)),
                    ]
                )
    for name, each in spans.items():
        times = late(directory / f"beats-{size[0]}", each)
        lateness.append(
            [f"{name}, {where}", duration(times.median), duration(times.quantile(0.99)),
             duration(max(times.seconds))]
        )  # fmt: skip
