"""The screens of images and kernels as pictures, with a world and a clock that stand still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from banger_tui.engine.catalog.entries import DebianSource, ImageEntry, KernelEntry, OciSource
from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.events import (
    Event,
    ImageChanged,
    KernelChanged,
    OperationChanged,
    VmChanged,
)
from banger_tui.engine.model import (
    GIB,
    MIB,
    ImageRecord,
    KernelRecord,
    LayerRecord,
    OperationState,
    OperationView,
    StageState,
    StageView,
)
from banger_tui.screens.pull import PullScreen, Wanted
from banger_tui.screens.quitting import screen as quit_question
from tests.ui.test_pictures import FOX, NOW, OLD, STATS, Go, Snapshot, Still, _shows, _stage
from tests.ui.test_pictures import still as still  # a fixture: the clock stands still here too

SIZES = pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])

_KERNEL = "debian-bookworm-cloud"
CATALOG = Catalog(
    {
        entry.name: entry
        for entry in (
            ImageEntry("debian-bookworm", "Debian 12 with systemd, git and curl",
                       DebianSource("bookworm", ("systemd", "git", "curl")), _KERNEL,
                       disk_bytes=8 * GIB, download_bytes=66 * MIB),
            ImageEntry("alpine", "Alpine Linux's container image: small, with musl and busybox",
                       OciSource("docker.io/library/alpine:latest"), _KERNEL,
                       disk_bytes=8 * GIB, download_bytes=4 * MIB),
            ImageEntry("fedora", "Fedora's container image",
                       OciSource("docker.io/library/fedora:latest"), _KERNEL,
                       disk_bytes=8 * GIB, download_bytes=60 * MIB,
                       catalog="https://example.org/images.json"),
        )
    },
    {_KERNEL: KernelEntry(_KERNEL, "Debian 12's kernel for virtual machines", "bookworm", "linux")},
)  # fmt: skip

_LAYERS = tuple(
    LayerRecord(f"sha256:{digit * 64}", size * MIB)
    for digit, size in (("7", 29), ("a", 12), ("3", 2))
)
DEBIAN = ImageRecord(
    "debian-bookworm", "sha256:" + "5" * 64, "catalog: debian-bookworm", 412 * MIB, 8 * GIB,
    _KERNEL, "/sbin/init", NOW - 90_000, platform="linux/amd64",
)  # fmt: skip
PYTHON = ImageRecord(
    "python:3.13-slim", "sha256:" + "6" * 64, "oci: python:3.13-slim", 154 * MIB, GIB, _KERNEL,
    "/.banger/init", NOW - 7200, platform="linux/amd64", layers=_LAYERS,
    provenance="docker.io/library/python@sha256:" + "9" * 64,
    config={
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"], "Cmd": ["python3"],
        "WorkingDir": "/", "Labels": {"maintainer": "somebody"},
    },
)  # fmt: skip
PULL = OperationView(
    id="p1", kind="pull image", subject="alpine", state=OperationState.RUNNING, started=NOW - 14,
    stages=(
        _stage("resolve reference", 14, 0.01, detail="Alpine Linux's container image"),
        _stage("read manifest", 13.9, 0.4),
        _stage(
            "download", 13, None, done=28 * MIB, total=43 * MIB, unit="bytes", rate=2.2 * MIB,
            children=(
                _stage("sha256:777777777777", 13, None, done=17 * MIB, total=29 * MIB,
                       unit="bytes", rate=1.4 * MIB),
                _stage("sha256:aaaaaaaaaaaa", 13, None, done=9 * MIB, total=12 * MIB,
                       unit="bytes", rate=0.8 * MIB, detail="retried: connection reset"),
                _stage("sha256:333333333333", 13, 2.5, done=2 * MIB, total=2 * MIB,
                       unit="bytes", rate=0.8 * MIB),
            ),
        ),
        *(StageView(name, StageState.PENDING)
          for name in ("verify", "flatten", "guest kit", "build ext4", "check", "publish")),
    ),
)  # fmt: skip
KERNEL = KernelRecord(
    _KERNEL, "6.1.0-40-cloud-amd64", "sha256:" + "4" * 64, f"catalog: {_KERNEL}", 14 * MIB,
    NOW - 90_000,
)  # fmt: skip
HERE = (VmChanged(FOX), VmChanged(OLD), STATS, ImageChanged(DEBIAN), ImageChanged(PYTHON),
        KernelChanged(KERNEL))  # fmt: skip


class WithCatalog(Still):
    """The app without its engine, the catalogs read."""

    def __init__(self, tmp_path: Path, *events: Event) -> None:
        super().__init__(tmp_path, [*HERE, *events], image=False)
        self.bridge.world.catalog = CATALOG


@SIZES
def test_images(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = WithCatalog(tmp_path)
    go = _shows(None, "2", "down")
    assert snap_compare(app, terminal_size=size, run_before=go)


@SIZES
def test_pull_in_progress(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = WithCatalog(tmp_path, OperationChanged(PULL))
    assert snap_compare(app, terminal_size=size, run_before=_shows(None, "2", "g"))


@SIZES
def test_catalog_tab(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = WithCatalog(tmp_path, OperationChanged(PULL))
    go = _shows(None, "2", "right", "G", "space")
    assert snap_compare(app, terminal_size=size, run_before=go)


def _typed(text: str) -> Go:
    wanted = Wanted(CATALOG, frozenset((DEBIAN.name, PYTHON.name)))
    go = _shows(lambda pilot: _push(pilot, PullScreen(wanted)), "2")

    async def typed(pilot: Pilot[None]) -> None:
        await go(pilot)
        entry = pilot.app.screen.query_one("#image", Input)
        entry.cursor_blink = False
        entry.value = text
        pilot.app.screen.query_one("#plain").focus()
        await pilot.pause(0.3)

    return typed


@SIZES
def test_pull_dialog(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = WithCatalog(tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=_typed("ghcr.io/org/img:1"))


def test_pull_dialog_of_an_unknown_name(snap_compare: Snapshot, tmp_path: Path) -> None:
    app = WithCatalog(tmp_path)
    assert snap_compare(app, terminal_size=(120, 36), run_before=_typed("alpin"))


def test_quit_with_a_pull(snap_compare: Snapshot, tmp_path: Path) -> None:
    app = WithCatalog(tmp_path, OperationChanged(PULL))
    go = _shows(lambda pilot: _push(pilot, quit_question([PULL], [PULL])), "2")
    assert snap_compare(app, terminal_size=(120, 36), run_before=go)


@SIZES
def test_kernels(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = WithCatalog(tmp_path)
    assert snap_compare(app, terminal_size=size, run_before=_shows(None, "3"))


def _push(pilot: Pilot[None], screen: ModalScreen[Any]) -> None:
    pilot.app.push_screen(screen)
