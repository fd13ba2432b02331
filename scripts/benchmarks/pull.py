"""From a registry to a filesystem: our pull against skopeo, umoci and mke2fs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from isal import isal_zlib

from banger_tui.engine.ext4 import tool
from scripts.benchmarks import synthetic_image
from scripts.benchmarks.samples import COMPARED, Table, compared, in_turns
from tests.ext4_images.modern_tools import modern_tools, path_with
from tests.host.registry.server import running_registry

_CHUNK = 1 << 20
_GZIP = 16 + 15  # wbits: a gzip header, the largest window
_PEER = "skopeo, umoci, mke2fs"
_FLOOR = "floor: inflate, hash, write"
_WAYS = ("tar", "directory")
_SAMPLED = 0.1  # seconds


def report(home: Path, rounds: int) -> Table:
    """Needs docker-registry, skopeo, umoci and mke2fs; about half a minute and 4 GB a round."""
    if missing := [tool for tool in ("skopeo", "umoci") if shutil.which(tool) is None]:
        raise SystemExit(f"The pull is measured against them: apt-get install {' '.join(missing)}")
    layout = synthetic_image.make(home / "pull")
    with tempfile.TemporaryDirectory(prefix="pull-", dir=home) as directory:
        return _report(Path(directory), layout, rounds)


def _report(work: Path, layout: Path, rounds: int) -> Table:
    peaks: dict[str, list[int]] = {way: [] for way in _WAYS}
    with running_registry(work / "registry") as server:
        reference = f"{server.address}/bench:latest"
        _run("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false",
             f"oci:{layout}:bench", f"docker://{reference}")  # fmt: skip
        ours = {
            f"banger-tui, {way} into mke2fs": partial(
                _ours, work / way, reference, way, _path(way, work / "tools"), peaks[way]
            )
            for way in _WAYS
        }
        for pull in ours.values():  # what is fetched once, as the guest kit, is not timed
            pull()
        times = in_turns(rounds, {
            _PEER: partial(_peer, work, reference),
            **ours,
            _FLOOR: partial(_floor, layout, work),
        })  # fmt: skip
    rows = compared(times, _PEER)
    for row, each in zip(rows, times.values(), strict=True):
        row.append(f"{each.median / times[_FLOOR].median:.1f}")
    peak = {way: max(values) >> 20 for way, values in peaks.items()}
    return Table(
        "Pull of a 450 MB image",
        f"{rounds} of each, in turns: five gzip layers, 25,000 files, from a registry on loopback "
        "to a checked ext4 filesystem on disk, downloads not kept from one to the next. Nothing is "
        "deleted between rounds but what ours deletes itself: ext4 is slow to give new inodes when "
        "it has just freed many, and whoever came next would pay. Ours adds the guest kit and "
        "verifies every digest. The floor inflates and hashes each layer and writes it, in one "
        "thread. Peak memory, of the program and all that it starts together: "
        f"{peak['tar']} MiB by tar, {peak['directory']} MiB by directory.",
        (*COMPARED, "to the floor"),
        rows,
        "Goal: 0.5 by tar, 0.8 by directory, 400 MiB.",
    )


def _path(way: str, tools: Path) -> str:
    """PATH for a pull; for "tar" with a mke2fs that reads it, fetched where the host has none."""
    if way == "tar" and asyncio.run(tool.tar_capable()) is None:
        programs = tools / "bin"
        if not programs.is_dir():
            programs = asyncio.run(modern_tools(tools))
        return path_with(programs)
    return os.environ["PATH"]


def _ours(home: Path, reference: str, way: str, path: str, peaks: list[int]) -> float:
    name = f"bench-{len(peaks)}"
    blobs = home / "cache" / "blobs"
    if blobs.exists():
        blobs.rename(home / f"blobs-before-{name}")
    argv = [sys.executable, "-m", "scripts.benchmarks.pull_once", str(home), reference, way, name]
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(argv, stdout=output, env={**os.environ, "PATH": path})
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(_SAMPLED)
        # From outside, as for the peer: the start of Python counts.
        whole = time.perf_counter() - began
        if process.returncode:
            raise RuntimeError(f"{' '.join(argv)} failed")
        output.seek(0)
        seconds = json.loads(output.read().splitlines()[-1])
    peaks.append(peak)
    if os.environ.get("BANGER_BENCH_STAGES"):
        print(way, seconds, f"{peak >> 20} MiB", file=sys.stderr)
    return whole


def _memory(process: int) -> int:
    """Resident bytes of a process and all below it; what they share counts for each (proc(5))."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        below = [
            int(child)
            for children in Path(f"/proc/{process}/task").glob("*/children")
            for child in children.read_text().split()
        ]
    except (OSError, IndexError):  # it has just ended
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(_memory, below))


def _peer(work: Path, reference: str) -> float:
    work = Path(tempfile.mkdtemp(dir=work))
    began = time.perf_counter()
    _run("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false",
         f"docker://{reference}", f"oci:{work}/oci:bench")  # fmt: skip
    _run("umoci", "raw", "unpack", "--image", f"{work}/oci:bench", f"{work}/rootfs")
    target = work / "rootfs.ext4"
    with target.open("wb") as file:
        file.truncate(1 << 30)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-d", f"{work}/rootfs", str(target))
    return time.perf_counter() - began


def _floor(layout: Path, work: Path) -> float:
    work = Path(tempfile.mkdtemp(dir=work))
    began = time.perf_counter()
    for blob in (layout / "blobs" / "sha256").iterdir():
        data = blob.read_bytes()
        compressed, inflated = hashlib.sha256(data), hashlib.sha256()
        if data[:2] != b"\x1f\x8b":
            continue
        inflate = isal_zlib.decompressobj(_GZIP)
        with (work / blob.name).open("wb") as file:
            for start in range(0, len(data), _CHUNK):
                part = inflate.decompress(data[start : start + _CHUNK])
                inflated.update(part)
                file.write(part)
        compressed.hexdigest(), inflated.hexdigest()
    return time.perf_counter() - began


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr[-2000:]}")
    return done.stdout
