"""The command line inside a real guest: exec, cp, plain ssh, sessions and consoles in terminals."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.sessions.command import LONGEST
from tests.engine_fixtures.template import link_template

COMMAND = [sys.executable, "-m", "banger_tui"]
VM = "inside"
LEAVE = b"\x1d"


@pytest.fixture(scope="module")
def home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory with one VM, which goes with the module."""
    place = link_template(template, tmp_path_factory.mktemp("cli-guest") / "home")
    env = {**os.environ, "BANGER_HOME": str(place)}
    env.pop("BANGER_DRIVER", None)
    make = ["vm", "create", "-q", "--name", VM, "--image", "busybox", "--memory", "256M"]
    subprocess.run([*COMMAND, *make], env=env, check=True, timeout=240)
    yield place
    subprocess.run([*COMMAND, "vm", "delete", "-q", "-y", VM], env=env, check=True)


@pytest.fixture(autouse=True)
def real_driver(home: Path, monkeypatch: pytest.MonkeyPatch, private_home: Path) -> None:
    monkeypatch.setenv("BANGER_HOME", str(home))
    monkeypatch.delenv("BANGER_DRIVER", raising=False)


def run(*argv: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *argv], capture_output=True, timeout=120, check=False, input=data
    )


def guest(script: str) -> str:
    done = run("vm", "exec", VM, "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def started(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


# ------------------------------------------------------------------------------------ exec


def test_user_directory_and_environment() -> None:
    values = ["a b", "'", '"$HOME"', "", "x=y"]
    options = [word for i, value in enumerate(values) for word in ("-e", f"V{i}={value}")]
    script = 'id -u; id -g; pwd; for v in "$V0" "$V1" "$V2" "$V3" "$V4"; do echo "[$v]"; done'
    done = run(
        "vm", "exec", "-u", "1234:4321", "-w", "/tmp", *options, VM, "--", "sh", "-c", script
    )  # fmt: skip
    assert done.stdout.decode().splitlines() == [
        "1234", "4321", "/tmp", *(f"[{value}]" for value in values),
    ], done.stderr  # fmt: skip


@pytest.mark.parametrize(
    ("options", "command", "code", "why"),
    [
        (["-w", "/nowhere"], "ls", 126, b"/nowhere"),
        (["-u", "nobody-here"], "ls", 126, b"nobody-here"),
        (["-u", "0"], "no-such-program", 127, b"no-such-program"),
        (["-w", "tmp"], "ls", 2, b"absolute"),
    ],
)
def test_what_can_not_start_says_why(
    options: list[str], command: str, code: int, why: bytes
) -> None:
    done = run("vm", "exec", *options, VM, "--", command)
    assert (done.returncode, done.stdout) == (code, b"")
    assert why in done.stderr


def test_three_streams_and_their_ends() -> None:
    data = os.urandom(3 << 20)
    script = "tee /dev/stderr; echo end; echo no >&2; exit 9"
    done = run("vm", "exec", "-w", "/", VM, "--", "sh", "-c", script, data=data)
    assert done.returncode == 9
    assert done.stdout == data + b"end\n"
    assert done.stderr == data + b"no\n"


def test_the_longest_command() -> None:
    for more, code in ((0, 0), (1, 2)):
        line = "echo " + "x" * (LONGEST - len("sh -c 'echo '") + more)
        done = run("vm", "exec", VM, "--", "sh", "-c", line)
        assert done.returncode == code, done.stderr


TRAPS = "; ".join(f'trap "echo {n}; exit {c}" {n}' for n, c in (("USR1", 5), ("INT", 6)))


@pytest.mark.parametrize(
    ("script", "number", "code", "said"),
    [
        ("exec sleep 600", signal.SIGINT, 130, b""),
        ("exec sleep 600", signal.SIGTERM, 143, b""),
        ("exec sleep 600", signal.SIGUSR2, 140, b""),
        ("exec sleep 600", signal.SIGQUIT, 131, b""),
        (f"{TRAPS}; while :; do sleep 0.1; done", signal.SIGUSR1, 5, b"USR1\n"),
        (f"{TRAPS}; while :; do sleep 0.1; done", signal.SIGINT, 6, b"INT\n"),
    ],
)
def test_signals_reach_the_program(
    script: str, number: signal.Signals, code: int, said: bytes
) -> None:
    # The traps are set before "up" is said.
    script = (
        script.replace("; while", "; echo up; while") if ";" in script else f"echo up; {script}"
    )
    process = started("vm", "exec", VM, "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, said, b"")


def test_a_second_interrupt_is_for_us() -> None:
    script = 'trap "echo no" INT; echo up; while :; do sleep 0.1; done'
    process = started("vm", "exec", VM, "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"no\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


# -------------------------------------------------------------------------------------- cp


def test_a_tree_there_and_back(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "sub" / "-rf").mkdir(parents=True)
    (source / "a b\n'c").write_bytes(os.urandom(2_000_000))
    (source / os.fsdecode(b"\xff\xfe")).write_text("no text")
    (source / "sub" / ("n" * 250)).write_text("long")
    (source / "sub" / "run").write_text("#!/bin/sh")
    (source / "sub" / "run").chmod(0o750)
    (source / "out").symlink_to("/etc/passwd")
    (source / "dangling").symlink_to("nowhere")
    os.utime(source / "sub" / "run", (1e9, 1e9))
    (source / "sub" / "-rf").chmod(0o555)
    for directory in (source / "sub" / "-rf", source / "sub", source):
        os.utime(directory, (1.1e9, 1.1e9))
    assert run("vm", "cp", str(source), f"{VM}:tree").returncode == 0
    assert guest("readlink /root/tree/out; stat -c '%a %Y' /root/tree/sub/run /root/tree") == (
        "/etc/passwd\n750 1000000000\n755 1100000000\n"
    )
    back = tmp_path / "back"
    done = run("vm", "cp", "--json", f"{VM}:/root/tree", str(back))
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["copied"]["entries"] == 9, done.stderr
    subprocess.run(["diff", "-r", "--no-dereference", source, back], check=True)
    for path in (back, back / "sub" / "run", back / "sub" / "-rf"):
        there = source / path.relative_to(back)
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(there.stat().st_mode)
        assert path.stat().st_mtime == there.stat().st_mtime
    assert guest("ls -a /root | grep banger-copy; true") == ""


def test_a_link_that_came_before_is_not_written_through(tmp_path: Path) -> None:
    outside, got = tmp_path / "outside", tmp_path / "got"
    outside.mkdir()
    guest(f"mkdir /root/turns; ln -s {outside} /root/turns/x")
    assert run("vm", "cp", f"{VM}:/root/turns", str(got)).returncode == 0
    assert os.readlink(got / "x") == str(outside)
    guest("cd /root/turns; rm x; mkdir x; echo evil >x/y")
    done = run("vm", "cp", f"{VM}:/root/turns/.", str(got))
    assert done.returncode == 1
    assert b"What is copied is not of that kind" in done.stderr
    assert os.listdir(outside) == []
    assert os.listdir(got) == ["x"]


def test_stdin_and_stdout() -> None:
    data = os.urandom(300_000)
    assert run("vm", "cp", "-", f"{VM}:/root/piped", data=data).returncode == 0
    assert run("vm", "cp", f"{VM}:/root/piped", "-").stdout == data


def test_an_interrupted_copy_leaves_nothing(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(4 << 30)
    guest("mkdir -p /root/place")
    process = started("vm", "cp", "--json", str(big), f"{VM}:/root/place")
    assert process.stdout is not None
    for line in process.stdout:
        if any(stage["done"] > 1 << 20 for stage in json.loads(line).get("stages", [])):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    deadline = time.monotonic() + 30
    while guest("ls -A /root/place"):
        assert time.monotonic() < deadline, "something is left in the guest"


# -------------------------------------------------------------------------------- plain ssh


@pytest.mark.skipif(shutil.which("scp") is None, reason="no scp here")
def test_plain_ssh_and_scp(tmp_path: Path) -> None:
    file = run("ssh-config").stdout.decode().strip()
    options = ["-F", file, "-o", "BatchMode=yes"]
    done = subprocess.run(
        ["ssh", *options, f"{VM}.vm", "hostname; cat >&2; exit 4"],
        input=b"in", capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (4, b"inside\n", b"in")
    (tmp_path / "f").write_text("by scp")
    subprocess.run(
        ["scp", "-q", *options, tmp_path / "f", f"{VM}.vm:/root/by-scp"], check=True, timeout=60
    )
    assert guest("cat /root/by-scp") == "by scp"
    # A server with another key is not ours.
    known = Path(file).with_name("ssh_known_hosts")
    before = known.read_text()
    known.write_text(re.sub(r"AAAAI\S+", lambda m: m[0][:-4] + "AAAA", before))
    refused = subprocess.run(
        ["ssh", *options, f"{VM}.vm", "true"], capture_output=True, timeout=60, check=False
    )
    assert refused.returncode == 255
    known.write_text(before)


# --------------------------------------------------------------------------------- sessions


class Terminal:
    """A person at a terminal in which a command runs."""

    def __init__(self, *argv: str, size: tuple[int, int] = (24, 80)) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, size)
        self._before = termios.tcgetattr(slave)
        self._slave = slave
        self.seen = b""
        self.process = subprocess.Popen(
            [*COMMAND, *argv], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )

    def type(self, data: bytes) -> None:
        os.write(self._master, data)

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self._slave, (rows, columns))
        self.process.send_signal(signal.SIGWINCH)

    def wait_for(self, wanted: bytes, seconds: float = 30.0) -> None:
        """Until it has come since the last thing that was waited for."""
        deadline = time.monotonic() + seconds
        while wanted not in self.seen:
            assert time.monotonic() < deadline, f"{wanted!r} did not come: {self.seen!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                self.seen += os.read(self._master, 65536)
        self.seen = self.seen.partition(wanted)[2]

    def ends(self) -> int:
        """Its exit code; the terminal is as it was."""
        deadline = time.monotonic() + 30
        ended = False
        # What it said last may still be on its way when it has ended.
        while not ended or select.select([self._master], [], [], 0)[0]:
            assert time.monotonic() < deadline, f"it does not end: {self.seen!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                self.seen += os.read(self._master, 65536)
            ended = self.process.poll() is not None
        assert termios.tcgetattr(self._slave) == self._before
        return self.process.returncode

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_a_session_in_a_terminal(terminals: list[Terminal]) -> None:
    assert run("session", "start", VM, "--name", "work").stdout == b"inside/work\n"
    first = Terminal("session", "attach", "inside/work")
    terminals.append(first)
    first.type(b"PS1='> '; mark=4$((1+1)); echo up-$mark\r")
    first.wait_for(b"up-42")
    first.resize(30, 101)
    # The size goes another way than what is typed, and may come later.
    first.type(b"until stty size | grep '[ ]101'; do sleep 0.2; done\r")
    first.wait_for(b" 101")

    # Who comes second looks on, and may take over.
    second = Terminal("session", "attach", "inside/work")
    terminals.append(second)
    second.wait_for(b"you look on")
    second.wait_for(b"up-42")
    second.type(b"echo second-types\r")
    second.type(LEAVE)
    assert second.ends() == 0
    first.type(b"echo fi$((1))rst\r")
    first.wait_for(b"fi1rst")
    assert b"second-types" not in first.seen
    third = Terminal("session", "attach", "--take", "inside/work")
    terminals.append(third)
    third.wait_for(b"fi1rst")
    third.type(b"echo ta$((1))ken\r")
    third.wait_for(b"ta1ken")
    assert first.ends() == 1
    assert b"was taken over" in first.seen

    third.type(LEAVE)
    assert third.ends() == 0
    assert b"Left. It goes on: banger-tui session attach inside/work" in third.seen
    assert run("session", "send", "--line", "inside/work", "exit 5").returncode == 0
    last = run("session", "list", VM, "--json")
    deadline = time.monotonic() + 20
    while json.loads(last.stdout)[0]["exit_code"] != 5:
        assert time.monotonic() < deadline, last.stdout
        last = run("session", "list", VM, "--json")
    assert b"ta1ken" in run("session", "logs", "inside/work").stdout
    assert run("session", "delete", "inside/work").returncode == 0


def test_the_shell_is_a_session(terminals: list[Terminal]) -> None:
    shell = Terminal("vm", "shell", VM)
    terminals.append(shell)
    shell.type(b"echo h$((1))i\r")
    shell.wait_for(b"h1i")
    sessions = json.loads(run("session", "list", VM, "--json").stdout)
    (listed,) = [session for session in sessions if session["name"] == "shell"]
    assert (listed["mode"], listed["state"], listed["viewers"]) == ("pty", "running", 1)
    shell.type(b"exit 3\r")
    assert shell.ends() == 3
    run("session", "delete", f"{VM}/{listed['name']}")


def test_a_session_of_three_streams() -> None:
    script = "while read -r line; do echo $line; echo no $line >&2; done; exit 6"
    begun = run("session", "start", VM, "--pipe", "--name", "lines", "--", "sh", "-c", script)
    assert begun.returncode == 0, begun.stderr
    assert run("session", "send", "--line", "inside/lines", "zero").returncode == 0
    attached = run("session", "attach", "inside/lines", data=b"one\ntwo\n")
    assert attached.returncode == 6
    assert attached.stdout == b"zero\none\ntwo\n"
    assert attached.stderr == b"no zero\nno one\nno two\n"
    assert run("session", "delete", "inside/lines").returncode == 0


def test_leaving_a_session_of_streams_lets_it_run() -> None:
    script = "echo up; exec sleep 600"
    run("session", "start", VM, "--pipe", "--name", "stays", "--", "sh", "-c", script)
    attached = started("session", "attach", "inside/stays")
    assert attached.stdout is not None
    assert attached.stdout.readline() == b"up\n"
    attached.send_signal(signal.SIGINT)
    _, err = attached.communicate(timeout=30)
    assert attached.returncode == 130
    assert b"It goes on" in err
    stopped = run("session", "stop", "--json", "inside/stays")
    assert json.loads(stopped.stdout)["session"]["exit_code"] == 143
    assert run("session", "delete", "inside/stays").returncode == 0


def test_two_at_one_console(terminals: list[Terminal]) -> None:
    one, two = (Terminal("vm", "console", VM, size=(31, 97)) for _ in range(2))
    terminals.extend((one, two))
    one.wait_for(b"ctrl+] leaves it")
    two.wait_for(b"ctrl+] leaves it")
    one.type(b"echo con$((40+2))sole\r")
    one.wait_for(b"con42sole")
    two.wait_for(b"con42sole")
    one.type(b"until stty size | grep '31[ ]97'; do sleep 0.2; done\r")
    two.wait_for(b"31 97")
    one.type(LEAVE)
    assert one.ends() == 0
    two.type(b"echo st$((40+2))ill\r")
    two.wait_for(b"st42ill")
    two.type(LEAVE)
    assert two.ends() == 0
