"""Every path on disk, in one place.

::

    state/                     0700   what a person would miss
      banger.db                       SQLite (WAL): VMs, images, kernels, operations
      key, key.pub             0600   the client key for every guest's ssh
      locks/                          advisory lock files, one a lock (see locks.py)
      vms/ID/                  0700   one directory a VM
        disk.qcow2                    overlay on the image's rootfs
        initrd, host_key       0600   boot configuration and the guest's ssh identity
        console.log                   the serial line since the last start, its last 8 MiB
        console.log.1                 of the start before
        launch.json                   what was started: pid, start time, command line
        run -> RUNTIME/ID             sockets (short path: sun_path holds 107 bytes)
      images/NAME/                    rootfs.ext4, manifest.json
      kernels/NAME/                   vmlinuz, modules/, manifest.json
      resume/                         pulls to begin again at the next start of the app
      desk.json              0600   which tabs the app had open
      ssh_config, ssh_known_hosts 0600  what `ssh-config` writes for people's own ssh
      log/                            the program's own log, and one log an operation
    cache/                            may be deleted at any time
      staging/OPERATION/              half-made things; removed when their operation is over
      kit/DIGEST.tar                  guest kits; SUITE-RECIPE names the one last found fresh
      blobs/                          downloads by digest, shared by pulls; .part files resume
      catalogs/                       copies of the person's catalogs on the web
      apt/                            private package lists
    config/config.toml                what a person sets
    runtime/                   0700   sockets; goes with the boot

``BANGER_HOME=DIR`` puts the four below DIR; without it they follow the XDG base directories.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.errors import StateUnwritable
from banger_tui.engine.model import ImageRecord

# sockaddr_un.sun_path is 108 bytes with the final NUL (unix(7)); the longest name below a VM's
# runtime directory is "/0123456789ab/console.sock".
_SUN_PATH = 107
_LONGEST_SOCKET = 32


@dataclass(frozen=True, slots=True)
class Paths:
    """Where this installation keeps its things. All absolute."""

    state: Path
    cache: Path
    config: Path
    runtime: Path

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Paths:
        """The paths for an environment (default: the process's own)."""
        env = os.environ if env is None else env
        if home := env.get("BANGER_HOME"):
            root = Path(home).expanduser().absolute()
            return cls.below(root)
        base = Path(env.get("HOME") or "~").expanduser().absolute()

        def xdg(name: str, default: str) -> Path:
            return Path(env.get(name) or base / default) / "banger-tui"

        state = xdg("XDG_STATE_HOME", ".local/state")
        return cls(
            state=state,
            cache=xdg("XDG_CACHE_HOME", ".cache"),
            config=xdg("XDG_CONFIG_HOME", ".config"),
            runtime=_runtime(state, env.get("XDG_RUNTIME_DIR")),
        )

    @classmethod
    def below(cls, root: Path) -> Paths:
        """All four below one directory; the runtime moves aside when its path is too long."""
        state = root / "state"
        return cls(state, root / "cache", root / "config", _runtime(state, None, root / "run"))

    # -- files of the whole installation
    @property
    def database(self) -> Path:
        return self.state / "banger.db"

    @property
    def client_key(self) -> Path:
        return self.state / "key"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def vms(self) -> Path:
        return self.state / "vms"

    @property
    def images(self) -> Path:
        return self.state / "images"

    @property
    def kernels(self) -> Path:
        return self.state / "kernels"

    @property
    def staging(self) -> Path:
        return self.cache / "staging"

    @property
    def kits(self) -> Path:
        return self.cache / "kit"

    @property
    def apt(self) -> Path:
        return self.cache / "apt"

    @property
    def blobs(self) -> Path:
        return self.cache / "blobs"

    @property
    def catalogs(self) -> Path:
        return self.cache / "catalogs"

    @property
    def resume(self) -> Path:
        return self.state / "resume"

    @property
    def desk(self) -> Path:
        """What the app had open."""
        return self.state / "desk.json"

    # -- one thing's directory
    def vm(self, vm_id: str) -> Path:
        return self.vms / vm_id

    def vm_runtime(self, vm_id: str) -> Path:
        return self.runtime / vm_id

    def image(self, name: str) -> Path:
        return self.images / directory_name(name)

    def rootfs(self, image: ImageRecord) -> Path:
        """Its ext4 file, in its directory or where it is used in place."""
        return Path(image.external) if image.external else self.image(image.name) / "rootfs.ext4"

    def kernel(self, name: str) -> Path:
        return self.kernels / directory_name(name)

    def operation_log(self, operation_id: str) -> Path:
        return self.logs / f"{operation_id}.log"

    def prepare(self) -> None:
        """Make the directories, private to their owner. Blocking.

        Raises:
            StateUnwritable: one of them can't be made or written.
        """
        private = (self.state, self.runtime)
        shared = (self.locks, self.logs, self.vms, self.images, self.kernels)
        for path in (*private, *shared, self.cache, self.staging, self.kits, self.apt, self.config):
            try:
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
                if path in private and path.stat().st_mode & 0o077:
                    path.chmod(0o700)
                writable = os.access(path, os.W_OK | os.X_OK)
            except OSError as error:
                raise StateUnwritable(
                    f"Can't use {path}",
                    error.strerror or str(error),
                    "Make it writable for you, or set BANGER_HOME=DIR to a directory that is.",
                ) from error
            if not writable:
                raise StateUnwritable(
                    f"Can't write to {path}",
                    f"It belongs to uid {path.stat().st_uid}, you are uid {os.getuid()}.",
                    "Make it writable for you, or set BANGER_HOME=DIR to a directory that is.",
                )


def directory_name(name: str) -> str:
    """A file name for any image or kernel name: itself when plain, else a stem and a digest."""
    plain = all(c.isascii() and (c.isalnum() or c in "._-") for c in name)
    if plain and name and not name.startswith(".") and len(name) <= 100:
        return name
    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:60].strip("-")
    return f"{stem}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _runtime(state: Path, xdg: str | None, preferred: Path | None = None) -> Path:
    """A directory for sockets whose path is short enough for sun_path."""
    tag = hashlib.sha256(str(state).encode()).hexdigest()[:8]
    choices = [preferred] if preferred else []
    if xdg:
        choices.append(Path(xdg) / f"banger-{tag}")
    # /tmp survives a lost XDG_RUNTIME_DIR (cron, su): the same state must find the same sockets,
    # so without a preference the place hangs on the state directory alone.
    fallback = Path("/tmp") / f"banger-{os.getuid()}-{tag}"  # noqa: S108
    if not preferred:
        choices = [state / "run"]
    for choice in choices:
        if len(str(choice).encode()) + _LONGEST_SOCKET <= _SUN_PATH:
            return choice
    return fallback
