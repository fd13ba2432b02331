"""The screens as pictures, with a world and a clock that stand still.

No engine runs behind them: events are put into the bridge by hand, so that nothing moves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.pilot import Pilot

from banger_tui.app import BangerApp
from banger_tui.bridge import Opened
from banger_tui.engine.errors import StateUnwritable
from banger_tui.engine.events import Event, OperationChanged, StatsSampled, VmChanged
from banger_tui.engine.model import (
    GIB,
    MIB,
    Failure,
    HostView,
    ImageRecord,
    NetworkMode,
    OperationState,
    OperationView,
    StageState,
    StageView,
    VmRecord,
    VmSpec,
    VmState,
    VmStats,
)
from banger_tui.engine.paths import Paths
from banger_tui.screens.confirm import ConfirmScreen
from banger_tui.screens.create import Choices, CreateScreen
from banger_tui.screens.error import ErrorScreen
from banger_tui.screens.verbs import question
from banger_tui.settings import Loaded
from banger_tui.widgets import clock
from tests.ui.conftest import until

if TYPE_CHECKING:
    Snapshot = Callable[..., bool]
else:
    Snapshot = object

NOW = 1_800_000_000.0
HOST = HostView(cpus=2, cpu=0.38, memory_total=23 * GIB, memory_used=1945 * MIB, disk_free=61 * GIB)


def _vm(name: str, state: VmState, **changes: object) -> VmRecord:
    base: dict[str, object] = {
        "id": f"id-{name}", "name": name, "state": state, "image": "debian-bookworm",
        "image_digest": "sha256:0", "kernel": "debian-bookworm-cloud", "cpus": 1,
        "memory_mib": 512, "disk_bytes": 8 * GIB, "network": NetworkMode.USER,
        "ephemeral": False, "driver": "qemu", "ssh_port": 22013, "host_key": "",
        "created_at": NOW - 90_000, "accelerator": "tcg", "machine": "microvm",
    }  # fmt: skip
    return VmRecord(**(base | changes))  # type: ignore[arg-type]  # the keys are its fields


FOX = _vm("quiet-fox", VmState.RUNNING, started_at=NOW - 840)
OWL = _vm("calm-owl", VmState.CREATING, ssh_port=22014, created_at=NOW - 41)
OLD = _vm("old-vm", VmState.STOPPED, stopped_at=NOW - 100_000, ssh_port=22015)
BAD = _vm("sad-newt", VmState.FAILED, reason="The VMM ended with code 1.", ssh_port=22016)
STATS = StatsSampled(HOST, (VmStats(FOX.id, NOW, 0.12, 212 * MIB),))


def _stage(name: str, start: float, took: float | None, **more: object) -> StageView:
    state = StageState.DONE if took is not None else StageState.RUNNING
    ended = None if took is None else NOW - start + took
    return StageView(name, state, started=NOW - start, ended=ended, **more)  # type: ignore[arg-type]


CREATE = OperationView(
    id="a1", kind="create", subject="calm-owl", subject_id=OWL.id, state=OperationState.RUNNING,
    started=NOW - 41,
    stages=(
        _stage("resolve image", 41, 0.02),
        StageView(
            "pull image", StageState.RUNNING, started=NOW - 40.9,
            children=(
                _stage("download", 40.9, None, done=52 * MIB, total=180 * MIB, unit="bytes",
                       rate=2.9 * MIB, detail="libc6_2.36-9.deb"),
                StageView("build ext4"),
            ),
        ),
        *(StageView(n) for n in ("resolve kernel", "reserve", "prepare disk", "network",
                                 "launch", "boot", "wait for guest", "ready")),
    ),
)  # fmt: skip

FAILED = OperationView(
    id="a2", kind="create", subject="calm-owl", state=OperationState.FAILED,
    started=NOW - 48, ended=NOW, stages=(
        _stage("resolve image", 48, 0.02),
        StageView("boot", StageState.FAILED, started=NOW - 20, ended=NOW),
    ),
    failure=Failure("BootFailed", "The guest gave no sign of life",
                    "Its processor time of 20 s is used up, the console is empty.",
                    "Try again, or see the log: o"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("TZ", "UTC")


class Still(BangerApp):
    """The app without its engine."""

    def __init__(self, tmp_path: Path, events: Iterable[Event], *, image: bool = True) -> None:
        super().__init__(Paths.below(tmp_path), settings=Loaded())
        self._events = tuple(events)
        self._image = image
        self.filled = False
        self.paths.logs.mkdir(parents=True)
        for operation in (CREATE, FAILED):
            self.paths.operation_log(operation.id).write_text("Get:1 a line of the log, kept\n")

    def connect(self) -> None:
        world = self.bridge.world
        world.host, world.summary, world.loaded = HOST, "qemu·tcg  user net", True
        if self._image:
            world.images["debian-bookworm"] = ImageRecord(
                "debian-bookworm", "sha256:0", "debian", 0, 0, "k", "/sbin/init", NOW
            )
        for event in self._events:
            world.apply(event)
        self.screen.post_message(Opened())
        for event in self._events:
            self.bridge.feed(event)
        self.call_after_refresh(setattr, self, "filled", True)


Go = Callable[[Pilot[None]], Awaitable[None]]


def _shows(push: Callable[[Pilot[None]], None] | None = None, *keys: str) -> Go:
    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, Still)
        await until(lambda: app.filled, what="the world is shown")
        await pilot.pause()
        await pilot.press(*keys)
        if push is not None:
            push(pilot)
        await pilot.pause(0.2)
        if texts := list(app.screen.query("#log-text")):
            await until(lambda: "kept" in str(texts[0].render()), what="the log is read")
        await pilot.pause(0.1)

    return go


@pytest.fixture(autouse=True)
def nothing_is_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy host a shell would be, before the keys of a picture come, and have a tab."""
    monkeypatch.setattr("banger_tui.screens.machine_streams._SETTLE", 1000.0)


MACHINES = (VmChanged(FOX), VmChanged(OLD), VmChanged(BAD), STATS)
OVERVIEW = ("g", "down", "v")


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])
def test_home_empty(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = Still(tmp_path, [STATS], image=False)
    assert snap_compare(app, terminal_size=size, run_before=_shows())


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])
def test_home_running(snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]) -> None:
    app = Still(tmp_path, MACHINES)
    assert snap_compare(app, terminal_size=size, run_before=_shows(None, *OVERVIEW))


@pytest.mark.parametrize("size", [(120, 36), (80, 24)], ids=["wide", "narrow"])
def test_operation_in_progress(
    snap_compare: Snapshot, tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Still(tmp_path, [*MACHINES, VmChanged(OWL), OperationChanged(CREATE)])
    assert snap_compare(app, terminal_size=size, run_before=_shows(None, "g", "v"))


def test_operations_screen(snap_compare: Snapshot, tmp_path: Path) -> None:
    app = Still(tmp_path, [*MACHINES, VmChanged(OWL), OperationChanged(CREATE)])
    assert snap_compare(app, terminal_size=(120, 36), run_before=_shows(None, "g", "o"))


def test_failed_operation(snap_compare: Snapshot, tmp_path: Path) -> None:
    app = Still(tmp_path, [*MACHINES, OperationChanged(FAILED)])
    assert snap_compare(app, terminal_size=(120, 36), run_before=_shows(None, *OVERVIEW, "o"))


def test_create_form(
    snap_compare: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from banger_tui.engine.vms import spec

    monkeypatch.setattr(spec, "memory_total", lambda: 23 * GIB)
    choices = Choices(VmSpec(), images={"debian-bookworm": 0}, catalog={"busybox": 0})
    app = Still(tmp_path, MACHINES)
    go = _shows(lambda pilot: _push(pilot, CreateScreen(choices)), *OVERVIEW)

    async def typed(pilot: Pilot[None]) -> None:
        await go(pilot)
        await pilot.press(*"Bad Name")
        pilot.app.screen.query_one("#network").focus()
        await pilot.pause(0.3)

    assert snap_compare(app, terminal_size=(120, 36), run_before=typed)


def test_confirm(snap_compare: Snapshot, tmp_path: Path) -> None:
    asked = question("delete", [FOX])
    assert asked is not None
    app = Still(tmp_path, MACHINES)
    go = _shows(lambda pilot: _push(pilot, ConfirmScreen(asked)), *OVERVIEW)
    assert snap_compare(app, terminal_size=(120, 36), run_before=go)


def test_error(snap_compare: Snapshot, tmp_path: Path) -> None:
    error = StateUnwritable(
        "Can't write to /srv/vms", "It belongs to uid 0, you are uid 1000.",
        "Make it writable for you, or set BANGER_HOME=DIR to a directory that is.",
    )  # fmt: skip
    app = Still(tmp_path, [])
    go = _shows(lambda pilot: _push(pilot, ErrorScreen(error, fatal=True)))
    assert snap_compare(app, terminal_size=(120, 36), run_before=go)


def _push(pilot: Pilot[None], screen: CreateScreen | ConfirmScreen | ErrorScreen) -> None:
    pilot.app.push_screen(screen)
