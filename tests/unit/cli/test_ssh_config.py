"""The file for ssh's Include, and the one line in the person's own configuration."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import replace as changed
from pathlib import Path

import pytest

from banger_tui.cli.ssh_config import with_include, without_include
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import NetworkMode, VmRecord, VmState
from banger_tui.engine.paths import Paths
from banger_tui.engine.sessions import ssh_config
from tests.engine_fixtures.engines import create, fake_engine
from tests.unit.test_cli_commands import Cli

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIDwtqMwjQtg97AnQrroH0vMavGsV03Q/fbmfq08HgE4"
WEB = VmRecord(
    id="0123456789ab", name="web", state=VmState.RUNNING, image="i", image_digest="", kernel="k",
    cpus=1, memory_mib=1, disk_bytes=1, network=NetworkMode.USER, ephemeral=False, driver="fake",
    ssh_port=2222, host_key=KEY, created_at=0.0,
)  # fmt: skip
FILE = Path("/home/me/state/ssh_config")


def test_entries_pin_the_key_and_give_the_guest_nothing() -> None:
    paths = Paths.below(Path("/home/a 100%"))
    text = ssh_config.entries(paths, [WEB])
    for line in (
        "Host web.vm", "    Port 2222", "    HostKeyAlias 0123456789ab", "    ForwardAgent no",
        "    StrictHostKeyChecking yes", '    IdentityFile "/home/a 100%%/state/key"',
        "    ControlPath none",
    ):  # fmt: skip
        assert line in text.splitlines()
    assert ssh_config.known_hosts([WEB]) == f"0123456789ab {KEY}\n"


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "web\nProxyCommand evil"}, {"name": "*"}, {"name": "Web"}, {"name": ""},
        {"id": "x y"}, {"host_key": KEY + "\n* " + KEY}, {"host_key": "ssh-rsa AAAA"},
        {"ssh_port": 0},
    ],
)  # fmt: skip
def test_what_is_no_name_and_no_key_has_no_place_there(odd: dict[str, object]) -> None:
    vms = [changed(WEB, **odd)]  # type: ignore[arg-type]
    assert "Host " not in ssh_config.entries(Paths.below(Path("/h")), vms)
    assert ssh_config.known_hosts(vms) == ""


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here")
def test_ssh_reads_it_as_it_is_meant(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "a b 100%")
    paths.state.mkdir(parents=True)
    ssh_config.replace(ssh_config.path(paths), ssh_config.entries(paths, [WEB]))
    own = tmp_path / "config"
    own.write_text(with_include("Host *\n  User me\n  ForwardAgent yes\n", ssh_config.path(paths)))
    read = subprocess.run(
        ["ssh", "-G", "-F", own, "web.vm"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for line in (
        "user root", "hostname 127.0.0.1", "port 2222", "forwardagent no",
        f"identityfile {paths.client_key}".replace("%", "%%"),
        f"userknownhostsfile {ssh_config.known_hosts_path(paths)}".replace("%", "%%"),
        "stricthostkeychecking true",
    ):  # fmt: skip
        assert any(line.replace("%%", "%") == found.replace("%%", "%") for found in read), line
    other = subprocess.run(
        ["ssh", "-G", "-F", own, "else.where"], capture_output=True, text=True, check=True
    ).stdout
    assert "user me\n" in other


@pytest.mark.parametrize("before", ["", "Host *\n  User me\n", "# no end of line", "\n\n"])
def test_the_line_comes_once_and_goes_without_a_trace(before: str) -> None:
    after = with_include(before, FILE)
    assert after.splitlines()[1] == f'Include "{FILE}"'
    assert after.endswith(before)
    assert with_include(after, FILE) == after
    assert without_include(after, FILE) == before
    assert without_include(before, FILE) == before


def test_lines_of_others_stay() -> None:
    other = with_include("Host *\n", Path("/other/state/ssh_config"))
    both = with_include(other, FILE)
    assert without_include(both, FILE) == other
    moved = f"# first\n{both}"
    assert without_include(moved, FILE) == f"# first\n{other}"


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/a*b"])
def test_paths_that_ssh_can_not_be_told(path: str) -> None:
    with pytest.raises(InvalidInput):
        with_include("", Path(path))


async def test_it_is_kept_up_to_date_once_it_is_there(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as engine:
        file = ssh_config.path(engine.paths)
        await create(engine, "web")
        await ssh_config.refresh(engine._ctx)
        assert not file.exists()
        assert await engine.vms.ssh_config() == file
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(ssh_config.known_hosts_path(engine.paths).stat().st_mode) == 0o600
        await create(engine, "db")
        await ssh_config.refresh(engine._ctx)
        assert "Host db.vm\n" in file.read_text()
        await (await engine.vms.delete("web")).result()
        await ssh_config.refresh(engine._ctx)
        assert "Host web.vm\n" not in file.read_text()
        assert sorted(p.name for p in engine.paths.state.glob("*ssh*")) == [
            "ssh_config", "ssh_known_hosts",
        ]  # fmt: skip


async def test_install_and_remove(cli: Cli, tmp_path: Path) -> None:
    yours = tmp_path / "dot" / "config"
    await cli("vm", "create", "--name", "web")
    printed = await cli("ssh-config", "--print")
    assert "Host web.vm\n" in printed.out
    file = (await cli("ssh-config")).out.strip()
    refused = await cli("ssh-config", "--install", "--file", str(yours))
    assert (refused.code, yours.exists()) == (2, False)
    assert "--yes" in refused.err
    installed = await cli("ssh-config", "--install", "-y", "--file", str(yours))
    assert installed.code == 0
    assert f'Include "{file}"' in yours.read_text()
    assert stat.S_IMODE(yours.stat().st_mode) == 0o600
    told = (await cli("ssh-config", "--json", "--file", str(yours))).document
    assert told == {"file": file, "installed": True, "hosts": ["web.vm"]}
    # It is there: nobody is asked.
    assert (await cli("ssh-config", "--install", "--file", str(yours))).code == 0
    assert (await cli("ssh-config", "--remove", "-y", "--file", str(yours))).code == 0
    assert yours.read_text() == ""


async def test_a_linked_configuration_is_written_where_it_lies(cli: Cli, tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles", tmp_path / "config"
    real.write_text("Host *\n")
    real.chmod(0o644)
    link.symlink_to(real)
    await cli("ssh-config", "--install", "-y", "--file", str(link))
    assert link.is_symlink()
    assert real.read_text().endswith("\nHost *\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
