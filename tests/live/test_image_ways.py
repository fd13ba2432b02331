"""Images made, given away and taken in again by commands, with real VMs and a real registry."""
# ruff: noqa: ASYNC240 - files between steps hold up nobody in a test

from __future__ import annotations

import filecmp
import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine_fixtures.template import IMAGE
from tests.host.registry.server import RunningRegistry
from tests.live.test_any_image import banger

pytest_plugins = ["tests.host.registry.fixtures"]
pytestmark = pytest.mark.timeout(300)


async def succeeds(home: Path, *arguments: str) -> str:
    code, out, err = await banger(home, *arguments)
    assert code == 0, err
    return out


async def shown(home: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await succeeds(home, "image", "show", name, "--json"))
    return found


def same_file(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return filecmp.cmp(one["rootfs"], other["rootfs"], shallow=False)


async def test_build_with_a_script(real_home: Path, tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("#!/bin/sh\necho first; echo wrong >&2\necho made >/srv-made; sync\n")
    code, _, err = await banger(
        real_home, "image", "build", "--from", IMAGE, "--script", str(script), "--name", "made"
    )
    assert code == 0, err
    assert "first" in err
    assert "wrong" in err
    assert json.loads(await succeeds(real_home, "vm", "list", "--json")) == []
    out = await succeeds(
        real_home, "vm", "run", "--rm", "--image", "made", "--", "sh", "-c",
        "cat /srv-made; stat -c %a /srv-made",
    )  # fmt: skip
    assert out == "made\n644\n", "our own umask is not the script's"
    script.write_text("echo to be seen; exit 3")
    code, _, err = await banger(
        real_home, "image", "build", "--from", IMAGE, "--script", str(script), "--name", "bad"
    )
    assert code == 1
    assert "exit code 3" in err
    log = Path(next(word for word in err.split() if word.endswith(".log")))
    assert "to be seen" in log.read_text()
    assert json.loads(await succeeds(real_home, "vm", "list", "--json")) == []
    names = [
        image["name"] for image in json.loads(await succeeds(real_home, "image", "list", "--json"))
    ]
    assert sorted(names) == sorted([IMAGE, "made"])
    assert not list((real_home / "cache" / "staging").iterdir())


async def test_promote_a_machine(real_home: Path) -> None:
    await succeeds(real_home, "vm", "create", "--name", "web", "--image", IMAGE)
    await succeeds(
        real_home, "vm", "exec", "web", "--", "sh", "-c",
        "echo kept >/kept; mkdir -p /root/.ssh; "
        "echo ssh-ed25519 AAAA me >>/root/.ssh/authorized_keys",
    )  # fmt: skip
    code, _, err = await banger(real_home, "image", "promote", "web", "golden")
    assert code == 1
    assert "Stop it first" in err
    await succeeds(real_home, "vm", "stop", "web")
    await succeeds(real_home, "image", "promote", "web", "golden")
    await succeeds(real_home, "vm", "delete", "web", "--yes")
    key = (real_home / "state" / "key.pub").read_text().split()[1]
    image = Path((await shown(real_home, "golden"))["rootfs"])
    assert key.encode() not in image.read_bytes()
    out = await succeeds(
        real_home, "vm", "run", "--rm", "--image", "golden", "--", "sh", "-c",
        "cat /kept /root/.ssh/authorized_keys; hostname",
    )  # fmt: skip
    kept, *rest = out.splitlines()
    assert kept == "kept"
    assert any("AAAA me" in line for line in rest), "what the person added is gone"
    assert rest[-1] != "web"


async def test_bundle_there_and_back(real_home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "busybox.tar.zst"
    await succeeds(real_home, "image", "export", IMAGE, str(bundle))
    code, _, err = await banger(real_home, "image", "export", IMAGE, str(bundle))
    assert code == 1
    assert "already there" in err
    await succeeds(real_home, "image", "pull", str(bundle), "--name", "again")
    one, other = await shown(real_home, IMAGE), await shown(real_home, "again")
    assert one["digest"] == other["digest"]
    assert same_file(one, other)
    assert not (Path(other["directory"]) / "kernel").exists()
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 4
    bundle.write_bytes(data)
    code, _, err = await banger(real_home, "image", "pull", str(bundle), "--name", "bad")
    assert code == 1, err
    assert not list((real_home / "cache" / "staging").iterdir())
    fresh = tmp_path / "other-home"
    data[len(data) // 2] ^= 4
    bundle.write_bytes(data)
    # Another home has neither image nor kernel: the bundle brings both.
    await succeeds(fresh, "image", "pull", str(bundle))
    out = await succeeds(fresh, "vm", "run", "--rm", "--image", "busybox", "--", "echo", "there")
    assert out == "there\n"


async def test_artifact_there_and_back(real_home: Path, registry: RunningRegistry) -> None:
    reference = f"{registry.address}/images/busybox:1"
    pinned = (await succeeds(real_home, "image", "push", IMAGE, reference)).strip()
    assert "@sha256:" in pinned
    await succeeds(real_home, "image", "pull", reference)
    await succeeds(real_home, "image", "pull", pinned, "--name", "pinned")
    one = await shown(real_home, IMAGE)
    for name in (reference, "pinned"):
        other = await shown(real_home, name)
        assert same_file(one, other)
        assert other["provenance"].endswith(pinned.partition("@")[2])


async def test_register_a_file(real_home: Path, tmp_path: Path) -> None:
    there = Path((await shown(real_home, IMAGE))["rootfs"])
    mine = tmp_path / "mine.ext4"
    await succeeds(real_home, "image", "pull", IMAGE, "--name", "plain", "--plain")
    plain = Path((await shown(real_home, "plain"))["rootfs"])
    # Without the guest kit: a copy gets it, in place it is refused.
    code, _, err = await banger(
        real_home, "image", "register", str(plain), "--name", "kitless", "--in-place"
    )
    assert code == 1
    assert "no guest kit" in err
    await succeeds(real_home, "image", "register", str(plain), "--name", "copied")
    run = ("vm", "run", "--rm", "--image")
    assert await succeeds(real_home, *run, "copied", "--", "echo", "yes") == "yes\n"
    mine.write_bytes(there.read_bytes())
    kernel = json.loads(await succeeds(real_home, "kernel", "list", "--json"))[0]["name"]
    vmlinuz = json.loads(await succeeds(real_home, "kernel", "show", kernel, "--json"))["vmlinuz"]
    assert Path(vmlinuz).is_file()
    await succeeds(real_home, "image", "register", str(mine), "--in-place", "--kernel", kernel)
    before = mine.read_bytes()
    assert (await shown(real_home, "mine"))["rootfs"] == str(mine)
    assert await succeeds(real_home, *run, "mine", "--", "echo", "yes") == "yes\n"
    await succeeds(real_home, "image", "delete", "mine", "--yes")
    assert mine.read_bytes() == before
    damaged = bytearray(before)
    damaged[4096 + 8 : 4096 + 4096] = b"\xff" * 4088
    mine.write_bytes(damaged)
    code, _, err = await banger(real_home, "image", "register", str(mine), "--name", "bad")
    assert code == 1
    assert "damaged" in err
