"""QEMU's command line as a pure function."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from banger_tui.engine.hypervisors.base import Launch
from banger_tui.engine.hypervisors.qemu_args import Target, arguments, mac, marker
from banger_tui.engine.model import NetworkMode

LAUNCH = Launch(
    vm_id="0123456789ab", name="web", cpus=3, memory_mib=777, kernel=Path("/k/vmlinuz"),
    initrd=Path("/v/initrd"), command_line="console=ttyS0 quiet", disk=Path("/v/disk.qcow2"),
    directory=Path("/v"), runtime=Path("/r"), machine="microvm", network=NetworkMode.USER,
)  # fmt: skip
TCG = Target("x86_64", "tcg")
KVM = Target("x86_64", "kvm")


def options(argv: list[str], name: str) -> list[str]:
    return [argv[i + 1] for i, word in enumerate(argv[:-1]) if word == name]


def test_the_whole_of_a_microvm() -> None:
    argv = arguments(LAUNCH, TCG)
    assert argv[0] == "qemu-system-x86_64"
    assert options(argv, "-name") == [marker(LAUNCH.vm_id)]
    assert options(argv, "-smp") == ["3"]
    assert options(argv, "-m") == ["777M"]
    assert options(argv, "-append") == ["console=ttyS0 quiet"]
    assert options(argv, "-accel")[0].startswith("tcg")
    assert options(argv, "-machine")[0].startswith("microvm")
    assert all("-pci" not in device for device in options(argv, "-device"))
    assert "-no-reboot" in argv
    assert "-nodefaults" in argv
    assert "spawn=deny" in options(argv, "-sandbox")[0]
    assert "logfile=/v/console.log" in " ".join(options(argv, "-chardev"))
    assert options(argv, "-qmp") == ["unix:/r/qmp.sock,server=on,wait=off"]


def test_q35_has_pci_devices() -> None:
    argv = arguments(dataclasses.replace(LAUNCH, machine="q35"), KVM)
    assert options(argv, "-machine") == ["q35"]
    assert options(argv, "-accel") == ["kvm"]
    assert options(argv, "-cpu") == ["host"]
    virtio = [d for d in options(argv, "-device") if d.startswith("virtio-")]
    assert virtio
    assert all(device.split(",")[0].endswith("-pci") for device in virtio)


@pytest.mark.parametrize(
    ("mode", "restricted"), [(NetworkMode.USER, False), (NetworkMode.ISOLATED, True)]
)
def test_the_network_is_restricted_when_isolated(mode: NetworkMode, restricted: bool) -> None:
    (network,) = options(arguments(dataclasses.replace(LAUNCH, network=mode), TCG), "-netdev")
    assert ("restrict=on" in network) is restricted


def test_a_throw_away_disk_is_not_synced_and_a_kept_one_is() -> None:
    (kept,) = options(arguments(LAUNCH, TCG), "-drive")
    (thrown,) = options(arguments(dataclasses.replace(LAUNCH, ephemeral=True), TCG), "-drive")
    assert "cache=writeback" in kept
    assert "cache=unsafe" in thrown


def test_commas_in_paths_are_doubled() -> None:
    launch = dataclasses.replace(LAUNCH, disk=Path("/a,b/disk.qcow2"), runtime=Path("/r,s"))
    argv = arguments(launch, TCG)
    assert "file=/a,,b/disk.qcow2," in options(argv, "-drive")[0]
    assert options(argv, "-qmp") == ["unix:/r,,s/qmp.sock,server=on,wait=off"]


def test_markers_and_addresses_tell_vms_apart() -> None:
    assert marker("0123456789ab") != marker("0123456789ac")
    assert mac("0123456789ab") == "52:54:00:01:23:45"
    assert TCG.machines[0] == "microvm"
    assert Target("aarch64", "tcg").machines == ("virt",)
    assert Target("aarch64", "tcg").console == "ttyAMA0"
