"""``banger-tui vm run --rm -- true``, whole, and where its time goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from banger_tui.engine.paths import Paths
from scripts.benchmarks import floor
from scripts.benchmarks.samples import COMPARED, Table, Times, compared, duration, in_turns

PROGRAM = str(Path(sys.executable).with_name("banger-tui"))
PHASES = (
    "start of Python, engine opened", "image, kernel, name, disk, port", "launch of QEMU",
    "boot to ready", "ssh, command", "delete", "end of Python",
)  # fmt: skip


class VmRun:
    """Runs the command on one image and keeps the phases of each run."""

    def __init__(self, home: Path, image: str) -> None:
        self._env = {**os.environ, "BANGER_HOME": str(home)}
        self._image = image
        self.phases: list[Sequence[float]] = []

    def measure(self) -> float:
        """Seconds of wall time of one run."""
        argv = [PROGRAM, "vm", "run", "--rm", "--quiet", "--image", self._image, "--", "true"]
        began = time.time()
        subprocess.run(argv, env=self._env, check=True, timeout=600)
        ended = time.time()
        self.phases.append(self._split(began, ended))
        return ended - began

    def _split(self, began: float, ended: float) -> Sequence[float]:
        """The stored operations of the run say when each part of it began."""
        listed = subprocess.run(
            [PROGRAM, "operation", "list", "--json"],
            env=self._env, check=True, capture_output=True,
        )  # fmt: skip
        operations = [o for o in json.loads(listed.stdout) if o["started"] >= began]
        create = next(o for o in operations if o["kind"] == "create")
        delete = next(o for o in operations if o["kind"] == "delete")
        marks = [
            began, create["started"], _began(create, "launch"), _began(create, "boot"),
            create["ended"], delete["started"], delete["ended"], ended,
        ]  # fmt: skip
        return [later - earlier for earlier, later in pairwise(marks)]


def _began(operation: dict[str, Any], stage: str) -> float:
    return float(next(s["started"] for s in operation["stages"] if s["name"] == stage))


def warm(home: Path, image: str) -> None:
    """Once before measuring: the image and the kernel are pulled if need be."""
    argv = [PROGRAM, "vm", "run", "--rm", "--image", image, "--", "true"]
    env = {**os.environ, "BANGER_HOME": str(home)}
    subprocess.run(argv, env=env, check=True, timeout=1800)


def report(home: Path, images: Sequence[str], rounds: int) -> list[Table]:
    tables = []
    for image in images:
        warm(home, image)
        bare = floor.prepared(Paths.below(home), image)
        run = VmRun(home, image)
        floor_name, whole = "bare QEMU, boot to ready", "vm run --rm -- true, whole"
        times = in_turns(rounds, {floor_name: partial(floor.measure, bare), whole: run.measure})
        phases = [Times(tuple(column)) for column in zip(*run.phases, strict=True)]
        rows = compared(times, floor_name)
        rows += [
            [f"· {name}", duration(each.median), duration(min(each.seconds)),
             duration(each.quantile(0.9)), ""]
            for name, each in zip(PHASES, phases, strict=True)
        ]  # fmt: skip
        tables.append(
            Table(
                f"One command in a new VM: {image}",
                f"{rounds} runs of each, in turns; the image is present. The floor is QEMU with "
                "the same command line, kernel, initrd and a fresh overlay on the same disk, until "
                "the guest says ready; the command adds everything else a person waits for.",
                COMPARED,
                rows,
                "Goal: the whole command within 1.3 of the floor.",
            )
        )
    return tables
