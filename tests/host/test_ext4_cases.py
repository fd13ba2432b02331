"""Every layer case through a real filesystem: made in both ways, by root and by a user without any
rights, checked by e2fsck, read back, and the same for both to the last byte."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from banger_tui.engine.errors import BangerError
from banger_tui.engine.ext4.tool import tar_capable
from tests.ext4_images.modern_tools import modern_tools, path_with
from tests.ext4_images.users import NOBODY, open_directory
from tests.layer_cases.case import Case
from tests.layer_cases.cases import CASES

pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
Outcomes = Mapping[str, Mapping[str, str]]


@dataclass
class Batches:
    """Outcomes by way and user; each batch is run once, when it is first asked for."""

    tar_path: str
    """PATH with a mke2fs that reads tar; empty: there is none, and ``why``."""
    why: str
    taken: dict[tuple[str, bool], Outcomes]

    def of(self, way: str, is_root: bool) -> Outcomes:
        if way == "tar" and not self.tar_path:
            pytest.skip(self.why)
        if not is_root and os.geteuid():
            pytest.skip("who is not root can't become another user")
        key = (way, is_root)
        if key not in self.taken:
            user = None if is_root else NOBODY
            self.taken[key] = self._run(way, user)
        return self.taken[key]

    def _run(self, way: str, user: int | None) -> Outcomes:
        path = self.tar_path if way == "tar" else os.environ["PATH"]
        with open_directory(user) as work:
            done = subprocess.run(
                [sys.executable, "-m", "tests.ext4_images.batch", way, str(work),
                 *([] if user is None else [str(user)])],
                cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        lines = map(json.loads, done.stdout.splitlines())
        return {line["case"]: line for line in lines}


@pytest.fixture(scope="module")
def batches() -> Iterator[Batches]:
    with open_directory() as directory:
        path = why = ""
        if asyncio.run(tar_capable()):
            path = os.environ["PATH"]
        else:
            try:
                path = path_with(asyncio.run(modern_tools(directory)))
            except BangerError as error:
                why = f"no mke2fs that reads tar is to be had: {error}"
        yield Batches(path, why, {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("is_root", [True, False], ids=["as-we-are", "nobody"])
@pytest.mark.parametrize("way", ["tar", "directory"])
def test_layers_become_the_filesystem_or_are_refused(
    case: Case, is_root: bool, way: str, batches: Batches
) -> None:
    outcome = batches.of(way, is_root)[case.name]
    assert not outcome["problem"]
    assert bool(outcome["digest"]) is not case.is_refused


@pytest.mark.parametrize("way", ["tar", "directory"])
def test_root_and_nobody_make_the_same_bytes(way: str, batches: Batches) -> None:
    ours, nobodys = batches.of(way, True), batches.of(way, False)
    assert [name for name in ours if ours[name]["digest"] != nobodys[name]["digest"]] == []
    digests = [outcome["digest"] for outcome in ours.values() if outcome["digest"]]
    assert len(set(digests)) > 120  # or they would be of nothing
