"""``kernel import`` and its neighbours on the command line: what is printed and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from banger_tui.cli import main as cli_main
from banger_tui.cli.output import Output
from banger_tui.cli.parser import parse
from banger_tui.engine.api import Engine
from banger_tui.engine.errors import BangerError
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings
from tests.unit.kernels import samples


@dataclass
class Result:
    code: object
    out: str
    err: str


Cli = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def cli(own_shell: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    driver = FakeDriver(boot_seconds=0.01)

    def open_engine(paths: Paths, settings: Settings) -> Engine:
        return Engine(paths, settings, driver=driver)

    async def run(*argv: str) -> Result:
        out = Output(json="--json" in argv)
        code: object
        try:
            code = await cli_main.carry_out(parse(argv), out)
        except BangerError as error:
            code = cli_main.told(error, out)
        return Result(code, *capfd.readouterr())

    monkeypatch.setattr(cli_main, "open_engine", open_engine)
    return run


async def test_import_show_and_delete(cli: Cli, package: Path, private_home: Path) -> None:
    done = await cli("kernel", "import", "mine", "--deb", str(package))
    assert (done.code, done.out) == (0, "")
    assert re.findall(r"✓ (\w+)", done.err) == ["read", "modules", "initrd", "publish", "import"]

    shown = json.loads((await cli("kernel", "show", "mine", "--json")).out)
    directory = private_home / "state/kernels/mine"
    assert shown["name"] == "mine"
    assert shown["version"] == samples.VERSION
    assert shown["source"] == "package: linux-image.deb"
    assert shown["digest"].startswith("sha256:")
    assert shown["size_bytes"] > 1000
    assert shown["vmlinuz"] == str(directory / "vmlinuz")
    assert shown["initrd"] == str(directory / "initrd.img")
    assert set(shown["modules"]) == set(samples.MODULES)
    assert shown["used_by"] == []
    told = (await cli("kernel", "show", "mine")).out
    assert "virtio_blk" in told
    assert samples.VERSION in (await cli("kernel", "list")).out

    assert (await cli("kernel", "delete", "mine")).code == 2, "nobody is here to answer"
    assert (await cli("kernel", "delete", "mine", "--yes")).code == 0
    assert not directory.exists()


async def test_events_for_programs(cli: Cli, package: Path) -> None:
    done = await cli("kernel", "import", "mine", "--deb", str(package), "--json")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert events[-1]["event"] == "result"
    assert events[-1]["ok"] is True
    assert events[-1]["kernel"]["name"] == "mine"
    assert [stage["name"] for stage in events[-2]["stages"]] == [
        "read", "modules", "initrd", "publish"
    ]  # fmt: skip


async def test_files(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmlinux").write_bytes(samples.vmlinux())
    (tmp_path / "config").write_text(samples.CONFIG)
    (tmp_path / "initrd").write_bytes(b"070701" + bytes(600))
    samples.write_tree(tmp_path / "modules", samples.tree_files())
    monkeypatch.chdir(tmp_path)
    done = await cli(
        "kernel", "import", "mine", "--kernel", "vmlinux", "--modules", "modules",
        "--initrd", "initrd", "--config", "config",
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = json.loads((await cli("kernel", "show", "mine", "--json")).out)
    assert shown["source"] == f"file: {tmp_path}/vmlinux"


async def test_a_failure_tells_why_and_leaves_nothing(
    cli: Cli, tmp_path: Path, private_home: Path
) -> None:
    (tmp_path / "no.deb").write_bytes(b"hello")
    done = await cli("kernel", "import", "mine", "--deb", str(tmp_path / "no.deb"))
    assert done.code == 1
    assert "no.deb is no sound Debian package" in done.err
    missing = await cli("kernel", "import", "mine", "--kernel", str(tmp_path / "missing"))
    assert missing.code == 2
    assert list((private_home / "state/kernels").iterdir()) == []
    assert list((private_home / "cache/staging").iterdir()) == []


async def test_catalogs_of_ones_own(cli: Cli, tmp_path: Path, private_home: Path) -> None:
    """What is in them can be had; what is wrong with one is told, and is no unknown name."""
    source = {"kind": "debian", "suite": "trixie", "package": "linux-image-{architecture}"}
    own = {"kernels": [{"name": "own", "description": "mine", "source": source}]}
    (tmp_path / "own.json").write_text(json.dumps(own))
    config = private_home / "config/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[[catalogs]]\nfile = "{tmp_path}/own.json"\n')
    listed = await cli("kernel", "catalog", "--json")
    assert {"own", "debian-bookworm-cloud"} == {entry["name"] for entry in json.loads(listed.out)}
    assert listed.err == ""
    wrong = await cli("kernel", "pull", "onw")
    assert wrong.code == 1
    assert "not in any catalog" in wrong.err
    assert "Did you mean own?" in wrong.err

    (tmp_path / "own.json").write_text('{"kernels": [{}]}')
    listed = await cli("kernel", "catalog")
    assert listed.code == 0
    assert "debian-bookworm-cloud" in listed.out
    assert "kernels[0].source is wrong" in listed.err
    wrong = await cli("kernel", "pull", "own")
    assert wrong.code == 1
    assert "kernels[0].source is wrong" in wrong.err
    assert "not in any catalog" not in wrong.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["import"], "NAME"),
        (["import", "mine"], "--kernel --deb --installed"),
        (["import", "mine", "--deb", "a", "--installed"], "not allowed with"),
        (["import", "mine", "--deb", "a", "--modules", "b"], "--modules goes with --kernel"),
        (["import", "mine", "--installed", "--initrd", "b"], "--initrd goes with --kernel"),
        (["import", "A/B", "--deb", "a"], "can't be a kernel's name"),
    ],
)
async def test_wrong_usage(cli: Cli, words: list[str], reason: str) -> None:
    done = await cli("kernel", *words)
    assert done.code == 2
    assert reason in done.err
