"""Pulls that can't be carried out: a full disk at each step, two processes at once, a kill."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.registry.images import push_image, tar_layer
from tests.host.registry.server import RunningRegistry

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)
ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
PROGRAM = [sys.executable, "-m", "banger_tui"]


def text(size: int) -> bytes:
    """What compresses to about a fifth."""
    words = [random.Random(n).randbytes(12) for n in range(64)]
    choice = random.Random(size)
    return b"".join(choice.choice(words) for _ in range(size // 12))


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@contextmanager
def small_disk(directory: Path, mib: int) -> Iterator[Path]:
    """A tmpfs of that size."""
    directory.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "small", str(directory)]
    subprocess.run(mount, check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=2g", str(disk)], check=True)


async def banger(home: Path, *arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "BANGER_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def left_over(home: Path) -> list[str]:
    """What a failed pull may not leave: anything but whole or partial downloads and tools."""
    return [
        str(path.relative_to(home))
        for base in (home / "cache" / "staging", home / "state" / "images")
        for path in base.rglob("*")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
@pytest.mark.parametrize(
    ("mib", "where", "sizes"),
    [
        pytest.param(24, "cache", (40, 0), id="download"),
        pytest.param(40, "cache", (8, 100), id="inflate"),
        pytest.param(130, "cache", (24, 64), id="ext4"),
        pytest.param(24, "state", (30, 10), id="publish"),
    ],
)
async def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, registry: RunningRegistry, mib: int, where: str, sizes: tuple[int, int]
) -> None:
    """``sizes``: MiB of what does not compress, and of what does."""
    home = tmp_path / "home"
    layer = tar_layer({"noise": noise(sizes[0] * MIB), "text": text(sizes[1] * MIB)})
    image = push_image(registry, [layer])
    pull = ("image", "pull", image.reference, "--name", "x", "--plain")
    with small_disk(home / where, mib) as disk:
        code, _, err = await banger(home, *pull)
        assert code == 1, err
        assert "room" in err or "space" in err, err
        assert "Traceback" not in err
        assert left_over(home) == []
        assert (await banger(home, "image", "list", "--json"))[1].strip() == "[]"
        make_room(disk)
        code, _, err = await banger(home, *pull)
        assert code == 0, err
        assert left_over(home) != []


async def test_two_processes_that_pull_one_name_have_one_winner(
    tmp_path: Path, registry: RunningRegistry
) -> None:
    home = tmp_path / "home"
    image = push_image(registry, [tar_layer({"a": noise(4 * MIB)})])
    command = ("image", "pull", image.reference, "--name", "x", "--plain", "--json")
    ends = await asyncio.gather(*(banger(home, *command) for _ in range(2)))
    assert sorted(code for code, _, _ in ends) == [0, 1], ends
    (loser,) = [err for code, _, err in ends if code]
    assert "NameTaken" in loser
    shown = json.loads((await banger(home, "image", "show", "x", "--json"))[1])
    assert await asyncio.to_thread(Path(shown["rootfs"]).exists)
    assert [path for path in left_over(home) if "staging" in path] == []


async def test_an_unchanged_tag_moves_no_layer_again(
    tmp_path: Path, registry: RunningRegistry
) -> None:
    home = tmp_path / "home"
    image = push_image(registry, [tar_layer({"a": noise(MIB)})])
    pull = ("image", "pull", image.reference, "--plain", "--json", "--name")
    code, out, err = await banger(home, *pull, "one")
    assert code == 0, err
    code, out, err = await banger(home, *pull, "two")
    assert code == 0, err
    last = [json.loads(line) for line in out.splitlines()]
    stages = [line for line in last if line["event"] == "operation"][-1]["stages"]
    (download,) = [stage for stage in stages if stage["name"] == "download"]
    assert [child["detail"] for child in download["children"]] == ["already here"]
    digests = [
        json.loads((await banger(home, "image", "show", name, "--json"))[1])["provenance"]
        for name in ("one", "two")
    ]
    assert digests[0] == digests[1]
    assert image.digest in digests[0]
