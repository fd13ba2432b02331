"""All layer cases as filesystems, by whoever runs this.

    python -m tests.ext4_images.batch tar|directory WORK [UID]

UID: give up root for good, and be this user alone. Prints one JSON object a line: case, problem (""
for none), digest of the filesystem (of a case that must be refused: "").
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from banger_tui.engine.errors import BangerError
from banger_tui.engine.ext4 import build as ext4
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.ext4.tree_of import tree_of
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB
from banger_tui.engine.process import run_tool
from tests.host.registry.stage import RecordedStage
from tests.layer_cases.case import Case, Entry, ErrorExpectation
from tests.layer_cases.cases import CASES
from tests.layer_cases.snapshot import snapshot
from tests.unit.layers.merging import merged

_SIZE = 48 * MIB
_AT_ONCE = 2


def become(user: int) -> None:
    """Be nobody but this user from here on."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.umask(0o077)
    assert Path("/proc/self/status").read_text().count("CapEff:\t0000000000000000") == 1


async def made(case: Case, way: ext4.Way, work: Path) -> str:
    """Its filesystem, held against the table; the digest.

    Raises:
        AssertionError, BangerError
    """
    image, staging, stage = work / "image", work / "staging", RecordedStage()
    await asyncio.to_thread(staging.mkdir)
    root = merged(case.layers(), work, case.limits)
    await ext4.build(
        root, image, size_bytes=_SIZE, label="case", staging=staging, stage=stage, way=way
    )
    await inspect.check(image, stage)
    assert not isinstance(case.expected, ErrorExpectation)
    compare(snapshot(tree_of(image, Limits())), case.expected)
    return inspect.content_digest(image)


def compare(found: Mapping[bytes, Entry], expected: Mapping[bytes, Entry]) -> None:
    """Raises: AssertionError: says which entries differ, and how."""
    wrong = [
        f"{path!r}: {found.get(path)!s:.400} is not {expected.get(path)!s:.400}"
        for path in sorted({*found, *expected})
        if found.get(path) != expected.get(path)
    ]
    assert not wrong, "\n".join(wrong)


async def refused(case: Case, way: ext4.Way, work: Path) -> str:
    """Raises: AssertionError: a filesystem was made, it was for another reason, or something is
    left of it."""
    assert isinstance(case.expected, ErrorExpectation)
    try:
        await made(case, way, work)
    except case.expected.error:
        left = await asyncio.to_thread(left_over, work)
        assert not left, left
        return ""
    raise AssertionError("it was not refused")


def left_over(work: Path) -> list[str]:
    """All files but the layers themselves."""
    return [str(path) for path in work.rglob("*") if path.is_file() and path.suffix != ".tar"]


async def outcome(case: Case, way: ext4.Way, work: Path) -> dict[str, str]:
    await asyncio.to_thread(work.mkdir)
    problem = digest = ""
    try:
        digest = await (refused if case.is_refused else made)(case, way, work)
    except (AssertionError, BangerError) as error:
        problem = str(error) or repr(error)
    await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    return {"case": case.name, "problem": problem, "digest": digest}


async def main() -> None:
    way, work = ext4.Way(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3:]:
        # Python may lie where only root can read: what it imports late has to be there already.
        await run_tool(["true"])
        for case in CASES:
            with contextlib.suppress(BangerError), TemporaryDirectory() as directory:
                merged(case.layers(), Path(directory), case.limits)
        await asyncio.to_thread(become, int(sys.argv[3]))
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case) -> None:
        async with free:
            print(json.dumps(await outcome(case, way, work / case.name)), flush=True)

    async with asyncio.TaskGroup() as group:
        for case in CASES:
            group.create_task(one(case))


if __name__ == "__main__":
    asyncio.run(main())
