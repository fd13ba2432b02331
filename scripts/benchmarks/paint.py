"""First paint of the app, and the echo of a key in the panel, seen through a pseudo terminal."""

from __future__ import annotations

import asyncio
import re
import string
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from banger_tui.engine.model import ImageRecord, KernelRecord, NetworkMode, VmRecord, VmState
from banger_tui.engine.paths import Paths
from banger_tui.engine.store import Store
from scripts.benchmarks import empty_app
from scripts.benchmarks.command import PROGRAM
from scripts.benchmarks.samples import COMPARED, Table, Times, compared, duration, in_turns
from scripts.terminal.program import Program, program

_DEMO = str(Path(__file__).resolve().parents[1] / "demo.py")
EMPTY = (sys.executable, empty_app.__file__)
_MANY = 200
# The last row of a frame that fills the screen begins with this.
_LAST_ROW = b"\x1b[36;1H"


def first_paint(
    argv: Sequence[str], mark: bytes, env: Mapping[str, str], burnt: list[float]
) -> float:
    """Seconds from the start of the process until ``mark`` has come out of the terminal.

    The processor time it took until then is added to ``burnt``.
    """
    with program(argv, env=env) as running:
        seconds, _ = running.until(mark, 60)
        burnt.append(running.cpu_seconds())
        return seconds


async def fill(paths: Paths, count: int) -> None:
    """State with that many stopped machines."""
    paths.prepare()
    store = await Store.open(paths.database, lambda _: None)
    now = time.time()
    try:
        image = ImageRecord("busybox", "sha256:0", "bench", 1, 1 << 30, "cloud", "/init", now)
        kernel = KernelRecord("cloud", "6.1", "sha256:0", "bench", 1, now)
        # A row whose files are lost would be swept.
        paths.image(image.name).mkdir()
        paths.kernel(kernel.name).mkdir()
        await store.insert_image(image)
        await store.insert_kernel(kernel)
        for number in range(count):
            vm = VmRecord(
                id=f"{number:012x}", name=f"machine-{number:03}", state=VmState.STOPPED,
                image=image.name, image_digest=image.digest, kernel=kernel.name, cpus=1,
                memory_mib=512, disk_bytes=1 << 30, network=NetworkMode.USER, ephemeral=False,
                driver="fake", ssh_port=20_000 + number, host_key="", created_at=now,
                stopped_at=now,
            )  # fmt: skip
            await store.insert_vm(vm, (0, 0))
            paths.vm(vm.id).mkdir()
    finally:
        await store.close()


def paint_table(rounds: int) -> Table:
    with tempfile.TemporaryDirectory(prefix="banger-bench-") as directory:
        homes = {count: Path(directory, str(count)) for count in (0, _MANY)}
        for count, home in homes.items():
            if count:
                asyncio.run(fill(Paths.below(home), count))
        empty = "empty Textual app"

        wanted = {
            "banger-tui, no machines": (0, _LAST_ROW),
            f"banger-tui, {_MANY} machines": (_MANY, _LAST_ROW),
            "· home screen, takes keys": (0, b"quit"),
            "· engine open, no machines": (0, b"No machines yet"),
            f"· engine open, {_MANY} rows": (_MANY, b"machine-001"),
        }
        burnt: dict[str, list[float]] = {name: [] for name in (empty, *wanted)}
        subjects: dict[str, Callable[[], float]] = {
            empty: partial(first_paint, EMPTY, _LAST_ROW, {}, burnt[empty])
        }
        for name, (count, mark) in wanted.items():
            env = {"BANGER_HOME": str(homes[count]), "BANGER_DRIVER": "fake"}
            subjects[name] = partial(first_paint, [PROGRAM], mark, env, burnt[name])
        for name, measure in subjects.items():
            measure()
            burnt[name].clear()
        times = in_turns(rounds, subjects)
    rows = compared(times, empty)
    for row, seconds in zip(rows, burnt.values(), strict=True):
        processor = Times(tuple(seconds)).median
        share = processor / Times(tuple(burnt[empty])).median
        row += [duration(processor), "1" if seconds is burnt[empty] else f"{share:.2f}"]
    return Table(
        "First paint",
        f"{rounds} starts of each, in turns: from the start of the process until the last row of "
        "the first screen has been written to a terminal of 120 x 36; and the processor time until "
        "then, which a busy machine changes less. What comes after it is below.",
        (*COMPARED, "processor", "ratio"),
        rows,
        "Goal: the first two within 1.3 of the empty app.",
    )


def echo_table(keys: int) -> Table:
    """Keys typed one at a time, into the panel's shell (fake driver) and into a text field."""
    with tempfile.TemporaryDirectory(prefix="banger-bench-") as directory:
        env = {"BANGER_HOME": directory}
        with program(EMPTY) as peer, program([sys.executable, _DEMO], env=env) as app:
            peer.until(b"the end", 60)
            app.until(b"root@", 60)
            app.quiet(1.0)
            app.write(b"\r")
            app.until(b"leaves the panel", 20)
            taken: dict[str, list[float]] = {"text field of the empty app": [], "panel": []}
            for number in range(keys):
                key = string.ascii_lowercase[number % 26].encode()
                for name, running in zip(taken, (peer, app), strict=True):
                    taken[name].append(_echo(running, key))
                if number % 40 == 39:
                    peer.write(b"\x15")  # an empty field again
                    app.write(b"\r")
    times = {name: Times(tuple(seconds)) for name, seconds in taken.items()}
    return Table(
        "Echo of a key",
        f"{keys} keys, in turns: from the write of the key to the terminal until it is painted.",
        COMPARED,
        compared(times, "text field of the empty app"),
    )


def _echo(running: Program, key: bytes) -> float:
    running.quiet(0.06)
    began = time.perf_counter()
    running.write(key)
    seen = b""
    while time.perf_counter() < began + 5:
        seen += running.read(1.0)
        if key in _text(seen):
            return time.perf_counter() - began
    raise AssertionError(f"{key!r} was not painted: {seen!r}")


def _text(written: bytes) -> bytes:
    """What is left of the output without control sequences, whose letters are no text."""
    return re.sub(rb"\x1b\[[0-9;?<=>:]*[a-zA-Z]", b"", written)
