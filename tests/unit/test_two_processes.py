"""Several processes on one state directory, on the fake driver: real processes, real file locks."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.engine_fixtures.engines import IMAGE, fake_engine
from tests.engine_fixtures.gates import PATIENCE
from tests.engine_fixtures.inspection import names

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(240)

WORKER = """
import asyncio, json, sys
from pathlib import Path
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import VmSpec
from tests.engine_fixtures.engines import ElsewhereDriver, IMAGE, WatchedBuilders, fake_engine
async def main():
    home, what = Path(sys.argv[1]), json.loads(sys.argv[2])
    builders = WatchedBuilders(image_seconds=0.5)
    async with fake_engine(home, ElsewhereDriver(), builders) as engine:
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if what["verb"] == "pull":
            operations = [await engine.images.pull(IMAGE)]
        else:
            operations = [
                await engine.vms.create(VmSpec(name=what.get("name"), image=IMAGE))
                for _ in range(what["count"])
            ]
        said = []
        for operation in operations:
            try:
                made = await operation.result()
                said.append([made.name, getattr(made, "ssh_port", 0)])
            except BangerError as error:
                said.append(error.kind)
        print(json.dumps({"said": said, "built": builders.images_built}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


async def at_once(home: Path, number: int, **what: object) -> list[dict[str, list[object]]]:
    """Let so many processes do this at the same moment; what each says."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, str(home), json.dumps(what),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        )
        for _ in range(number)
    ]  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            for process in processes:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"open\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"\n")
            lines = [await p.stdout.readline() for p in processes if p.stdout is not None]
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(b"\n")
            assert [await process.wait() for process in processes] == [0] * number
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return [json.loads(line) for line in lines]


async def test_creates_in_three_processes_run_one_build(tmp_path: Path) -> None:
    """They also open a directory that is not there yet, all at the same time."""
    said = await at_once(tmp_path, 3, verb="create", count=2)
    assert sum(int(str(s["built"])) for s in said) == 1, "an image was built more than once"
    made = [tuple(vm) for s in said for vm in s["said"] if isinstance(vm, list)]
    assert len(made) == 6, said
    assert len({name for name, _ in made}) == 6, f"a name was given twice: {made}"
    assert len({port for _, port in made}) == 6, f"a port was given twice: {made}"


async def test_publish_clash_between_processes_has_one_winner(tmp_path: Path) -> None:
    said = await at_once(tmp_path, 2, verb="pull")
    outcomes = sorted(str(s["said"][0]) for s in said)
    assert outcomes == sorted(["NameTaken", str([IMAGE, 0])])
    assert [s["built"] for s in said] == [1, 1], "they did not clash: nothing was proved"
    async with fake_engine(tmp_path) as engine:
        assert [image.name for image in await engine.images.list()] == [IMAGE]
        assert names(engine.paths.images) == {IMAGE}
        assert names(engine.paths.staging) == set()


async def test_one_name_wanted_by_two_processes_has_one_winner(tmp_path: Path) -> None:
    said = await at_once(tmp_path, 2, verb="create", count=1, name="web")
    outcomes = [s["said"][0] for s in said]
    assert sorted(type(o).__name__ for o in outcomes) == ["list", "str"], outcomes
    assert "NameTaken" in outcomes
