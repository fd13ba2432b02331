"""What a VM is told at boot, and the keys it is told."""

from __future__ import annotations

import stat
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path

import asyncssh
import pytest

from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.guest import boot, keys
from tests.unit.test_cpio import names

CONFIG = boot.BootConfig(
    hostname="sand-1",
    host_key=b"SECRET",
    authorized_keys=("ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"),
    address=IPv4Interface("10.0.2.15/24"),
    gateway="10.0.2.2",
    dns=("10.0.2.3", "10.0.2.4"),
    init="/.banger/init",
)


def test_one_value_a_file_readable_by_root_alone() -> None:
    found = names(boot.segment(CONFIG))
    assert found["banger/hostname"][3] == b"sand-1\n"
    assert found["banger/address"][3] == b"10.0.2.15/24\n"
    assert found["banger/dns"][3] == b"10.0.2.3\n10.0.2.4\n"
    assert found["banger/host_key"][3] == b"SECRET"
    assert found["banger"][0] == stat.S_IFDIR | 0o700
    modes = {stat.S_IMODE(v[0]) for k, v in found.items() if k.startswith("banger/")}
    assert modes == {0o600}


def test_what_is_not_set_is_not_there() -> None:
    found = names(boot.segment(replace(CONFIG, address=None, gateway=None, dns=())))
    assert not {"banger/address", "banger/gateway", "banger/dns"} & found.keys()


def test_initrd_is_private_and_follows_the_shared_one(tmp_path: Path) -> None:
    (tmp_path / "initrd.img").write_bytes(b"BASE")
    target = tmp_path / "vm/initrd"
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o644)
    boot.write_initrd(tmp_path, CONFIG, target)
    assert target.read_bytes() == b"BASE" + boot.segment(CONFIG)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [p.name for p in target.parent.iterdir()] == ["initrd"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "initrd"
    target.write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        boot.write_initrd(tmp_path / "nowhere", CONFIG, target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["initrd"]


@pytest.mark.parametrize(
    "change",
    [
        {"hostname": "Bad_Name"},
        {"hostname": "a\nb"},
        {"hostname": "-a"},
        {"init": "sbin/init"},
        {"init": "/sbin/init; reboot"},
        {"root": "../etc"},
        {"authorized_keys": ("ssh-ed25519 A\nssh-rsa B",)},
        {"dns": ("10.0.0.1\n10.0.0.2",)},
        {"gateway": "10.0.0.1\0"},
    ],
)
def test_values_that_would_be_read_as_something_else_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        replace(CONFIG, **change)  # type: ignore[arg-type]


def test_secrets_stay_out_of_the_repr() -> None:
    assert "SECRET" not in repr(CONFIG)
    assert "PRIVATE" not in repr(keys.client_key())


def test_client_key_is_what_ssh_reads() -> None:
    pair = keys.client_key("me")
    key = asyncssh.import_private_key(pair.private)
    assert key.export_public_key().decode().split()[:2] == pair.public.split()[:2]
    assert pair.public.endswith(" me")


def test_host_key_in_dropbear_format_and_back() -> None:
    pair = keys.host_key()
    assert pair.private[:19] == b"\0\0\0\x0bssh-ed25519\0\0\0\x40"
    assert keys.host_key_public(pair.private) == pair.public
    asyncssh.import_public_key(pair.public)
    assert keys.host_key().public != pair.public


@pytest.mark.parametrize(
    "damage", [lambda k: k[:-1], lambda k: b"x" + k[1:], lambda k: k[:-1] + b"\0"]
)
def test_a_damaged_host_key_is_refused(damage: object) -> None:
    private = keys.host_key().private
    while private.endswith(b"\0"):
        private = keys.host_key().private
    with pytest.raises(ValueError, match="key"):
        keys.host_key_public(damage(private))  # type: ignore[operator]
