"""Debian packages and tar archives: only what is asked for is read, nothing is unpacked."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.engine.errors import BadContent, LimitExceeded, OperationCancelled
from banger_tui.engine.kernels.debian_package import data_member
from banger_tui.engine.kernels.tar_files import TarFiles, unpacked
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import GIB, MIB
from tests.unit.kernels.samples import ar, deb, tar

FILES = {"./boot/vmlinuz-6": b"kernel", "./usr/a": b"", "./b": b"b" * 5000}


def opened(tmp_path: Path, data: bytes, limits: Limits | None = None) -> TarFiles:
    path = tmp_path / "it.tar"
    path.write_bytes(data)
    return TarFiles(path, limits or Limits(), lambda: False, "it.tar")


@pytest.mark.parametrize("way", ["", "gzip", "xz", "zstd", "bzip2", "lzma"])
def test_a_package_of_each_compression(tmp_path: Path, way: str) -> None:
    package, target = tmp_path / "p.deb", tmp_path / "data.tar"
    package.write_bytes(deb(FILES, way))
    told: list[tuple[int, int]] = []
    part = data_member(package)
    unpacked(package, part, target, MIB, lambda: False, lambda *n: told.append(n), "p.deb")
    files = TarFiles(target, Limits(), lambda: False, "p.deb")
    assert {name: files.read(name, MIB) for name in files} == {
        name.removeprefix("./"): data for name, data in FILES.items()
    }
    assert told[-1] == (part[1], part[1])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin as one"),
        (b"PK\x03\x04", "does not begin as one"),
        (b"!<arch>\n", "Byte 8"),
        (ar({"control.tar": b""}), "no debian-binary"),
        (ar({"debian-binary": b"2.0\n"}), "Byte"),
        (ar({"debian-binary": b"2.0\n", "data.tar": bytes(100)})[:-50], "cut short"),
        (ar({"debian-binary": b"2.0\n"}) + b"x" * 60, "Byte 72"),
        (ar({"debian-binary": b"2.0\n", "a": b""}).replace(b"0         `", b"-1        `"), "Byte"),
        (
            ar({"debian-binary": b"", **{f"m{n}": b"" for n in range(40)}, "data.tar": b""}),
            "no data.tar",
        ),
    ],
)
def test_what_is_no_package(tmp_path: Path, data: bytes, reason: str) -> None:
    package = tmp_path / "p.deb"
    package.write_bytes(data)
    with pytest.raises(BadContent, match=r"p\.deb is no sound Debian package") as caught:
        data_member(package)
    assert reason in caught.value.detail


@given(data=st.binary(max_size=300))
def test_any_bytes_give_one_kind_of_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    package = tmp_path_factory.getbasetemp() / "any.deb"
    package.write_bytes(b"!<arch>\n" + data)
    with pytest.raises(BadContent):
        data_member(package)


def test_unpacking_stops_when_told(tmp_path: Path) -> None:
    package, target = tmp_path / "p.deb", tmp_path / "data.tar"
    package.write_bytes(deb({"a": bytes(20 << 20)}, ""))
    asked = iter([False] * 5 + [True] * 100)
    with pytest.raises(OperationCancelled):
        unpacked(
            package, data_member(package), target, GIB, lambda: next(asked), lambda *_: None, "p"
        )
    assert target.stat().st_size < 5 << 20


def test_names_can_lead_nowhere(tmp_path: Path) -> None:
    """Files are found by name and read in place, so a name is no path on this host."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    archive = tar({"../outside": b"1", "/etc/x": b"2", f"{outside}": b"3", "a/../../b": b"4"})
    files = opened(tmp_path, archive)
    assert set(files) == {"../outside", "etc/x", str(outside).lstrip("/"), "../b"}
    assert outside.read_bytes() == b"untouched"
    assert {path.name for path in tmp_path.iterdir()} == {"outside", "it.tar"}


def test_links_and_devices_are_no_files(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, kind in (
            ("soft", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE),
            ("pipe", tarfile.FIFOTYPE), ("directory", tarfile.DIRTYPE),
        ):  # fmt: skip
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/shadow"
            archive.addfile(info)
    files = opened(tmp_path, whole.getvalue())
    assert list(files) == []
    assert "soft" not in files


def test_the_last_of_a_name_counts(tmp_path: Path) -> None:
    both = tar({"a": b"old"})[:1024] + tar({"./a": b"new"})
    assert opened(tmp_path, both).read("a", MIB) == b"new"


def test_broken_archives_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(BadContent, match=r"it\.tar can't be read"):
        opened(tmp_path, tar(FILES)[:1500])
    with pytest.raises(BadContent, match=r"it\.tar can't be read"):
        opened(tmp_path, b"x" * 2048)
    with pytest.raises(LimitExceeded, match=r"it\.tar can't be read") as caught:
        opened(tmp_path, tar({str(n): b"" for n in range(20)}), Limits(max_entries=10))
    assert "max_entries" in caught.value.detail


def test_a_file_that_claims_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    """A sparse file of 4 GiB in one block."""
    header = bytearray(tar({"huge": b""})[:512])
    header[156:157] = b"S"
    header[257:265] = b"ustar  \0"
    header[386:410] = b"%011o %011o " % (4 << 30, 0)
    header[483:495] = b"%011o " % (4 << 30)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    files = opened(tmp_path, bytes(header) + bytes(1024))
    with pytest.raises(BadContent, match="has 4096 MiB"):
        files.read("huge", 512 * MIB)
