"""The engine's nouns: frozen records that cross every border (store, driver, screen, JSON).

Sizes are bytes unless the name says ``_mib``; times are seconds since the epoch (``time.time()``);
durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

MIB = 1 << 20
GIB = 1 << 30


class VmState(StrEnum):
    """Where a VM is in its life; legal moves stand in ``engine.vms.state``."""

    CREATING = "creating"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class NetworkMode(StrEnum):
    """How a VM reaches the world."""

    USER = "user"
    ISOLATED = "isolated"


class StageState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class OperationState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self is not OperationState.RUNNING


@dataclass(frozen=True, slots=True)
class VmSpec:
    """What a person asks for. ``name=None``: one is made up; ``disk_bytes=None``: the image's."""

    name: str | None = None
    image: str = "debian-bookworm"
    cpus: int = 1
    memory_mib: int = 512
    disk_bytes: int | None = None
    network: NetworkMode = NetworkMode.USER
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class VmRecord:
    """One VM as it is stored. The process that runs it, if any, is in ``pid``/``pid_start``."""

    id: str
    name: str
    state: VmState
    image: str
    image_digest: str
    kernel: str
    cpus: int
    memory_mib: int
    disk_bytes: int
    network: NetworkMode
    ephemeral: bool
    driver: str
    ssh_port: int
    host_key: str
    created_at: float
    accelerator: str = ""
    machine: str = ""
    started_at: float | None = None
    stopped_at: float | None = None
    reason: str = ""
    pid: int | None = None
    pid_start: int | None = None
    clipboard: bool = False
    """Its programs may write to the person's clipboard (OSC 52)."""

    @property
    def running(self) -> bool:
        return self.state is VmState.RUNNING

    @property
    def address(self) -> str:
        """Where ssh answers, for people: ``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self.ssh_port}"

    def moved(self, state: VmState, **changes: Any) -> VmRecord:
        return replace(self, state=state, **changes)


@dataclass(frozen=True, slots=True)
class VmStats:
    """One sample of a VM's process: cpu as a share of one core (1.0 = one core busy), rss bytes."""

    vm_id: str
    at: float
    cpu: float
    rss_bytes: int


class SessionMode(StrEnum):
    """``pty``: a terminal with a screen that is kept; ``pipe``: stdin, stdout and stderr apart."""

    PTY = "pty"
    PIPE = "pipe"


class SessionState(StrEnum):
    """``lost``: it ran when the guest ended; what it had said is still there."""

    RUNNING = "running"
    EXITED = "exited"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """A process to be kept in a guest.

    Args:
        argv: the command; empty: the user's login shell (pty mode only).
        name: ``[a-z0-9][a-z0-9_-]{0,31}``, unique in its VM; None: one is made up.
        cwd: absolute; None: where the image's config or the user's account says.
        env: added to what the image's config sets.
        user: NAME or UID, ``:GROUP`` or ``:GID`` after it; None: the image's.
        keep_bytes: how much of each output the guest's disk keeps.
        drop: when nobody has read that much, lose the oldest; False: the process waits.
    """

    argv: tuple[str, ...] = ()
    name: str | None = None
    mode: SessionMode = SessionMode.PTY
    cwd: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    keep_bytes: int = 64 * MIB
    drop: bool = False


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as the guest tells it. Bytes are counted from its start; ``kept`` is the first
    byte of (stdout, stderr) that is still there. A pty's output all counts as stdout.

    ``waiting``: the process is held up until somebody reads. ``viewers`` are attached clients,
    ``writer`` says which of them may type, "" when none.
    """

    vm_id: str
    vm_name: str
    name: str
    mode: SessionMode
    state: SessionState
    argv: tuple[str, ...]
    started: float
    ended: float | None = None
    exit_code: int | None = None
    pid: int | None = None
    cwd: str = ""
    user: str = ""
    out_bytes: int = 0
    err_bytes: int = 0
    in_bytes: int = 0
    kept: tuple[int, int] = (0, 0)
    viewers: int = 0
    writer: str = ""
    waiting: bool = False
    title: str = ""


class LinkState(StrEnum):
    """``down``: given up, until somebody wants it again or the VM is started."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RETRYING = "retrying"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Link:
    """The connection to a guest. ``detail``: why there is none; ``next_try``: when, if known."""

    state: LinkState
    detail: str = ""
    next_try: float | None = None


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """A layer an image was made of: its blob's digest and size as the manifest has them."""

    digest: str
    size_bytes: int
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A root filesystem and what is known about it.

    Args:
        digest: of rootfs.ext4 as it was published (``ext4.content_digest``).
        source: where it came from, for people ("catalog: alpine", "oci: …", "bundle: …").
        size_bytes: taken on disk; ``disk_bytes``: the filesystem's size.
        kernel: the kernel it boots with, by name; "" for a plain image.
        init: PID 1, absolute; "" for a plain image.
        config: OCI image config, as far as a guest honours it: Env, WorkingDir, User, Entrypoint,
            Cmd, Labels, ExposedPorts (keys as OCI has them).
        provenance: the source pinned by digest ("docker.io/library/alpine@sha256:…"), or "".
        platform: "linux/amd64", …
        bootable: it has the guest kit; False after ``pull --plain``.
        external: absolute path of the rootfs where it is used in place; "" when the image's own
            directory holds it.
        annotations: what its manifest and index say beside the config (OCI image-spec,
            annotations.md).
    """

    name: str
    digest: str
    source: str
    size_bytes: int
    disk_bytes: int
    kernel: str
    init: str
    created_at: float
    config: dict[str, Any] = field(default_factory=dict)
    provenance: str = ""
    platform: str = ""
    bootable: bool = True
    external: str = ""
    layers: tuple[LayerRecord, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KernelRecord:
    """A kernel with the modules an initrd needs. ``version`` is ``uname -r``."""

    name: str
    version: str
    digest: str
    source: str
    size_bytes: int
    created_at: float


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written: its absolute path, its SHA-256, its size."""

    path: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """An artifact that was pushed: the reference pinned by its manifest's digest."""

    reference: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What no image needs and nobody is moving: how many files, how many bytes; ``dry_run``: they
    are still there."""

    files: int
    bytes_freed: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as people see it. ``done``/``total`` count ``unit`` (``bytes``, ``packages``, …).

    ``total=None``: unknown. ``started``/``ended`` are epoch seconds, None where not yet.
    """

    name: str
    state: StageState = StageState.PENDING
    done: int = 0
    total: int | None = None
    unit: str = ""
    rate: float = 0.0
    detail: str = ""
    started: float | None = None
    ended: float | None = None
    children: tuple[StageView, ...] = ()

    def elapsed(self, now: float) -> float | None:
        if self.started is None:
            return None
        return max(0.0, (self.ended if self.ended is not None else now) - self.started)


@dataclass(frozen=True, slots=True)
class Failure:
    """A BangerError as data: what is stored, shown and sent as JSON."""

    kind: str
    title: str
    detail: str = ""
    hint: str = ""
    exit_code: int = 1


@dataclass(frozen=True, slots=True)
class OperationView:
    """An operation as people see it: the same record in memory, in the database and on screen.

    ``kind`` is a verb ("create", "pull image", "pull kernel", "start", "stop" …), ``subject`` the
    name it works on, ``subject_id`` the VM's id where there is one.
    """

    id: str
    kind: str
    subject: str
    state: OperationState
    stages: tuple[StageView, ...]
    started: float
    ended: float | None = None
    subject_id: str = ""
    failure: Failure | None = None
    owner_pid: int = 0
    owner_start: int = 0
    cancel_requested: bool = False

    @property
    def title(self) -> str:
        return f"{self.kind} {self.subject}".strip()

    def elapsed(self, now: float) -> float:
        return max(0.0, (self.ended if self.ended is not None else now) - self.started)

    @property
    def current(self) -> StageView | None:
        """The stage that runs now (innermost), or the last that ended badly."""
        found: StageView | None = None
        stages = self.stages
        while stages:
            running = [s for s in stages if s.state is StageState.RUNNING]
            failed = [s for s in stages if s.state is StageState.FAILED]
            # What failed and was tried again another way is past.
            active = next(iter(running or failed[-1:]), None)
            if active is None:
                break
            found, stages = active, active.children
        return found


@dataclass(frozen=True, slots=True)
class HostView:
    """What the header shows: the host's capacity. ``cpu`` is a share of all cores (0..1)."""

    cpus: int
    cpu: float
    memory_total: int
    memory_used: int
    disk_free: int
