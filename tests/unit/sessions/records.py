"""Records that tests of sessions share."""

from __future__ import annotations

from banger_tui.engine.model import GIB, NetworkMode, VmRecord, VmState

VM = VmRecord(
    id="0123456789ab", name="web", state=VmState.RUNNING, image="busybox", image_digest="sha256:0",
    kernel="k", cpus=1, memory_mib=256, disk_bytes=GIB, network=NetworkMode.USER, ephemeral=False,
    driver="fake", ssh_port=2222, host_key="", created_at=0.0,
)  # fmt: skip
