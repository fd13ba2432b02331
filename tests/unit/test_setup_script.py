"""scripts/setup on hosts that exist only as a directory of pretended tools."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What a Debian base has and the script uses; everything else must not be reached.
BASE_TOOLS = (
    "sh env uname dirname grep sed cut head tail find cksum cat "
    "rm mkdir touch cp tr wc echo ln chmod"
).split()

# Package -> the commands it brings, as apt would.
PROVIDES = {
    "qemu-system-x86": "qemu-system-x86_64",
    "qemu-system-arm": "qemu-system-aarch64",
    "qemu-utils": "qemu-img",
    "e2fsprogs": "mke2fs",
    "mmdebstrap": "mmdebstrap",
    "uidmap": "newuidmap",
    "zstd": "zstd",
    "tmux": "tmux",
    "openssh-client": "ssh",
    "docker-registry": "docker-registry",
}

PYTHON = """\
#!/bin/sh
case "$*" in
  *version_info*) [ ! -e $STATE/python-old ] ;;
  *python_version*) echo 3.9.2 ;;
  *ensurepip*) [ ! -e $STATE/no-venv ] ;;
  "-m venv --clear "*)
    [ ! -e $STATE/venv-fails ] || { echo "Error: no space left"; exit 1; }
    rm -rf "$4"; mkdir -p "$4/bin"; cp "$0" "$4/bin/python"
    echo "#!$4/bin/python" >"$4/bin/pip"; echo "venv $4" >>$STATE/calls ;;
  "-m pip "*)
    echo "pip $*" >>$STATE/calls
    [ ! -e $STATE/pip-fails ] || { echo "ERROR: could not reach the index"; exit 1; } ;;
  --version) echo "Python 3.11.2" ;;
esac
"""

APT_GET = """\
#!/bin/sh
echo "apt-get $*" >>$STATE/calls
lists=$BANGER_SETUP_SYSROOT/var/lib/apt/lists
case "$*" in
  *update*)
    if [ -e $STATE/offline ]; then echo "W: Temporary failure resolving"; exit 0; fi
    rm -f $STATE/lists-stale; touch $lists/archive_main_Packages ;;
  *install*)
    if [ -e $STATE/lists-stale ] || [ -e $STATE/apt-fails ]; then
      echo "E: Unable to fetch some archives"; exit 100
    fi
    for word in "$@"; do
      case $word in
        python3-venv) rm -f $STATE/no-venv ;;
        debian-archive-keyring)
          touch $BANGER_SETUP_SYSROOT/usr/share/keyrings/debian-archive-keyring.gpg ;;
        fonts-dejavu-core) touch $BANGER_SETUP_SYSROOT/usr/share/fonts/DejaVuSansMono.ttf ;;
      esac
      if [ -e $STATE/provides/$word ]; then
        command=$(cat $STATE/provides/$word)
        printf '#!/bin/sh\\n' >$STATE/../bin/$command; chmod +x $STATE/../bin/$command
      fi
    done ;;
esac
"""

SUDO = """\
#!/bin/sh
echo "sudo $*" >>$STATE/calls
case "$1" in
  -n) [ -e $STATE/sudo-free ]; exit $? ;;
  -v) [ -e $STATE/sudo-password ] && exit 0; echo "Sorry, user may not run sudo"; exit 1 ;;
esac
exec "$@"
"""


@dataclass
class Host:
    """A pretended machine with a checkout on it."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bin", "state/provides", "checkout/scripts"):
            (self.path / name).mkdir(parents=True)
        for name in ("etc", "usr/share/keyrings", "usr/share/fonts", "var/lib/apt/lists"):
            (self.sysroot / name).mkdir(parents=True)
        for tool in BASE_TOOLS:
            found = shutil.which(tool)
            assert found is not None, tool
            (self.path / "bin" / tool).symlink_to(found)
        for package, command in PROVIDES.items():
            (self.state / "provides" / package).write_text(command)
        shutil.copy(ROOT / "scripts" / "setup", self.checkout / "scripts")
        for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            (self.checkout / name).write_text(name)
        self.tool("python3", PYTHON)
        self.tool("apt-get", APT_GET)
        self.tool("uname", "#!/bin/sh\necho x86_64\n")
        self.user(0)
        self.release("debian")
        (self.sysroot / "var/lib/apt/lists/archive_main_Packages").touch()
        (self.sysroot / "usr/share/keyrings/debian-archive-keyring.gpg").touch()

    @property
    def sysroot(self) -> Path:
        return self.path / "sysroot"

    @property
    def state(self) -> Path:
        return self.path / "state"

    @property
    def checkout(self) -> Path:
        return self.path / "checkout"

    def tool(self, name: str, text: str = "#!/bin/sh\n") -> None:
        file = self.path / "bin" / name
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def user(self, uid: int) -> None:
        self.tool("id", f"#!/bin/sh\necho {uid}\n")

    def release(self, name: str, like: str = "") -> None:
        text = f'ID={name}\nID_LIKE="{like}"\n'
        (self.sysroot / "etc/os-release").write_text(text)

    def flag(self, name: str) -> None:
        (self.state / name).touch()

    def complete(self, *without: str) -> None:
        for package, command in PROVIDES.items():
            if package not in without and command not in without:
                self.tool(command)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": str(self.path / "bin"),
            "STATE": str(self.state),
            "BANGER_SETUP_SYSROOT": str(self.sysroot),
            **self.env,
        }

    def setup(self, *arguments: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "scripts/setup", *arguments],
            cwd=self.checkout,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
            user=user,
        )

    def setup_on_tty(self, *arguments: str) -> tuple[int, str]:
        """The same at a terminal: exit code and everything shown."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            ["/bin/sh", "scripts/setup", *arguments],
            cwd=self.checkout,
            env={"TERM": "xterm-256color", **self.environment()},
            stdin=follower,
            stdout=follower,
            stderr=follower,
        )
        os.close(follower)
        shown = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:  # EIO: the last holder of the other end is gone
                break
            if not block:
                break
            shown += block
        os.close(leader)
        return process.wait(timeout=60), shown.decode()

    @property
    def calls(self) -> list[str]:
        file = self.state / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def installs(self) -> list[str]:
        return [call for call in self.calls if call.startswith("apt-get") and " install " in call]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "host")


def test_root_installs_what_is_missing_and_only_that(host: Host) -> None:
    host.tool("mke2fs")
    host.flag("no-venv")

    result = host.setup()

    assert result.returncode == 0, result.stdout
    (install,) = host.installs()
    wanted = (
        "--no-install-recommends python3-venv qemu-system-x86 qemu-utils mmdebstrap uidmap zstd"
    )
    assert install.endswith(wanted)
    assert not any("update" in call for call in host.calls), "lists were there"
    assert "QEMU (qemu-system-x86_64)" in result.stdout
    assert "mke2fs" not in result.stdout
    assert (host.checkout / ".venv/.setup-run").exists()
    pips = [call for call in host.calls if call.startswith("pip")]
    assert "--require-hashes --requirement requirements.lock" in pips[0]
    assert "--no-deps --no-build-isolation --editable ." in pips[1]


def test_the_second_run_does_nothing(host: Host) -> None:
    assert host.setup().returncode == 0
    before = host.calls

    second = host.setup("--quiet")

    assert (second.returncode, second.stdout) == (0, "")
    assert host.calls == before


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.lock"])
def test_a_changed_lock_or_project_installs_again(host: Host, changed: str) -> None:
    assert host.setup().returncode == 0
    before = len(host.calls)
    (host.checkout / changed).write_text("other")

    assert host.setup().returncode == 0

    assert [call.split()[0] for call in host.calls[before:]] == ["pip", "pip"]


def test_a_moved_checkout_gets_a_new_venv(host: Host) -> None:
    assert host.setup().returncode == 0
    moved = host.path / "moved"
    host.checkout.rename(moved)
    moved.joinpath("scripts/setup").chmod(0o755)

    result = subprocess.run(
        ["/bin/sh", "scripts/setup"],
        cwd=moved,
        env=host.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout
    assert f"venv {moved}/.venv" in host.calls


def test_absent_package_lists_are_read_first(host: Host) -> None:
    (host.sysroot / "var/lib/apt/lists/archive_main_Packages").unlink()

    assert host.setup().returncode == 0

    steps = [call for call in host.calls if call.startswith("apt-get")]
    assert "update" in steps[0]
    assert " install " in steps[1]


def test_stale_package_lists_are_renewed_once(host: Host) -> None:
    host.flag("lists-stale")

    result = host.setup()

    assert result.returncode == 0, result.stdout
    assert len(host.installs()) == 2


def test_no_network_shows_what_apt_said_and_a_next_step(host: Host) -> None:
    (host.sysroot / "var/lib/apt/lists/archive_main_Packages").unlink()
    host.flag("offline")

    result = host.setup()

    assert result.returncode == 1
    assert "Temporary failure resolving" in result.stdout
    assert "then run: make setup" in result.stdout
    assert host.installs() == []


def test_an_apt_failure_shows_its_last_lines(host: Host) -> None:
    host.flag("apt-fails")

    result = host.setup()

    assert result.returncode == 1
    assert "E: Unable to fetch some archives" in result.stdout
    assert str(host.checkout / ".setup.log") in result.stdout


def test_sudo_without_a_password_is_used(host: Host) -> None:
    host.user(1000)
    host.tool("sudo", SUDO)
    host.flag("sudo-free")

    result = host.setup()

    assert result.returncode == 0, result.stdout
    assert any(call.startswith("sudo env") and " install " in call for call in host.calls)


def test_before_the_password_it_says_what_will_run(host: Host) -> None:
    host.user(1000)
    host.complete("mmdebstrap")
    host.tool("sudo", SUDO)
    host.flag("sudo-password")

    code, shown = host.setup_on_tty()

    assert code == 0, shown
    announced = shown.index("sudo apt-get install --no-install-recommends mmdebstrap")
    assert shown.index("ask for your password") < announced < shown.index("Installed: mmdebstrap")


@pytest.mark.parametrize("has_sudo", [True, False])
def test_without_rights_it_names_the_administrators_command(host: Host, has_sudo: bool) -> None:
    host.user(1000)
    host.complete("qemu-system-x86", "qemu-utils")
    if has_sudo:
        host.tool("sudo", SUDO)

    code, shown = host.setup_on_tty()

    assert code == 1
    assert "administrator" in shown
    assert "apt-get install --no-install-recommends qemu-system-x86 qemu-utils" in shown
    assert "Then run: make setup" in shown
    assert host.installs() == []
    assert not (host.checkout / ".venv").exists()


def test_without_rights_it_goes_on_when_the_essential_is_there(host: Host) -> None:
    host.user(1000)
    host.complete("zstd", "uidmap")

    result = host.setup()

    assert result.returncode == 0, result.stdout
    assert "apt-get install --no-install-recommends uidmap zstd" in result.stdout
    assert (host.checkout / ".venv/.setup-run").exists()
    assert host.setup("--quiet").stdout == "", "starting the app does not nag"


def test_without_a_terminal_nobody_is_asked_for_a_password(host: Host) -> None:
    host.user(1000)
    host.tool("sudo", SUDO)
    host.flag("sudo-password")

    result = host.setup()

    assert result.returncode == 1
    assert "sudo -v" not in host.calls


@pytest.mark.parametrize(
    ("name", "like", "command"),
    [
        (
            "fedora",
            "",
            "sudo dnf install qemu-system-x86 qemu-img e2fsprogs mmdebstrap shadow-utils",
        ),
        ("rocky", "rhel centos fedora", "sudo dnf install qemu-system-x86 qemu-img"),
        ("arch", "", "sudo pacman -S --needed qemu-system-x86 qemu-img e2fsprogs shadow zstd"),
        ("opensuse-tumbleweed", "opensuse suse", "sudo zypper install --no-recommends qemu-x86"),
        ("alpine", "", "sudo apk add qemu-system-x86_64 qemu-img e2fsprogs shadow-subids zstd"),
    ],
)
def test_other_distributions_get_their_own_command(
    host: Host, name: str, like: str, command: str
) -> None:
    host.user(1000)
    host.release(name, like)

    result = host.setup()

    assert result.returncode == 1
    assert command in result.stdout
    assert host.calls == []


def test_a_derivative_of_debian_is_debian(host: Host) -> None:
    host.release("linuxmint", "ubuntu debian")
    assert host.setup().returncode == 0
    assert host.installs()


def test_an_unknown_distribution_is_told_what_to_look_for(host: Host) -> None:
    host.release("plan9")

    result = host.setup()

    assert result.returncode == 1
    assert "qemu-img" in result.stdout
    assert "not known here" in result.stdout


def test_arm_gets_its_own_qemu(host: Host) -> None:
    host.tool("uname", "#!/bin/sh\necho aarch64\n")
    assert host.setup().returncode == 0
    assert "qemu-system-arm" in host.installs()[0]


def test_an_old_python_is_named_before_anything_is_installed(host: Host) -> None:
    host.flag("python-old")

    result = host.setup()

    assert result.returncode == 1
    assert "Python 3.9.2 is too old: 3.11 or newer" in result.stdout
    assert "PYTHON=" in result.stdout
    assert host.calls == []


def test_an_old_python_with_a_newer_package_at_hand(host: Host) -> None:
    host.flag("python-old")
    host.user(1000)
    host.tool("apt-cache", '#!/bin/sh\n[ "$2" = python3.12 ]\n')

    result = host.setup()

    assert result.returncode == 1
    wanted = "sudo apt-get install --no-install-recommends python3.12 python3.12-venv"
    assert wanted in result.stdout


@pytest.mark.parametrize(
    ("flag", "message", "detail"),
    [
        ("venv-fails", "virtual environment could not be made", "Error: no space left"),
        ("pip-fails", "Python packages could not be installed", "ERROR: could not reach the index"),
    ],
)
def test_a_failed_python_step_can_be_repeated(
    host: Host, flag: str, message: str, detail: str
) -> None:
    host.complete()
    host.flag(flag)

    result = host.setup()

    assert result.returncode == 1
    assert message in result.stdout
    assert detail in result.stdout
    (host.state / flag).unlink()
    assert host.setup().returncode == 0


def test_the_tests_need_more_and_their_setup_serves_the_app_too(host: Host) -> None:
    host.complete("tmux", "openssh-client", "docker-registry")

    assert host.setup("--tests").returncode == 0

    assert host.installs()[0].endswith("tmux openssh-client fonts-dejavu-core docker-registry")
    assert any("requirements-dev.lock" in call for call in host.calls)
    before = host.calls
    assert host.setup("--quiet").stdout == ""
    assert host.calls == before, "the app's setup does not undo the tests' packages"


def test_colours_only_on_a_terminal_that_wants_them(host: Host) -> None:
    host.complete()
    assert "\x1b" not in host.setup().stdout
    assert "\x1b[32m" in host.setup_on_tty()[1]
    host.env["NO_COLOR"] = "1"
    assert "\x1b[3" not in host.setup_on_tty()[1]


def test_a_checkout_that_cannot_be_written_is_named() -> None:
    # Not below tmp_path: when root runs the tests the script runs as nobody, who must reach it.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        host = Host(Path(folder) / "host")
        host.checkout.chmod(0o555)

        result = host.setup(user=65534 if os.geteuid() == 0 else None)

        host.checkout.chmod(0o755)
    assert result.returncode == 1
    assert f"cannot be written: {host.checkout}" in result.stdout


def test_an_unknown_option_is_refused(host: Host) -> None:
    result = host.setup("--everything")
    assert result.returncode == 2
    assert "usage:" in result.stdout
