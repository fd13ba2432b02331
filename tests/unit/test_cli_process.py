"""The command line as a process of its own: signals, terminals, pipes, exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from banger_tui.engine.vms.create import STAGES

COMMAND = [sys.executable, "-m", "banger_tui"]
SEQUENCES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@pytest.fixture(autouse=True)
def fake_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANGER_DRIVER", "fake")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def run(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options are subprocess's own
        [*COMMAND, *argv],
        **{
            "capture_output": True,
            "text": True,
            "timeout": 60,
            "check": False,
            "stdin": subprocess.DEVNULL,
            **options,
        },
    )


def leftovers(home: Path) -> list[str]:
    """What a VM would have left."""
    places = ("state/vms", "cache/staging", "run")
    return [str(found) for place in places for found in (home / place).glob("*")]


# ------------------------------------------------------------------------------- the grammar


def commands() -> Iterator[list[str]]:
    yield []
    areas = {
        "vm": "run create start stop kill restart delete list show ssh exec shell console logs",
        "image": "list pull show delete catalog",
        "kernel": "list pull show delete catalog",
        "operation": "list show cancel prune",
    }
    yield ["doctor"]
    for area, verbs in areas.items():
        yield [area]
        yield from ([area, verb] for verb in verbs.split())


def test_every_help_has_an_example() -> None:
    from banger_tui.cli.parser import parse

    for words in commands():
        captured = _help(parse, words)
        assert "examples:\n  banger-tui" in captured, words
        assert "usage: banger-tui" in captured, words


def _help(parse: object, words: list[str]) -> str:
    import io

    assert callable(parse)
    text = io.StringIO()
    with contextlib.redirect_stdout(text), pytest.raises(SystemExit) as end:
        parse([*words, "--help"])
    assert end.value.code == 0
    return text.getvalue()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_is_there_at_once_and_loads_nothing(option: str) -> None:
    script = (
        "import sys; sys.argv = ['banger-tui', sys.argv[1]]\n"
        "from banger_tui.__main__ import main\n"
        "code = main()\n"
        "print(code, [m for m in ('asyncio', 'textual', 'rich', 'asyncssh') if m in sys.modules],"
        " file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, option]
    spent = []
    for _ in range(3):
        began = time.monotonic()
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        spent.append(time.monotonic() - began)
        assert result.stderr == "0 []\n"
    # The limit is 0.2 s on a quiet machine; tests share theirs.
    assert min(spent) < 0.5


def test_version() -> None:
    assert re.fullmatch(r"banger-tui \d+\.\d+\.\d+\n", run("--version").stdout)


def test_without_a_terminal_the_app_explains_itself() -> None:
    result = run()
    assert result.returncode == 2
    assert result.stdout == ""
    assert "usage: banger-tui" in result.stderr
    assert "error: The app needs a terminal" in result.stderr


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["nonsense"], "nonsense"),
        (["vm"], "A command is missing"),
        (["vm", "explode"], "explode"),
        (["vm", "list", "--", "x"], "Nothing can follow --"),
        (["vm", "create", "--cpus", "many"], "many"),
        (["vm", "exec", "web", "ls"], "after --"),
        (["vm", "show"], "NAME"),
    ],
)
def test_command_lines_that_make_no_sense(argv: list[str], told: str) -> None:
    result = run(*argv)
    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    as_json = run("--json", *argv)
    assert json.loads(as_json.stderr)["error"]["exit_code"] == 2
    assert as_json.stdout == ""


# ------------------------------------------------------------------- pipes, errors, debugging


def test_a_state_directory_that_can_not_be_used(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    env = {**os.environ, "BANGER_HOME": str(blocked)}
    result = run("vm", "list", env=env)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr
    debugged = run("vm", "list", env={**env, "BANGER_DEBUG": "1"})
    assert "Traceback" in debugged.stderr


def test_a_reader_that_goes_away_is_no_drama(private_home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "vm", "create", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""
    assert leftovers(private_home) == []


def test_progress_is_plain_lines_through_a_pipe() -> None:
    result = run("vm", "create", "--name", "web")
    assert result.stdout == "web\n"
    assert "\x1b" not in result.stderr
    assert "\r" not in result.stderr
    assert "✓ create web" in result.stderr


def test_quiet_is_quiet() -> None:
    result = run("vm", "run", "-q", "--rm", "--", "echo", "hello")
    assert (result.stdout, result.stderr, result.returncode) == ("hello\n", "", 0)


# --------------------------------------------------------------------------------- signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_create_leaves_nothing(private_home: Path, number: signal.Signals) -> None:
    run("image", "pull", "debian-bookworm")
    process = _booting("vm", "create", "--name", "web")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "result"
    assert last["error"]["kind"] == "OperationCancelled"
    assert json.loads(err)["error"]["exit_code"] == 130
    assert json.loads(run("vm", "list", "--json").stdout) == []
    assert leftovers(private_home) == []
    operations = json.loads(run("operation", "list", "--json").stdout)
    assert [o["state"] for o in operations if o["kind"] == "create"] == ["cancelled"]


def test_a_second_interrupt_does_not_cut_cleaning_up_short(private_home: Path) -> None:
    process = _booting("vm", "run", "--rm", "--name", "web", "--", "true")
    for _ in range(5):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads(run("vm", "list", "--json").stdout) == []
    assert leftovers(private_home) == []


def test_an_interrupt_says_what_happens() -> None:
    process = subprocess.Popen(
        [*COMMAND, "vm", "create", "--name", "web"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    while "reserve" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Cancelling …" in err
    assert "error:" not in err
    assert err.endswith("Cancelled: create web\nNothing of it is left.\n")


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_in_every_stage_of_a_create(private_home: Path, stage: str) -> None:
    """The image is not here: the pulls it needs end as well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine_fixtures.standing_cli", f"create/{stage}",
         "-q", "vm", "create", "--name", "web"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n", process.communicate()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Cancelled" in err
    assert json.loads(run("vm", "list", "--json").stdout) == []
    assert leftovers(private_home) == []


def _booting(*argv: str) -> subprocess.Popen[str]:
    """A command whose VM has been launched and is not ready yet (the fake takes a second)."""
    process = subprocess.Popen(
        [*COMMAND, *argv[:2], "--json", *argv[2:]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        stages = {s["name"]: s["state"] for s in json.loads(line).get("stages", [])}
        if stages.get("boot") == "running":
            return process
    raise AssertionError(process.communicate())


# -------------------------------------------------------------------------------- terminals


class Terminal:
    """A command on a terminal of its own, as a person would run it."""

    def __init__(self, *argv: str, env: dict[str, str] | None = None, columns: int = 80) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, columns))
        self.before = termios.tcgetattr(self.slave)
        self.text = ""
        self.process = subprocess.Popen(
            [*COMMAND, *argv],
            stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env={**os.environ, **(env or {})}, start_new_session=True,
        )  # fmt: skip

    def read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        return bool(ready)

    def expect(self, wanted: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < deadline, f"{wanted!r} did not come: {self.text!r}"
            self.read(0.2)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def wait(self) -> int:
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        while self.read(0.0):
            pass
        return self.process.wait(1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextlib.contextmanager
def terminal(
    *argv: str, env: dict[str, str] | None = None, columns: int = 80
) -> Iterator[Terminal]:
    opened = Terminal(*argv, env=env, columns=columns)
    try:
        yield opened
    finally:
        opened.close()


def test_a_throw_away_shell(private_home: Path) -> None:
    with terminal("vm", "run", "--rm", "--name", "once") as person:
        person.expect("root@once:~# ")
        assert termios.tcgetattr(person.slave) != person.before
        person.type("echo it works\r")
        person.expect("\r\nit works\r\n")
        person.type("exit\r")
        assert person.wait() == 0
        assert termios.tcgetattr(person.slave) == person.before
        assert "✓ create once" in SEQUENCES.sub("", person.text)
    assert json.loads(run("vm", "list", "--json").stdout) == []
    assert leftovers(private_home) == []


def test_a_command_with_the_terminal() -> None:
    with terminal("vm", "run", "--rm", "-t", "--name", "once", "--", "top") as person:
        person.expect("root@once:~# ")
        person.type("\x1d\x03exit\r")  # every key is the guest's, ctrl+] and ctrl+c too
        person.expect("^C")
        assert person.wait() == 0
        assert termios.tcgetattr(person.slave) == person.before


def test_the_console_needs_a_vm_that_runs() -> None:
    run("vm", "create", "--name", "web")
    with terminal("vm", "console", "web") as person:
        assert person.wait() == 1
        assert "Start it first: banger-tui vm start web" in person.text


def test_leaving_a_shell_with_the_key() -> None:
    with terminal("vm", "run", "--name", "kept") as person:
        person.expect("root@kept:~# ")
        person.type("ab\x1d")
        assert person.wait() == 0
        assert termios.tcgetattr(person.slave) == person.before
        assert "kept runs on: banger-tui vm shell kept" in person.text
    assert json.loads(run("vm", "list", "--json").stdout)[0]["name"] == "kept"


def test_a_terminal_that_is_ended_by_a_signal_is_put_back() -> None:
    with terminal("vm", "run", "--rm", "--name", "once") as person:
        person.expect("root@once:~# ")
        person.process.terminate()
        assert person.wait() == 130
        assert termios.tcgetattr(person.slave) == person.before
    assert json.loads(run("vm", "list", "--json").stdout) == []


@pytest.mark.parametrize(("columns", "env"), [(80, {}), (30, {}), (80, {"NO_COLOR": "1"})])
def test_stages_on_a_terminal(columns: int, env: dict[str, str]) -> None:
    with terminal("vm", "create", "--name", "web", columns=columns, env=env) as person:
        assert person.wait() == 0
        colours = re.findall(r"\x1b\[[\d;]*m", person.text)
        assert bool(colours) is not bool(env)
        plain = SEQUENCES.sub("", person.text)
        assert "◐ create web" in plain
        assert "✓ create web" in plain
        stages = [line for line in re.split(r"[\r\n]+", plain) if line.startswith("  ")]
        assert stages
        assert max(map(len, stages)) < columns


def test_ctrl_c_on_a_terminal() -> None:
    with terminal("vm", "create", "--name", "web") as person:
        person.expect("◐\x1b[0m boot")
        os.killpg(person.process.pid, signal.SIGINT)
        assert person.wait() == 130
        plain = SEQUENCES.sub("", person.text)
        assert "✗ create web" in plain
        assert "Nothing of it is left." in plain
    assert json.loads(run("vm", "list", "--json").stdout) == []


@pytest.mark.parametrize(("answer", "code", "left"), [("y\r", 0, 0), ("n\r", 1, 1), ("\r", 1, 1)])
def test_deleting_asks_first(answer: str, code: int, left: int) -> None:
    run("vm", "create", "--name", "web")
    with terminal("vm", "delete", "web") as person:
        person.expect("[y/N] ")
        assert "Delete web?" in SEQUENCES.sub("", person.text)
        person.type(answer)
        assert person.wait() == code
    assert len(json.loads(run("vm", "list", "--json").stdout)) == left


def test_a_question_can_be_walked_away_from() -> None:
    run("vm", "create", "--name", "web")
    with terminal("vm", "delete", "web") as person:
        person.expect("[y/N] ")
        os.killpg(person.process.pid, signal.SIGINT)
        assert person.wait() == 130
        assert "Traceback" not in person.text
    assert len(json.loads(run("vm", "list", "--json").stdout)) == 1


def test_the_apps_place_is_the_bare_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from banger_tui import __main__

    monkeypatch.setattr(sys, "argv", ["banger-tui"])
    monkeypatch.setattr(__main__, "_app", lambda: 42)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}.isatty", lambda: True, raising=False)
    assert __main__.main() == 42
