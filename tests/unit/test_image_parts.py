"""The parts of an image that are ours: digests, archives, settings, progress."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import tarfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from banger_tui.engine import assets
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.guest import kit, overlay
from banger_tui.engine.guest.archive import write_tar
from banger_tui.engine.images import busybox, debian
from banger_tui.engine.kernels import cpio
from banger_tui.engine.progress import Stage

BLOCK = 1 << 16


def digest_by_definition(data: bytes) -> str:
    sums = hashlib.sha256(len(data).to_bytes(8, "big"))
    for number in range((len(data) + BLOCK - 1) // BLOCK):
        block = data[number * BLOCK : (number + 1) * BLOCK]
        if block.strip(b"\0"):
            sums.update(number.to_bytes(8, "big") + block)
    return f"sha256:{sums.hexdigest()}"


@pytest.mark.parametrize(
    ("size", "writes"),
    [
        (0, {}),
        (10, {0: b"x"}),
        (BLOCK * 40, {}),
        (BLOCK * 40, {BLOCK * 3 + 5: b"hello", BLOCK * 39 + 7: b"end"}),
        (BLOCK * 40 + 100, {BLOCK * 40 + 99: b"!", BLOCK - 1: b"ab"}),
    ],
)
def test_digest_is_of_the_content_not_of_the_holes(
    tmp_path: Path, size: int, writes: dict[int, bytes]
) -> None:
    sparse, dense = tmp_path / "sparse", tmp_path / "dense"
    content = bytearray(size)
    with sparse.open("wb") as file:
        file.truncate(size)
        for at, data in writes.items():
            file.seek(at)
            file.write(data)
            content[at : at + len(data)] = data
    dense.write_bytes(content)
    expected = digest_by_definition(bytes(content))
    assert inspect.content_digest(sparse) == expected
    assert inspect.content_digest(dense) == expected


def test_digest_tells_one_changed_byte(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(BLOCK * 3))
    before = inspect.content_digest(path)
    with path.open("r+b") as file:
        file.seek(BLOCK * 2 + 1)
        byte = file.read(1)[0]
        file.seek(BLOCK * 2 + 1)
        file.write(bytes([byte ^ 1]))
    assert inspect.content_digest(path) != before


def test_tars_are_roots_and_the_same_every_time(tmp_path: Path) -> None:
    entries = [cpio.file("d/f", b"x", 0o600), cpio.directory("d"), cpio.symlink("l", "d/f")]
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    write_tar(entries, one)
    write_tar(reversed(entries), two)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == ["d", "d/f", "l"]
    assert (members["d/f"].mode, members["d/f"].uid, members["d/f"].mtime) == (0o600, 0, 0)
    assert members["l"].linkname == "d/f"
    with pytest.raises(ValueError, match="repeated"):
        write_tar([*entries, *entries], tmp_path / "three.tar")
    assert not (tmp_path / "three.tar").exists()


def test_wrappers_start_programs_by_the_kits_loader() -> None:
    program = kit.Program(("usr/sbin/thing",), (("A", "b"),), "-x")
    assert kit.wrapper(program) == (
        "#!/.banger/bin/busybox sh\n"
        "export A=b\n"
        "exec /.banger/lib/ld.so --argv0 thing --library-path /.banger/lib /.banger/lib/thing -x"
        ' "$@"\n'
    )


def test_every_layer_of_settings_is_a_good_archive(tmp_path: Path) -> None:
    for entries in (debian.settings(), overlay.sftp_server(), busybox.entries(["sh", "ls"])):
        names = [entry.name for entry in entries]
        parents = {str(Path(name).parent) for name in names} - {"."}
        assert parents <= set(names), "a parent made by tar would get the builder's umask"
        write_tar(entries, tmp_path / "layer.tar")


def test_settings_never_go_through_links_of_a_merged_usr() -> None:
    for entry in debian.settings():
        assert entry.name.split("/")[0] not in {"bin", "sbin", "lib", "lib64"}


def test_what_boot_needs_is_not_masked() -> None:
    masked = {
        entry.name.rpartition("/")[2]
        for entry in overlay.systemd_tuning()
        if stat.S_ISLNK(entry.mode) and entry.data == b"/dev/null"
    }
    assert "systemd-udevd.service" in masked
    assert not masked & {
        "banger.service", "banger-console.service", "multi-user.target", "sysinit.target",
        "systemd-journald.service", "systemd-journald.socket", "systemd-tmpfiles-setup.service",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["agent", "console", "init", "initrd-init"])
def test_guest_scripts_are_for_busybox(name: str) -> None:
    first = assets.read(f"guest/{name}").splitlines()[0]
    expected = b"#!/bin/busybox sh" if name == "initrd-init" else b"#!/.banger/bin/busybox sh"
    assert first == expected


class Recorder:
    """A Stage that keeps what it was told."""

    def __init__(self) -> None:
        self.log = Path(os.devnull)
        self.at: tuple[int, int | None, str | None] = (0, None, None)
        self.notes: list[str] = []

    def progress(self, done: int, total: int | None = None, unit: str | None = None) -> None:
        self.at = (done, total, unit)

    def note(self, detail: str) -> None:
        self.notes.append(detail)

    def stage(self, name: str) -> AbstractAsyncContextManager[Stage]:
        raise AssertionError("no nested stage expected")

    def undo(self, step: object) -> None:
        raise AssertionError("no undo expected")


INSTALL = """I: running apt-get update...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Need to get 29.7 MB of archives.
Get:1 x bookworm/main amd64 libc6 amd64 2.36-9 [2759 kB]
Unpacking libc6:amd64 (2.36-9) ...
Setting up libc6:amd64 (2.36-9) ...
Unpacking bash (5.2) ...
Setting up bash (5.2) ...
0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.
Unpacking g++ (12) ...
"""


def test_progress_is_read_from_mmdebstrap() -> None:
    stage = Recorder()
    progress = debian.Progress(stage)
    for line in INSTALL.splitlines():
        progress.line(line)
    assert stage.at == (2, 3, "packages")
    assert "download libc6 (2759 kB)" in stage.notes
    assert stage.notes[-1] == "unpack g++"
    progress.line("Setting up g++ (12) ...")
    assert stage.at == (3, 3, "packages")


def test_hooks_reach_the_new_system_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "chroot").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (tmp_path / "chroot").chmod(0o755)
    hook = 'echo "it\'s" $HOME && exit 3'
    told = subprocess.run(
        ["/bin/sh", "-c", debian.in_chroot(hook), "sh", "/new root"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told == f"/new root|/bin/sh|-ec|{hook}|"


def test_a_total_known_before_does_not_move() -> None:
    stage = Recorder()
    progress = debian.Progress(stage, total=7)
    for line in INSTALL.splitlines():
        progress.line(line)
        assert stage.at[1] in (None, 7)
