"""The command line with real guests: QEMU and the small image."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "banger_tui"]
SMALL = ("--image", "busybox", "--memory", "192M")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state directory for the module: the image is built once. Nothing runs on after it."""
    place = tmp_path_factory.mktemp("cli-live")
    yield place
    env = {**os.environ, "BANGER_HOME": str(place)}
    listed = subprocess.run(
        [*COMMAND, "vm", "list", "--json"], env=env, capture_output=True, text=True, check=True
    )
    for vm in json.loads(listed.stdout):
        subprocess.run([*COMMAND, "vm", "delete", "-y", vm["id"]], env=env, check=True)


@pytest.fixture(autouse=True)
def real_driver(home: Path, monkeypatch: pytest.MonkeyPatch, private_home: Path) -> None:
    monkeypatch.setenv("BANGER_HOME", str(home))
    monkeypatch.delenv("BANGER_DRIVER", raising=False)


def run(*argv: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *argv], capture_output=True, timeout=240, check=False, input=data
    )


def vms() -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(run("vm", "list", "--json").stdout)
    return listed


def qemus(home: Path) -> list[int]:
    """QEMU processes whose command line names this state directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if words.startswith(b"qemu") or b"/qemu-system-" in words.split(b"\0")[0]:
                found += [int(entry.name)] if os.fsencode(home) in words else []
    return found


@pytest.fixture(scope="module")
def vm(home: Path) -> str:
    """A VM that stays for the tests that only need one."""
    env = {**os.environ, "BANGER_HOME": str(home)}
    env.pop("BANGER_DRIVER", None)
    made = subprocess.run(
        [*COMMAND, "vm", "create", "--name", "steady", *SMALL],
        env=env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_one_command_and_its_exit_code(home: Path) -> None:
    result = run("vm", "run", "--rm", *SMALL, "--", "sh", "-c", "uname -a; echo no >&2; exit 7")
    assert result.returncode == 7, result.stderr.decode()
    assert result.stdout.startswith(b"Linux ")
    assert result.stdout.count(b"\n") == 1
    assert result.stderr.endswith(b"no\n")
    assert [machine for machine in vms() if machine["ephemeral"]] == []
    assert len(qemus(home)) == len(vms())


def test_arguments_and_bytes_arrive_as_they_are(vm: str) -> None:
    words = ["a b", "$HOME", "'", '"', "", "*", "ä"]
    printed = run("vm", "exec", vm, "--", "printf", "[%s]\\n", *words)
    assert printed.stdout.decode().splitlines() == [f"[{word}]" for word in words]

    data = os.urandom(1 << 20)
    assert run("vm", "exec", vm, "--", "cat", data=data).stdout == data
    assert (
        run("vm", "exec", vm, "--", "sh", "-c", "cat >/dev/null; exit 3", data=data).returncode == 3
    )


def test_a_reader_that_has_enough_ends_it(vm: str) -> None:
    line = " ".join([*COMMAND, "vm", "exec", vm, "--", "yes", "|", "head", "-1"])
    ended = subprocess.run(["sh", "-c", line], capture_output=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == (b"y\n", b"")


def test_the_systems_ssh(vm: str) -> None:
    result = run("vm", "ssh", vm, "--", "sh", "-c", "hostname; exit 9")
    assert (result.returncode, result.stdout) == (9, b"steady\n"), result.stderr


def test_logs_and_console(vm: str) -> None:
    assert run("vm", "logs", vm).stdout
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    console = subprocess.Popen([*COMMAND, "vm", "console", vm], stdin=slave, stdout=slave)
    try:
        _type_until(master, b"echo con$((40+2))sole\r", b"con42sole")
        os.write(master, b"\x1d")
        assert console.wait(20) == 0
        assert termios.tcgetattr(slave) == before
    finally:
        console.kill()
        os.close(master)
        os.close(slave)


def test_a_shell_is_still_there_when_one_comes_back(vm: str) -> None:
    for typed, wanted in ((b"mark=4$((1+1))\r", b"# "), (b"echo still-$mark\r", b"still-42")):
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        shell = subprocess.Popen([*COMMAND, "vm", "shell", vm], stdin=slave, stdout=slave)
        try:
            _read_until(master, b"# ")
            _type_until(master, typed, wanted)
            time.sleep(0.5)
            os.write(master, b"\x1d")
            assert shell.wait(20) == 0
        finally:
            shell.kill()
            os.close(master)
            os.close(slave)


def test_an_interrupt_while_the_command_runs(home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "vm", "run", "--rm", *SMALL, "--", "sh", "-c", "echo up; sleep 600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert [machine for machine in vms() if machine["ephemeral"]] == []
    assert len(qemus(home)) == len(vms())


def test_an_interrupted_command_ends_in_the_guest_too(vm: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "vm", "exec", vm, "--", "sh", "-c", "echo up; exec sleep 4321"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    deadline = time.monotonic() + 10
    while b"sleep 4321" in run("vm", "exec", vm, "--", "ps").stdout:
        assert time.monotonic() < deadline, "it runs on in the guest"


@pytest.mark.parametrize("stage", ["prepare disk", "launch", "boot", "wait for guest"])
def test_an_interrupt_in_a_stage_of_create(home: Path, stage: str) -> None:
    before = qemus(home)
    process = subprocess.Popen(
        [*COMMAND, "vm", "create", "--json", "--name", "cut", *SMALL],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        states = {s["name"]: s["state"] for s in json.loads(line).get("stages", [])}
        if states.get(stage) in ("running", "done"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "cut" not in [machine["name"] for machine in vms()]
    assert qemus(home) == before


def _read_until(fd: int, wanted: bytes, seconds: float = 30.0) -> bytes:
    seen = b""
    deadline = time.monotonic() + seconds
    while wanted not in seen:
        assert time.monotonic() < deadline, f"{wanted!r} did not come: {seen!r}"
        if select.select([fd], [], [], 0.2)[0]:
            seen += os.read(fd, 65536)
    return seen


def _type_until(fd: int, typed: bytes, wanted: bytes) -> None:
    time.sleep(1.0)  # a shell that only just drew its prompt may not read yet
    os.write(fd, typed)
    _read_until(fd, wanted)
