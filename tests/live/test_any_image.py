"""Container images from a real registry boot and answer, whatever they lack."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foreign_images import build
from tests.host.registry.images import push_image
from tests.host.registry.server import RunningRegistry

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path("/bin/busybox").exists() or not build.is_static(build.busybox()),
        reason="needs Debian's busybox-static",
    ),
]
ROOT = Path(__file__).resolve().parents[2]


async def banger(home: Path, *arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "banger_tui", *arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "BANGER_HOME": str(home), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_an_image_like_alpine(real_home: Path, registry: RunningRegistry) -> None:
    layers, config = build.like_alpine()
    image = push_image(registry, layers, config, repository="like/alpine", tag="3.20")
    command = "cat /etc/os-release; ls /etc/gone 2>&1; tr '\\0' ' ' </proc/1/cmdline; exit 5"
    code, out, err = await banger(
        real_home, "vm", "run", "--rm", "--image", image.reference, "--", "sh", "-c", command
    )
    assert code == 5, err
    assert "ID=alpine" in out
    assert "No such file" in out
    assert "/.banger/init" in out
    shown = json.loads((await banger(real_home, "image", "show", image.reference, "--json"))[1])
    assert shown["provenance"].endswith(image.digest)
    assert [layer["digest"] for layer in shown["layers"]] == [d["digest"] for d in image.layers]
    assert shown["config"]["Cmd"] == ["/bin/sh"]


async def test_a_scratch_image_with_one_binary(real_home: Path, registry: RunningRegistry) -> None:
    layers, config = build.scratch()
    image = push_image(registry, layers, config, compression="zstd")
    code, out, err = await banger(
        real_home, "vm", "run", "--rm", "--image", image.reference, "--", "/busybox", "sh", "-c",
        "echo it answers; exit 9",
    )  # fmt: skip
    assert (code, out) == (9, "it answers\n"), err
    code, out, err = await banger(
        real_home, "vm", "run", "--rm", "--image", image.reference, "--entrypoint"
    )
    assert (code, out) == (0, "from scratch\n"), err


async def test_user_environment_and_entrypoint(real_home: Path, registry: RunningRegistry) -> None:
    layers, config = build.with_user_and_entrypoint()
    image = push_image(registry, layers, config, kind="docker")
    run = ("vm", "run", "--rm", "--image", image.reference)
    code, out, err = await banger(real_home, *run, "--entrypoint")
    assert (code, out) == (3, 'it\'s "quoted" & $HOME 1500 /srv/app default words\n'), err
    code, out, err = await banger(
        real_home, *run, "--", "sh", "-c", 'id -u; pwd; echo "$GREETING"; exit 4'
    )
    assert (code, out) == (4, '1500\n/srv/app\nit\'s "quoted" & $HOME\n'), err


@pytest.mark.skipif(shutil.which("musl-gcc") is None, reason="needs musl-gcc (musl-tools)")
async def test_a_program_of_another_c_library(
    real_home: Path, registry: RunningRegistry, tmp_path: Path
) -> None:
    """As Alpine's are: the loader and C library that the image has are musl's."""
    layers, config = build.with_musl(tmp_path)
    image = push_image(registry, layers, config)
    code, out, err = await banger(
        real_home, "vm", "run", "--rm", "--image", image.reference, "--", "/bin/hello", "there"
    )
    assert (code, out) == (6, "hello there from musl, GREETING=hi\n"), err
