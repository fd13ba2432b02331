"""The initrd's format: what the kernel, and the cpio program, can read back."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from banger_tui.engine.kernels import cpio, initrd
from banger_tui.engine.kernels.modules import Module


def names(archive: bytes) -> dict[str, tuple[int, int, int, bytes]]:
    """A newc archive read by hand: name -> mode, uid, mtime, data."""
    found: dict[str, tuple[int, int, int, bytes]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + i * 8 : at + 14 + i * 8], 16) for i in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) // 4 * 4
        at = (start + fields[6] + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert not archive[at:].strip(b"\0")
            return found
        found[name] = (fields[1], fields[2], fields[5], archive[start : start + fields[6]])


ENTRIES = (
    cpio.file("b/secret", b"xyz", 0o600),
    cpio.directory("b", 0o700),
    cpio.symlink("a", "b/secret"),
    cpio.file("empty", b""),
)


def test_entries_come_back() -> None:
    found = names(cpio.archive(ENTRIES))
    assert list(found) == ["a", "b", "b/secret", "empty"], "sorted: parents first"
    assert found["b/secret"] == (stat.S_IFREG | 0o600, 0, 0, b"xyz")
    assert found["a"][3] == b"b/secret"
    assert stat.S_ISLNK(found["a"][0])
    assert stat.S_ISDIR(found["b"][0])


def test_same_content_same_bytes_whatever_the_order() -> None:
    assert cpio.archive(ENTRIES) == cpio.archive(reversed(ENTRIES))
    assert len(cpio.archive(ENTRIES)) % 512 == 0


@pytest.mark.parametrize("name", ["", "/etc/passwd"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        cpio.archive([cpio.file(name, b"")])


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        cpio.archive([cpio.file("a", b"1"), cpio.file("a", b"2")])


@pytest.mark.skipif(not shutil.which("cpio"), reason="no cpio program here")
def test_the_cpio_program_reads_it(tmp_path: Path) -> None:
    subprocess.run(
        ["cpio", "-id", "--quiet"], input=cpio.archive(ENTRIES), cwd=tmp_path, check=True
    )
    assert (tmp_path / "a").read_bytes() == b"xyz"


def test_base_initrd_has_init_busybox_and_loading_order() -> None:
    one, two = Module("virtio", b"1"), Module("virtio_blk", b"2")
    found = names(initrd.base(b"BB", {"order": [one, two], "later": []}, b"#!init"))
    assert found["init"][0] == stat.S_IFREG | 0o755
    assert found["bin/busybox"][3] == b"BB"
    assert found["modules/order"][3] == b"virtio.ko\nvirtio_blk.ko\n"
    assert found["modules/later"][3] == b""
    assert found["modules/virtio_blk.ko"][3] == b"2"
