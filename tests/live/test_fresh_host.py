"""A new user's first minutes, on a minimal Debian made for the purpose.

Takes minutes and downloads some hundred megabytes: runs with ``BANGER_FRESH_HOST=1`` as root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import banger_tui

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.environ.get("BANGER_FRESH_HOST") != "1", reason="BANGER_FRESH_HOST=1 is not set"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="a system of one's own needs root"),
]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root directory of a minimal Debian with a clone of this checkout in it."""
    root = tmp_path_factory.mktemp("fresh") / "system"
    subprocess.run([ROOT / "scripts/fresh-chroot", root, ROOT], check=True, timeout=600)
    yield root
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert str(root) not in mounts, "removing the system would reach through a mount"
    shutil.rmtree(root)


def run(system: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts/in-chroot", system, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )


def test_setup_prepares_a_fresh_host(system: Path) -> None:
    assert run(system, "sh", "-c", "command -v qemu-img sudo curl").returncode != 0

    first = run(system, "make", "setup")

    assert first.returncode == 0, first.stdout
    assert "qemu-utils" in first.stdout
    version = run(system, ".venv/bin/banger-tui", "--version")
    assert version.returncode == 0, version.stdout
    assert banger_tui.__version__ in version.stdout


def test_the_second_setup_is_quick(system: Path) -> None:
    assert run(system, "make", "setup").returncode == 0
    begun = time.monotonic()

    second = run(system, "make", "setup")

    assert second.returncode == 0, second.stdout
    assert "Installed" not in second.stdout
    assert time.monotonic() - begun < 2


def test_a_user_without_rights_can_use_what_an_administrator_installed(system: Path) -> None:
    assert run(system, "make", "setup").returncode == 0
    script = (
        "useradd --create-home ann && git clone -q /root/banger-tui /home/ann/banger-tui && "
        "chown -R ann /home/ann && cd /home/ann/banger-tui && "
        "runuser -u ann -- env HOME=/home/ann make setup && "
        "runuser -u ann -- env HOME=/home/ann .venv/bin/banger-tui --version"
    )

    result = run(system, "sh", "-c", script)

    assert result.returncode == 0, result.stdout
    assert banger_tui.__version__ in result.stdout


def test_a_user_without_rights_is_told_what_to_ask_for(system: Path) -> None:
    script = (
        "useradd --create-home bob && git clone -q /root/banger-tui /home/bob/banger-tui && "
        "chown -R bob /home/bob && cd /home/bob/banger-tui && "
        'mv "$(command -v qemu-img)" /root/ && '
        "runuser -u bob -- env HOME=/home/bob make setup; code=$?; "
        "mv /root/qemu-img /usr/bin/; exit $code"
    )
    assert run(system, "make", "setup").returncode == 0

    result = run(system, "sh", "-c", script)

    assert result.returncode != 0
    assert "administrator" in result.stdout
    assert "apt-get install --no-install-recommends qemu-utils" in result.stdout
    assert "Traceback" not in result.stdout
